//! The keys at the top of a grid and in `[lr_find]`.

use super::wire::{Entry, Node, Source, Table, Value, find};
use crate::error::Result;
use crate::spec::{Ladder, LossKind};
use crate::text::{either, excerpt, unknown};
use serde::Serialize;
use std::num::NonZeroUsize;

/// Most runs, and most entries of a list: a larger number is a typing mistake.
pub(super) const MOST_RUNS: usize = 1_000_000;

/// Keys of the top level.
pub(super) const KEYS: &[&str] = &[
    "title",
    "seeds",
    "jobs",
    "budgets",
    "lr_multiples",
    "control",
    "race",
    "device",
    "lr_find",
    "workload",
    "schedule",
];

/// Keys of `[lr_find]`.
const LR_FIND_KEYS: &[&str] = &[
    "per",
    "seeds",
    "verify",
    "trainings",
    "from",
    "to",
    "steps",
    "ladder",
    "on",
    "rule",
];

/// Where the tensors live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum DeviceSpec {
    /// The processor.
    #[default]
    Cpu,
    /// The CUDA device of this number.
    Cuda(usize),
    /// Apple's GPU.
    Metal,
    /// CUDA or Metal if this binary and machine support one, else the
    /// processor.
    Auto,
}

/// How the peak learning rate of each workload is found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct LrFindSpec {
    /// One rate for each budget, or one for all. Not part of a rate's id, which
    /// has the horizon instead.
    #[serde(skip)]
    pub(crate) per: LrFindPer,
    /// Range tests, each with its own seed; the finder's own by default.
    pub(crate) seeds: Option<usize>,
    /// Whether short runs check the suggestion.
    pub(crate) verify: bool,
    /// What range tests and short runs may cost, in trainings.
    pub(crate) trainings: f64,
    /// The rate where losses show nothing; the usual one of the optimizer by
    /// default. Grids cannot set it: a rate that is known is an `lr`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fallback: Option<f64>,
    /// Lowest learning rate of the range; the finder's own by default.
    pub(crate) from: Option<f64>,
    /// Highest learning rate of the range; the finder's own by default.
    pub(crate) to: Option<f64>,
    /// Updates of a range test; the finder's own by default.
    pub(crate) steps: Option<usize>,
    /// How the rate rises.
    pub(crate) ladder: Ladder,
    /// Which loss the rule sees.
    pub(crate) on: LossKind,
    /// Name of the rule that picks the rate from the curve.
    pub(crate) rule: String,
}

/// What a learning rate is found for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LrFindPer {
    /// Each budget of each workload, at its own horizon.
    Budget,
    /// Each workload.
    Workload,
    /// Each schedule at each budget of each workload.
    Schedule,
}

impl LrFindSpec {
    /// What a search for one rate counts as in a number of trainings.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most a hundred"
    )]
    pub(crate) fn counted(&self) -> usize {
        self.trainings.ceil() as usize
    }
}

impl Default for LrFindSpec {
    fn default() -> Self {
        Self {
            per: LrFindPer::Budget,
            seeds: None,
            verify: true,
            // A rate of a grid serves hundreds of runs.
            trainings: 5.0,
            fallback: None,
            from: None,
            to: None,
            steps: None,
            ladder: Ladder::Exponential,
            on: LossKind::Train,
            rule: "lrscout".to_owned(),
        }
    }
}

/// Refuses keys that have no place at the top.
pub(super) fn top_keys(source: Source<'_>, root: &Table) -> Result<()> {
    for entry in root {
        let remedy = match entry.key.as_str() {
            "range" | "rule" | "verify" => "a table `[lr_find]`",
            "model" | "dataset" | "optimizer" | "batch" | "label_noise" => {
                "a table `[[workload]]`"
            }
            "kind" | "warmup" => "a table `[[schedule]]`",
            _ => continue,
        };
        let message = format!(
            "unknown key {} in the head of the file, it belongs to {remedy}",
            excerpt(&entry.key)
        );
        return Err(source.error(entry.at, message));
    }
    source.keys(root, "the head of the file", KEYS)
}

/// `seeds`: a count, or the seeds themselves. Default 5.
pub(super) fn seeds(source: Source<'_>, root: &Table) -> Result<Vec<u64>> {
    let Some(entry) = find(root, "seeds") else {
        return Ok((0..5).collect());
    };
    let wanted = "a count of at least 1, or a list of different seeds";
    match &entry.node.value {
        Value::Whole(0) => {
            let message = "`seeds` is 0, a ranking needs at least 1 and \
                           better 5";
            Err(source.error(entry.node.at, message))
        }
        Value::List(items) if items.is_empty() => {
            let message = "`seeds` is empty, give a count such as 5, or a \
                           list such as [1, 2, 3]";
            Err(source.error(entry.node.at, message))
        }
        Value::List(items) => distinct(source, "seeds", items, |item| {
            let Value::Whole(seed @ 0..) = item.value else {
                let wanted = "a list of whole numbers, 0 or more";
                return Err(source.mismatch("seeds", item, wanted));
            };
            Ok(seed.unsigned_abs())
        }),
        Value::Whole(_) => {
            let most = MOST_RUNS;
            let count = source.whole("seeds", &entry.node, 1, most)?;
            Ok((0..count as u64).collect())
        }
        _ => Err(source.mismatch("seeds", &entry.node, wanted)),
    }
}

/// `jobs`: `None` is one for each core.
pub(super) fn jobs(
    source: Source<'_>,
    root: &Table,
) -> Result<Option<NonZeroUsize>> {
    let Some(entry) = find(root, "jobs") else { return Ok(None) };
    match &entry.node.value {
        Value::Text(text) if text == "auto" => Ok(None),
        Value::Whole(count @ 1..=4096) => {
            let count = usize::try_from(*count).ok();
            Ok(count.and_then(NonZeroUsize::new))
        }
        _ => {
            let wanted = "\"auto\" or a number of runs at once from 1 to 4096";
            Err(source.mismatch("jobs", &entry.node, wanted))
        }
    }
}

/// `lr_multiples`, sorted, with 1.
pub(super) fn lr_multiples(
    source: Source<'_>,
    root: &Table,
) -> Result<Vec<f64>> {
    let Some(entry) = find(root, "lr_multiples") else { return Ok(vec![1.0]) };
    let wanted = "a list of factors such as [0.5, 1, 2]";
    let items = source.list("lr_multiples", &entry.node, wanted)?;
    let mut multiples = distinct(source, "lr_multiples", items, |item| {
        let wanted = "a list of finite factors above 0 such as [0.5, 1, 2]";
        source.number("lr_multiples", item, wanted, |x| x > 0.0)
    })?;
    if !multiples.contains(&1.0) {
        multiples.push(1.0);
    }
    multiples.sort_by(f64::total_cmp);
    Ok(multiples)
}

/// `device`.
pub(super) fn device(source: Source<'_>, root: &Table) -> Result<DeviceSpec> {
    let Some(entry) = find(root, "device") else {
        return Ok(DeviceSpec::default());
    };
    let known = ["cpu", "cuda", "cuda:0", "metal", "auto"];
    let wanted = either(&known);
    let text = source.text("device", &entry.node, &wanted)?;
    let number = text.strip_prefix("cuda:").map(str::parse::<u8>);
    match (text, number) {
        ("cpu", _) => Ok(DeviceSpec::Cpu),
        ("cuda", _) => Ok(DeviceSpec::Cuda(0)),
        ("metal", _) => Ok(DeviceSpec::Metal),
        ("auto", _) => Ok(DeviceSpec::Auto),
        (_, Some(Ok(number))) => Ok(DeviceSpec::Cuda(number.into())),
        _ => {
            let message = unknown("device", text, &known);
            Err(source.error(entry.node.at, message))
        }
    }
}

/// `race`, off by default.
pub(super) fn race(source: Source<'_>, root: &Table) -> Result<bool> {
    let Some(entry) = find(root, "race") else { return Ok(false) };
    source.flag("race", &entry.node)
}

/// `title`.
pub(super) fn title(
    source: Source<'_>,
    root: &Table,
) -> Result<Option<String>> {
    let Some(entry) = find(root, "title") else { return Ok(None) };
    let text = source.text("title", &entry.node, "a string")?;
    Ok(Some(text.to_owned()))
}

/// `[lr_find]`.
pub(super) fn lr_find(
    source: Source<'_>,
    root: &Table,
    rules: &[String],
) -> Result<LrFindSpec> {
    let mut spec = LrFindSpec::default();
    let Some(entry) = find(root, "lr_find") else { return Ok(spec) };
    let Value::Table(table) = &entry.node.value else {
        let wanted = "a table `[lr_find]`";
        return Err(source.mismatch("lr_find", &entry.node, wanted));
    };
    source.keys(table, "`[lr_find]`", LR_FIND_KEYS)?;
    for Entry { key, node, .. } in table {
        let rate = || {
            let wanted = "a learning rate above 0, at most 1000000";
            source.number(key, node, wanted, |x| x > 0.0 && x <= 1e6)
        };
        match key.as_str() {
            "per" => {
                let choices = [
                    ("budget", LrFindPer::Budget),
                    ("workload", LrFindPer::Workload),
                    ("schedule", LrFindPer::Schedule),
                ];
                spec.per = source.choice(key, node, &choices)?;
            }
            "seeds" => {
                spec.seeds = Some(source.whole(key, node, 1, 100)?);
            }
            "trainings" => {
                let wanted = "a number of trainings from 0.5 to 100";
                let range = |x| (0.5..=100.0).contains(&x);
                spec.trainings = source.number(key, node, wanted, range)?;
            }
            "verify" => spec.verify = source.flag(key, node)?,
            "from" => spec.from = Some(rate()?),
            "to" => spec.to = Some(rate()?),
            "steps" => {
                spec.steps = Some(source.whole(key, node, 10, 100_000)?);
            }
            "ladder" => {
                let choices = [
                    ("exponential", Ladder::Exponential),
                    ("linear", Ladder::Linear),
                ];
                spec.ladder = source.choice(key, node, &choices)?;
            }
            "on" => {
                let choices =
                    [("train", LossKind::Train), ("valid", LossKind::Valid)];
                spec.on = source.choice(key, node, &choices)?;
            }
            _ => spec.rule = rule(source, key, node, rules)?,
        }
    }
    if let (Some(from), Some(to), Some(place)) =
        (spec.from, spec.to, find(table, "to"))
        && from >= to
    {
        let message = format!(
            "`to` must be above `from`, got {to} for a range from {from}"
        );
        return Err(source.error(place.node.at, message));
    }
    Ok(spec)
}

fn rule(
    source: Source<'_>,
    key: &str,
    node: &Node,
    known: &[String],
) -> Result<String> {
    let text = source.text(key, node, "the name of a rule")?;
    if known.is_empty() || known.iter().any(|rule| rule == text) {
        return Ok(text.to_owned());
    }
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    Err(source.error(node.at, unknown("rule", text, &known)))
}

/// Reads every item and refuses one that appears twice.
pub(super) fn distinct<T: PartialOrd + Copy + std::fmt::Display>(
    source: Source<'_>,
    key: &str,
    items: &[Node],
    read: impl Fn(&Node) -> Result<T>,
) -> Result<Vec<T>> {
    let values: Vec<T> = items.iter().map(read).collect::<Result<_>>()?;
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| {
        let values = values[a].partial_cmp(&values[b]);
        values.unwrap_or(std::cmp::Ordering::Equal).then(a.cmp(&b))
    });
    let twice = order
        .windows(2)
        .filter(|pair| values[pair[0]] == values[pair[1]])
        .map(|pair| pair[1])
        .min();
    match twice {
        Some(index) => {
            let message = format!(
                "{} appears twice in `{key}`, leave one out",
                values[index]
            );
            Err(source.error(items[index].at, message))
        }
        None => Ok(values),
    }
}
