//! One score for each run: of several rows, several rates, several runs
//! without a seed.

use super::runs::Run;
use super::{ByRate, ByRow};
use crate::ranking::Direction;
use crate::record::{Observation, Outcome, Shown};
use std::collections::{BTreeMap, BTreeSet};

/// What tells runs apart, beside name, workload, budget, schedule and seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// Nothing.
    WithoutRate,
    /// The learning rate.
    WithRate,
}

impl Key {
    fn of(self, run: &Run) -> (String, Place, Option<String>, Option<u64>) {
        let rate = match self {
            Self::WithoutRate => None,
            Self::WithRate => run.lr.map(f64::to_bits),
        };
        (run.name.clone(), place(run), seed_of(run).map(str::to_owned), rate)
    }
}

/// Whether no run has two scores at one step.
pub(super) fn has_each_step_once(runs: &[Run], key: Key) -> bool {
    let mut seen = BTreeSet::new();
    let step = |run: &Run| run.step.map(f64::to_bits);
    let mut scored = runs.iter().filter(|run| run.score.is_some());
    scored.all(|run| seen.insert((key.of(run), step(run))))
}

/// Of the rows of each run the last or best with a score. The rate of the run
/// is that of its rows; `None` where they have different ones.
pub(super) fn one_row_each(
    runs: Vec<Run>,
    by: ByRow,
    better: Option<Direction>,
    key: Key,
) -> Vec<Run> {
    let mut groups: BTreeMap<_, Vec<Run>> = BTreeMap::new();
    let mut order = vec![];
    for run in runs {
        let key = key.of(&run);
        let group = groups.entry(key.clone()).or_default();
        if group.is_empty() {
            order.push(key);
        }
        group.push(run);
    }
    let mut chosen = vec![];
    for key in order {
        let Some(mut rows) = groups.remove(&key) else { continue };
        // Stable: rows without a step keep the order of the file.
        rows.sort_by(|a, b| {
            let step = |run: &Run| run.step.unwrap_or(f64::NEG_INFINITY);
            step(a).total_cmp(&step(b))
        });
        let rates: BTreeSet<u64> =
            rows.iter().filter_map(|row| row.lr).map(f64::to_bits).collect();
        let outcome = rows.iter().rev().find_map(|row| row.outcome.clone());
        let mut scored = rows.iter().filter(|row| row.score.is_some());
        let best = match (by, better) {
            (ByRow::Best, Some(better)) => {
                scored.min_by(|a, b| compare(a.score, b.score, better)).cloned()
            }
            _ => scored.next_back().cloned(),
        };
        let Some(mut run) = best.or_else(|| rows.pop()) else { continue };
        run.outcome = outcome;
        run.lr = match rates.len() {
            1 => rates.first().map(|bits| f64::from_bits(*bits)),
            _ => None,
        };
        chosen.push(run);
    }
    chosen
}

/// Better scores first, then those that are not finite.
fn compare(
    a: Option<f64>,
    b: Option<f64>,
    better: Direction,
) -> std::cmp::Ordering {
    let worth = |score: Option<f64>| match (score, better) {
        (Some(score), _) if !score.is_finite() => f64::INFINITY,
        (Some(score), Direction::Lower) => score,
        (Some(score), Direction::Higher) => -score,
        (None, _) => f64::INFINITY,
    };
    worth(a).total_cmp(&worth(b))
}

/// What a run shows.
pub(super) fn shown(run: &Run) -> Shown {
    let outcome = run.outcome.as_ref().map(|(text, _)| Outcome::named(text));
    let outcome = match outcome {
        None => Outcome::Completed,
        Some(Ok(outcome)) => outcome,
        // Reading the table refuses it.
        Some(Err(_)) => Outcome::Failed,
    };
    let observation = Observation::new("", "", 0, 0.0).outcome(outcome);
    Observation { score: run.score, ..observation }.shown()
}

/// Turns runs that a pruner stopped into failed ones, which show nothing,
/// and counts them: in our own tables a stop is one of the whole schedule.
pub(super) fn without_stops(runs: &mut [Run]) -> usize {
    let mut stopped = 0;
    for run in runs {
        let Some((text, _)) = &mut run.outcome else { continue };
        if Outcome::named(text) == Ok(Outcome::Stopped) {
            "failed".clone_into(text);
            stopped += 1;
        }
    }
    stopped
}

/// Workload, budget and schedule.
type Place = (Option<String>, Option<u64>, String);

fn place(run: &Run) -> Place {
    let workload = workload_of(run).map(str::to_owned);
    (workload, run.budget, run.schedule.0.clone())
}

fn seed_of(run: &Run) -> Option<&str> {
    run.seed.as_ref().map(|(text, _)| text.as_str())
}

fn workload_of(run: &Run) -> Option<&str> {
    run.workload.as_ref().map(|(text, _)| text.as_str())
}

/// The order of seeds: by number where they are numbers.
fn seed_key(run: &Run) -> (u64, &str) {
    let text = seed_of(run).unwrap_or_default();
    (text.parse().unwrap_or(u64::MAX), text)
}

/// Whether a schedule was run at several rates with the same seed.
pub(super) fn has_several_rates(runs: &[Run]) -> bool {
    let mut rates: BTreeMap<_, BTreeSet<u64>> = BTreeMap::new();
    for run in runs {
        let Some(lr) = run.lr else { continue };
        let key = (place(run), seed_of(run));
        rates.entry(key).or_default().insert(lr.to_bits());
    }
    rates.values().any(|rates| rates.len() > 1)
}

/// Scores of one rate.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    sum: f64,
    scored: u32,
    diverged: u32,
}

/// Those of each rate, by its bits.
type Tallies = BTreeMap<u64, Tally>;

/// Of each schedule the runs at its best rate, and how many of them were
/// chosen by the scores of other seeds. The best has the fewest diverged
/// runs, then the best mean score, then the lowest rate. The seeds of a
/// workload are parted in two halves; the rate of one is chosen on the other,
/// among the rates that both have. Where there is none, it is chosen on the
/// half itself.
pub(super) fn best_rate(
    runs: Vec<Run>,
    by: ByRate,
    better: Direction,
) -> (Vec<Run>, usize) {
    if by == ByRate::Each {
        return (runs, 0);
    }
    let mut halves: BTreeMap<Option<&str>, BTreeMap<(u64, &str), usize>> =
        BTreeMap::new();
    for run in &runs {
        let own = halves.entry(workload_of(run)).or_default();
        own.insert(seed_key(run), 0);
    }
    for seeds in halves.values_mut() {
        for (i, half) in seeds.values_mut().enumerate() {
            *half = i % 2;
        }
    }
    let half = |run: &Run| halves[&workload_of(run)][&seed_key(run)];
    let keys: Vec<(Place, usize)> =
        runs.iter().map(|run| (place(run), half(run))).collect();
    let mut tallies: BTreeMap<&(Place, usize), Tallies> = BTreeMap::new();
    for (run, key) in runs.iter().zip(&keys) {
        let Some(lr) = run.lr else { continue };
        let rates = tallies.entry(key).or_default();
        let tally = rates.entry(lr.to_bits()).or_default();
        match shown(run) {
            Shown::Score(score) => {
                tally.sum += score;
                tally.scored += 1;
            }
            Shown::Divergence => tally.diverged += 1,
            Shown::Nothing => {}
        }
    }
    // The rate of each place and half, and whether other seeds chose it.
    let mut chosen: BTreeMap<&(Place, usize), (Option<u64>, bool)> =
        BTreeMap::new();
    for (key, own) in &tallies {
        let (place, half) = key;
        let other = tallies.get(&(place.clone(), 1 - half));
        let common = other.into_iter().flatten();
        let common = common.filter(|(rate, _)| own.contains_key(*rate));
        let on_others = best(common, better);
        let rate = on_others.or_else(|| best(own, better));
        chosen.insert(key, (rate, on_others.is_some()));
    }
    let mut on_others = 0;
    let kept = runs
        .iter()
        .zip(&keys)
        .filter(|(run, key)| {
            let Some(lr) = run.lr else { return true };
            let (rate, by_others) = chosen[key];
            let keep = rate.is_none_or(|rate| rate == lr.to_bits());
            on_others += usize::from(keep && by_others);
            keep
        })
        .map(|(run, _)| run.clone())
        .collect();
    (kept, on_others)
}

/// The best rate of those that were tried.
fn best<'a>(
    tallies: impl IntoIterator<Item = (&'a u64, &'a Tally)>,
    better: Direction,
) -> Option<u64> {
    let tallies = tallies.into_iter();
    let tried = tallies.filter(|(_, t)| t.scored + t.diverged > 0);
    let chosen = tried.min_by(|(_, a), (_, b)| {
        let mean = |tally: &Tally| {
            (tally.scored > 0).then(|| tally.sum / f64::from(tally.scored))
        };
        let by_mean = compare(mean(a), mean(b), better);
        a.diverged.cmp(&b.diverged).then(by_mean)
    });
    chosen.map(|(rate, _)| *rate)
}

/// Runs without a seed: one for each workload, budget, rate and schedule,
/// with the mean score; it diverged if one of them did. Also the most runs
/// behind one.
pub(super) fn averaged(runs: Vec<Run>) -> (Vec<Run>, usize) {
    let mut groups: BTreeMap<(Place, Option<u64>), Vec<Run>> = BTreeMap::new();
    for run in runs {
        let key = (place(&run), run.lr.map(f64::to_bits));
        groups.entry(key).or_default().push(run);
    }
    let most = groups.values().map(Vec::len).max().unwrap_or(0);
    let mean = |rows: Vec<Run>| {
        let shown: Vec<(&Run, Shown)> =
            rows.iter().map(|run| (run, shown(run))).collect();
        let mut diverged = shown.iter().filter(|s| s.1 == Shown::Divergence);
        if let Some((run, _)) = diverged.next() {
            return (*run).clone();
        }
        let scored: Vec<(&Run, f64)> = shown
            .iter()
            .filter_map(|(run, shown)| match shown {
                Shown::Score(score) => Some((*run, *score)),
                _ => None,
            })
            .collect();
        let Some((first, _)) = scored.first() else { return rows[0].clone() };
        let mut scores: Vec<f64> = scored.iter().map(|s| s.1).collect();
        // The order of the rows leaves no trace in the last digit.
        scores.sort_by(f64::total_cmp);
        let sum: f64 = scores.iter().sum();
        Run { score: Some(sum / scores.len() as f64), ..(*first).clone() }
    };
    (groups.into_values().map(mean).collect(), most)
}
