//! Reports to test on, made up.

use super::plot::RangeTestPlot;
use super::{LrFindRow, RegimeRow, ReportInput};
use crate::results::rows::{
    LeaderboardRow, PairRow, RobustnessRow, TheoryRow, Verdict, WorkloadRow,
};

/// A row in the middle of things.
pub(super) fn row(
    schedule: &str,
    mean_rank: f64,
    mean_regret: f64,
    verdict: Verdict,
) -> LeaderboardRow {
    LeaderboardRow {
        place: 1,
        group: "a".to_owned(),
        schedule: schedule.to_owned(),
        mean_rank,
        mean_regret,
        regret_low: 0.7 * mean_regret,
        regret_high: 1.4 * mean_regret,
        win_rate_vs_control: Some(0.72),
        p_holm: Some(0.012),
        p_equivalent: Some(0.4),
        diverged: 0,
        runs: 90,
        verdict,
    }
}

/// Schedule, mean rank, mean regret, group, verdict.
const SCHEDULES: [(&str, f64, f64, &str, Verdict); 8] = [
    ("cosine(warmup=5%)", 2.0, 0.004, "a", Verdict::Recommended),
    ("linear(warmup=5%)", 2.3, 0.005, "a", Verdict::Equivalent),
    ("wsd(cooldown=20%)", 3.1, 0.011, "ab", Verdict::Undecided),
    ("one-cycle", 3.9, 0.013, "ab", Verdict::Undecided),
    ("linear", 4.4, 0.019, "b", Verdict::Control),
    ("step(at=50%, factor=0.1)", 6.0, 0.048, "c", Verdict::Dominated),
    ("inverse-sqrt", 6.6, 0.061, "cd", Verdict::Dominated),
    ("constant", 7.7, 0.114, "d", Verdict::Dominated),
];

const WORKLOADS: [(&str, &str); 9] = [
    ("fashion-mlp", "fashion"),
    ("fashion-cnn", "fashion"),
    ("letter-mlp", "letter"),
    ("satimage-mlp", "satimage"),
    ("dna-mlp", "dna"),
    ("spam-mlp", "spam"),
    ("diamonds-mlp", "diamonds"),
    ("words-transformer", "words"),
    ("mnist1d-cnn", "mnist1d"),
];

/// A grid of 8 schedules on 9 workloads, 3 budgets, 3 multiples, 5 seeds.
pub(super) fn full() -> ReportInput {
    let overall: Vec<LeaderboardRow> = SCHEDULES
        .iter()
        .enumerate()
        .map(|(i, &(name, rank, regret, group, verdict))| LeaderboardRow {
            place: i + 1,
            group: group.to_owned(),
            diverged: if name == "constant" { 3 } else { 0 },
            runs: 9 * 9 * 5,
            ..row(name, rank, regret, verdict)
        })
        .collect();
    let mut boards = vec![("leaderboard".to_owned(), overall.clone())];
    for budget in [250, 1000, 4000] {
        for multiple in [0.25, 1.0, 4.0] {
            let rows = overall
                .iter()
                .enumerate()
                .map(|(i, row)| {
                    let factor = 1.0
                        + 0.3 * (i as f64 - 2.0) * f64::ln(multiple).max(-1.0);
                    LeaderboardRow {
                        mean_regret: row.mean_regret * factor.max(0.3),
                        runs: 45,
                        ..row.clone()
                    }
                })
                .collect();
            boards.push((format!("leaderboard-{budget}-{multiple}"), rows));
        }
    }
    ReportInput {
        name: "small-scale".to_owned(),
        title: "Which schedule generalizes best at small scale?".to_owned(),
        command: "lrscout run experiments/small-scale.toml".to_owned(),
        boards,
        pairs: pairs(),
        workloads: workloads(),
        regime: regime(),
        robustness: vec![RobustnessRow {
            place: 1,
            schedule: "wsd(cooldown=20%)".to_owned(),
            mean_regret: 0.031,
            worst_regret: 0.074,
            worst_multiple: 4.0,
            best_regret: 0.006,
            best_multiple: 1.0,
        }],
        theory: vec![TheoryRow {
            budget: 1000,
            lr_multiple: 1.0,
            schedule: "linear".to_owned(),
            bound: 0.05,
            peak_ratio: Some(1.0),
            mean_rank: 4.4,
            spearman: Some(0.81),
        }],
        lr_finds: finds(),
        range_tests: vec![("fashion-mlp, 1000 steps".to_owned(), range_test())],
        environment: vec![
            ("lrscout".to_owned(), "0.1.0".to_owned()),
            ("os".to_owned(), "linux".to_owned()),
            ("cores".to_owned(), "16".to_owned()),
        ],
        notes: vec!["9 workloads are few for 8 schedules".to_owned()],
        experiment_toml: "seeds = 5\nbudgets = [250, 1000, 4000]\n".to_owned(),
    }
}

fn workloads() -> Vec<WorkloadRow> {
    let mut rows = vec![];
    for (i, (workload, cluster)) in WORKLOADS.into_iter().enumerate() {
        let best = [0, 1, 0, 2, 0, 1, 3, 0, 1][i];
        for (j, (schedule, _, regret, ..)) in SCHEDULES.into_iter().enumerate()
        {
            let wave = 1.0 + 0.6 * ((3 * i + 5 * j) as f64).sin();
            let regret = if j == best { 0.0 } else { regret * wave };
            let diverged = usize::from(j == 7 && i % 4 == 1);
            rows.push(WorkloadRow {
                workload: workload.to_owned(),
                cluster: cluster.to_owned(),
                schedule: schedule.to_owned(),
                score: (diverged == 0).then(|| 0.3 * f64::exp(regret)),
                rank: j as f64 + 1.0,
                regret: (diverged == 0).then_some(regret),
                seeds: 45,
                diverged,
                difference: (j > 0).then_some(regret - 0.019),
                difference_low: (j > 0).then_some(regret - 0.024),
                difference_high: (j > 0).then_some(regret - 0.011),
                p_within: (j > 0).then_some(0.02),
            });
        }
    }
    rows
}

fn pairs() -> Vec<PairRow> {
    SCHEDULES
        .into_iter()
        .filter(|schedule| schedule.0 != "linear")
        .map(|schedule| PairRow {
            a: schedule.0.to_owned(),
            b: "linear".to_owned(),
            n: 9,
            mean_difference: Some(schedule.2 - 0.019),
            low: Some(schedule.2 - 0.024),
            high: Some(schedule.2 - 0.011),
            wilcoxon_w: 3.0,
            p: 0.004,
            p_holm: 0.012,
            method: "exact".to_owned(),
            p_a_better: 0.93,
            p_equivalent: 0.05,
            p_b_better: 0.02,
            rope_width: 0.005,
            probability_a_better: 0.72,
            probability_low: Some(0.41),
            probability_high: Some(0.91),
            p_hochberg: Some(0.012),
            p_hommel: Some(0.011),
            p_benjamini_hochberg: Some(0.008),
        })
        .collect()
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

fn finds() -> Vec<LrFindRow> {
    let find = |(i, (workload, _)): (usize, (&str, &str))| LrFindRow {
        workload: workload.to_owned(),
        optimizer: "sgd(momentum=0.9)".to_owned(),
        budget: 1000,
        lr: Some(0.012 * (i + 1) as f64),
        low: Some(0.006 * (i + 1) as f64),
        high: Some(0.03 * (i + 1) as f64),
        outcome: "found".to_owned(),
        rule: "lrscout".to_owned(),
        cost_steps: 1300,
    };
    WORKLOADS.into_iter().enumerate().map(find).collect()
}

/// A range test that learns between 1e-3 and 0.2 and then diverges.
pub(super) fn range_test() -> RangeTestPlot {
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
