//! A quick order of many schedules, to decide which are tried further.

use crate::error::Result;
use crate::ranking::Protocol;
use crate::ranking::cells::{Table, mean_rows};
use crate::ranking::regret::regrets;
use crate::record::{Observation, Shown};
use std::collections::BTreeMap;

/// Each schedule with its mean regret over clusters, at its own best multiple
/// of the rate on each workload and budget; the best first.
///
/// Choosing a multiple by the scores that are reported favours schedules with
/// noisy scores: the order is for a choice that is tested on other seeds.
///
/// # Errors
///
/// As [`Table::new`].
pub(crate) fn shortlist(
    runs: &[Observation],
    column: &str,
    protocol: &Protocol,
) -> Result<Vec<(String, f64)>> {
    let own = at_best(runs);
    let table = Table::new(&own, column, protocol)?;
    if table.is_empty() {
        return Err(crate::error::Error::Invalid(table.nothing()));
    }
    let by_cluster = table.by_cluster(|cell| regrets(&table, cell));
    let means = mean_rows(by_cluster.iter());
    let mut order: Vec<(String, f64)> =
        table.schedules.iter().cloned().zip(means).collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    Ok(order)
}

/// The runs of each schedule at its multiple of the fewest diverged runs and
/// the lowest mean score on a workload and budget, without the multiple.
fn at_best(runs: &[Observation]) -> Vec<Observation> {
    let cell = |run: &Observation| {
        (run.workload.clone(), run.budget, run.schedule.clone())
    };
    let mut cells: BTreeMap<_, BTreeMap<u64, Vec<&Observation>>> =
        BTreeMap::new();
    for run in runs {
        let bits = run.lr_multiple.unwrap_or(1.0).to_bits();
        cells.entry(cell(run)).or_default().entry(bits).or_default().push(run);
    }
    let mut kept = vec![];
    for rates in cells.values() {
        let best = rates.values().min_by(|a, b| {
            let (a, b) = (standing(a), standing(b));
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
        });
        kept.extend(
            best.into_iter()
                .flatten()
                .map(|run| Observation { lr_multiple: None, ..(*run).clone() }),
        );
    }
    kept
}

/// Runs without a score, and the mean score of the others.
fn standing(runs: &[&Observation]) -> (usize, f64) {
    let scores: Vec<f64> = runs
        .iter()
        .filter_map(|run| match run.shown() {
            Shown::Score(score) => Some(score),
            Shown::Divergence | Shown::Nothing => None,
        })
        .collect();
    let mean = scores.iter().sum::<f64>() / scores.len() as f64;
    (runs.len() - scores.len(), mean)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Outcome;

    #[test]
    fn each_schedule_counts_at_its_own_best_multiple() {
        let mut runs = vec![];
        for data in 0..4 {
            let name = format!("w{data}");
            for (schedule, multiple, score) in [
                ("high", 0.5, 1.2),
                ("high", 2.0, 1.0),
                ("low", 0.5, 1.1),
                ("low", 2.0, 3.0),
                ("wild", 0.5, 1.3),
                ("wild", 2.0, 0.5),
            ] {
                for seed in 0..2 {
                    let run = Observation::new(&name, schedule, seed, score);
                    let run = run.lr_multiple(multiple);
                    // One seed of two diverges there.
                    let wild = (schedule, multiple, seed) == ("wild", 2.0, 1);
                    runs.push(if wild {
                        run.outcome(Outcome::Diverged)
                    } else {
                        run
                    });
                }
            }
        }
        let order = shortlist(&runs, "valid_loss", &Protocol::default());
        let order = order.expect("complete");
        let names: Vec<&str> = order.iter().map(|(n, _)| n.as_str()).collect();
        assert_eq!(names, ["high", "low", "wild"]);
        assert_eq!(order[0].1, 0.0);
        assert!((order[1].1 - 1.1_f64.ln()).abs() < 1e-12);
        assert!((order[2].1 - 1.3_f64.ln()).abs() < 1e-12);
    }
}
