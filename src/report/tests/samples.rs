//! Reports to test on, from planted runs.

use crate::ranking::{Analysis, Protocol, Runs};
use crate::record::Observation;
use crate::report::ReportInput;
use crate::report::plot::RangeTestPlot;
use crate::results::rows::{FindRow, RegimeRow};
use crate::schedule::ScheduleSpec;
use std::sync::LazyLock;

/// Where a planted run stands.
#[derive(Clone, Copy, Debug)]
pub(in crate::report) struct Spot<'a> {
    /// Index of the workload.
    pub(in crate::report) set: usize,
    pub(in crate::report) schedule: &'a str,
    pub(in crate::report) budget: u64,
    pub(in crate::report) multiple: f64,
    pub(in crate::report) seed: u64,
}

/// A study to plant runs in.
#[derive(Clone, Debug)]
pub(in crate::report) struct Plan<'a> {
    /// Workloads and their clusters.
    pub(in crate::report) workloads: Vec<(String, String)>,
    pub(in crate::report) schedules: Vec<&'a str>,
    pub(in crate::report) budgets: Vec<u64>,
    pub(in crate::report) multiples: Vec<f64>,
    pub(in crate::report) seeds: u64,
}

impl<'a> Plan<'a> {
    /// `sets` workloads with a data set each, one budget, the rate found, one
    /// seed.
    pub(in crate::report) fn small(sets: usize, schedules: &[&'a str]) -> Self {
        let name = |i: usize| format!("w{i:02}");
        Self {
            workloads: (0..sets).map(|i| (name(i), name(i))).collect(),
            schedules: schedules.to_vec(),
            budgets: vec![100],
            multiples: vec![1.0],
            seeds: 1,
        }
    }

    /// The runs, with `score` as loss; `None` diverged.
    pub(in crate::report) fn runs(
        &self,
        score: impl Fn(Spot<'_>) -> Option<f64>,
    ) -> Runs {
        let mut runs = vec![];
        for (set, (workload, cluster)) in self.workloads.iter().enumerate() {
            for &schedule in &self.schedules {
                for &budget in &self.budgets {
                    for &multiple in &self.multiples {
                        for seed in 0..self.seeds {
                            let spot =
                                Spot { set, schedule, budget, multiple, seed };
                            let score = score(spot).unwrap_or(f64::NAN);
                            let run = Observation::new(
                                workload, schedule, seed, score,
                            );
                            runs.push(
                                run.cluster(cluster)
                                    .budget(budget)
                                    .lr_multiple(multiple),
                            );
                        }
                    }
                }
            }
        }
        Runs {
            observations: runs,
            tests: vec![],
            column: "valid_loss".to_owned(),
            ..Runs::default()
        }
    }

    /// What they show.
    pub(in crate::report) fn analysis(
        &self,
        score: impl Fn(Spot<'_>) -> Option<f64>,
    ) -> Analysis {
        analysis(&self.runs(score))
    }
}

pub(in crate::report) fn analysis(runs: &Runs) -> Analysis {
    let protocol = Protocol::default();
    Analysis::new(runs, &protocol, &[]).expect("a valid study")
}

/// A report of `analysis` and nothing else.
pub(in crate::report) fn bare(analysis: Analysis) -> ReportInput {
    ReportInput {
        name: "grid".to_owned(),
        title: "A title".to_owned(),
        command: String::new(),
        schedules: vec![],
        comparison: vec![],
        analysis,
        regime: vec![],
        lr_finds: vec![],
        range_tests: vec![],
        environment: vec![],
        missing: vec![],
        experiment_toml: String::new(),
    }
}

const WORKLOADS: [(&str, &str); 10] = [
    ("fashion-mlp", "fashion"),
    ("fashion-cnn", "fashion"),
    ("letter-mlp", "letter"),
    ("satimage-mlp", "satimage"),
    ("dna-mlp", "dna"),
    ("spam-mlp", "spam"),
    ("diamonds-mlp", "diamonds"),
    ("words-transformer", "words"),
    ("mnist1d-cnn", "mnist1d"),
    ("poker-mlp", "poker"),
];

/// The grid of the full report: 8 schedules on 10 workloads, 2 budgets, 3
/// multiples, 3 seeds. `best` is the label of the best schedule, `before`
/// what the names of the workloads begin with.
pub(in crate::report) fn plan<'a>(best: &'a str, before: &str) -> Plan<'a> {
    let named = |(name, data): (&str, &str)| {
        (format!("{before}{name}"), format!("{before}{data}"))
    };
    Plan {
        workloads: WORKLOADS.into_iter().map(named).collect(),
        schedules: vec![
            best,
            "linear(warmup=5%)",
            "wsd(cooldown=20%)",
            "one-cycle",
            "linear",
            "step(at=50%, factor=0.1)",
            "inverse-sqrt",
            "constant",
        ],
        budgets: vec![250, 4000],
        multiples: vec![0.25, 1.0, 4.0],
        seeds: 3,
    }
}

/// The planted loss. At the rate found: the best schedule is ahead of the
/// control by 0.02 in the logarithm, `linear(warmup=5%)` is its equal, two are
/// about as good as the control, three are worse. The further from that rate,
/// the better `wsd` is beside the others. `constant` diverges three times.
pub(in crate::report) fn full_score(spot: Spot<'_>) -> Option<f64> {
    let Spot { set, schedule, budget, multiple, seed } = spot;
    if (schedule, set, budget, multiple) == ("constant", 3, 250, 4.0) {
        return None;
    }
    let off = f64::ln(multiple).abs();
    let wave = (set as f64 * 12.9898).sin();
    let sign = if set.is_multiple_of(2) { 1.0 } else { -1.0 };
    let effect = match schedule {
        "linear(warmup=5%)" => 0.0002 + 0.05 * off,
        "wsd(cooldown=20%)" => 0.02 + 0.03 * sign + 0.002 * wave,
        "one-cycle" => 0.02 - 0.03 * sign + 0.004 * wave + 0.05 * off,
        "linear" => 0.02 + 0.05 * off,
        "step(at=50%, factor=0.1)" => 0.048 + 0.003 * wave + 0.05 * off,
        "inverse-sqrt" => 0.061 + 0.004 * wave + 0.05 * off,
        "constant" => 0.114 + 0.01 * wave + 0.05 * off,
        _ => 0.05 * off,
    };
    let place = seed as f64 + (5 * set + 3 * schedule.len()) as f64;
    let noise = 0.001 * (place * 7.3).sin();
    let base = (1.0 + set as f64) / (budget as f64).ln();
    Some(base * (effect + noise + 0.02 * off).exp())
}

/// A report with everything in it.
pub(in crate::report) fn full() -> ReportInput {
    static FULL: LazyLock<ReportInput> = LazyLock::new(|| {
        full_of(plan("cosine(warmup=5%)", "").runs(full_score))
    });
    FULL.clone()
}

/// The same from other runs.
pub(in crate::report) fn full_of(runs: Runs) -> ReportInput {
    let specs = ["linear", "one-cycle", "inverse-sqrt", "constant"]
        .map(|kind| ScheduleSpec::of_kind(kind).expect("a kind"));
    let analysis = Analysis::new(&runs, &Protocol::default(), &specs);
    ReportInput {
        name: "small-scale".to_owned(),
        title: "Which schedule generalizes best at small scale?".to_owned(),
        command: "lrscout run experiments/small-scale.toml".to_owned(),
        regime: regime(),
        lr_finds: finds(),
        range_tests: vec![("fashion-mlp, 1000 steps".to_owned(), range_test())],
        environment: vec![
            ("lrscout".to_owned(), "0.1.0".to_owned()),
            ("os".to_owned(), "linux".to_owned()),
            ("cores".to_owned(), "16".to_owned()),
        ],
        experiment_toml: "seeds = 3\nbudgets = [250, 4000]\n".to_owned(),
        ..bare(analysis.expect("a valid study"))
    }
}

fn regime() -> Vec<RegimeRow> {
    let sizes = |(i, (workload, _)): (usize, (&str, &str))| RegimeRow {
        workload: workload.to_owned(),
        parameters: 2_000 * (i + 1),
        samples: 1_500,
        batch: 64,
    };
    WORKLOADS.into_iter().enumerate().map(sizes).collect()
}

fn finds() -> Vec<FindRow> {
    let find = |(i, (workload, _)): (usize, (&str, &str))| FindRow {
        workload: workload.to_owned(),
        optimizer: "sgd(momentum=0.9)".to_owned(),
        budget: 1000,
        lr: 0.012 * (i + 1) as f64,
        low: 0.006 * (i + 1) as f64,
        high: 0.03 * (i + 1) as f64,
        outcome: "found".to_owned(),
        rule: "lrscout".to_owned(),
        cost_steps: 1300,
        schedule: None,
    };
    WORKLOADS.into_iter().enumerate().map(find).collect()
}

/// A range test that learns between 1e-3 and 0.2 and then diverges.
pub(in crate::report) fn range_test() -> RangeTestPlot {
    let rates: Vec<f64> = (0..120)
        .map(|i| 1e-6 * 10_f64.powf(7.0 * f64::from(i) / 119.0))
        .collect();
    let loss = |(i, &lr): (usize, &f64)| {
        let clean = 2.3 - 1.5 / (1.0 + (3e-3 / lr).powf(1.2));
        let blown = 20.0 * (lr / 0.2).ln().max(0.0).powi(2);
        let noise = 0.1 * (i as f64 * 12.9898).sin();
        if lr > 3.0 { f64::NAN } else { clean + blown + noise }
    };
    let losses: Vec<f64> = rates.iter().enumerate().map(loss).collect();
    let mut mean = losses[0];
    let smooth = |loss: &f64| {
        mean = 0.8 * mean + 0.2 * loss;
        mean
    };
    let smoothed = losses.iter().map(smooth).collect();
    RangeTestPlot {
        rates,
        losses,
        smoothed,
        suggestion: Some(0.0123),
        interval: Some((0.006, 0.03)),
        trials: vec![
            (0.0062, 0.72),
            (0.0031, 0.81),
            (0.0123, 0.69),
            (0.0246, 0.74),
            (0.1, f64::INFINITY),
        ],
    }
}
