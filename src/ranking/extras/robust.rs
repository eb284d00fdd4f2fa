//! What a learning rate that is off by up to four costs.

use crate::error::Result;
use crate::ranking::cells::{Standing, Table, conditions, mean_rows};
use crate::ranking::protocol::{Protocol, Scale};
use crate::ranking::regret::MOST;
use crate::ranking::stopped::never_stopped;
use crate::record::Observation;
use crate::results::rows::RobustnessRow;
use std::collections::BTreeSet;

/// Multiples within this factor of the rate found count.
pub(crate) const REACH: f64 = 4.0;

/// How every schedule does over the multiples within four times of the rate
/// found; empty with fewer than two of them. Schedules that a race stopped
/// are left out.
///
/// # Errors
///
/// If the runs cannot be compared.
pub(in crate::ranking) fn robustness(
    observations: &[Observation],
    column: &str,
    protocol: &Protocol,
) -> Result<Vec<RobustnessRow>> {
    let near = |multiple: f64| (1.0 / REACH..=REACH).contains(&multiple);
    let mut runs = never_stopped(observations);
    runs.retain(|run| run.lr_multiple.is_some_and(near));
    let conditions = conditions(&runs);
    let mut multiples: Vec<f64> =
        conditions.iter().filter_map(|(_, multiple)| *multiple).collect();
    multiples.sort_by(f64::total_cmp);
    multiples.dedup();
    let budgets: BTreeSet<Option<u64>> =
        conditions.iter().map(|(budget, _)| *budget).collect();
    if multiples.len() < 2 {
        return Ok(vec![]);
    }
    let mut of_budgets = vec![];
    let mut schedules: Option<Vec<String>> = None;
    for budget in budgets {
        let tables = multiples
            .iter()
            .map(|&multiple| {
                let here: Vec<Observation> = runs
                    .iter()
                    .filter(|run| {
                        run.budget == budget
                            && run.lr_multiple == Some(multiple)
                    })
                    .cloned()
                    .collect();
                let whole =
                    Protocol { allow_missing: false, ..protocol.clone() };
                Table::new(&here, column, &whole)
            })
            .collect::<Result<Vec<Table>>>()?;
        // Every multiple must have the same workloads and schedules, which
        // failed runs may have taken away.
        let names = |table: &Table| -> Vec<String> {
            table.blocks.iter().map(|b| b.workload.clone()).collect()
        };
        let first =
            schedules.get_or_insert_with(|| tables[0].schedules.clone());
        let alike = |table: &Table| {
            table.schedules == *first && names(table) == names(&tables[0])
        };
        if !tables[0].blocks.is_empty() && tables.iter().all(alike) {
            of_budgets.push(regrets(&tables));
        }
    }
    if of_budgets.is_empty() {
        return Ok(vec![]);
    }
    let mut rows: Vec<RobustnessRow> = schedules
        .unwrap_or_default()
        .into_iter()
        .enumerate()
        .map(|(j, schedule)| {
            let of_multiples: Vec<f64> = (0..multiples.len())
                .map(|m| {
                    of_budgets.iter().map(|regrets| regrets[m][j]).sum::<f64>()
                        / of_budgets.len() as f64
                })
                .collect();
            row(schedule, &multiples, &of_multiples)
        })
        .collect();
    rows.sort_by(|a, b| a.mean_regret.total_cmp(&b.mean_regret));
    for (i, row) in rows.iter_mut().enumerate() {
        row.place = i + 1;
    }
    Ok(rows)
}

fn row(schedule: String, multiples: &[f64], regrets: &[f64]) -> RobustnessRow {
    let pairs = || multiples.iter().zip(regrets);
    let (best_multiple, best_regret) = pairs()
        .min_by(|a, b| a.1.total_cmp(b.1))
        .map_or((f64::NAN, f64::NAN), |(m, r)| (*m, *r));
    let (worst_multiple, worst_regret) = pairs()
        .max_by(|a, b| a.1.total_cmp(b.1))
        .map_or((f64::NAN, f64::NAN), |(m, r)| (*m, *r));
    RobustnessRow {
        place: 0,
        schedule,
        mean_regret: regrets.iter().sum::<f64>() / regrets.len() as f64,
        worst_regret,
        worst_multiple,
        best_regret,
        best_multiple,
    }
}

/// Mean regrets of one budget, `[multiple][schedule]`, from one table a
/// multiple.
fn regrets(tables: &[Table]) -> Vec<Vec<f64>> {
    let first = &tables[0];
    // [block][multiple][schedule]
    let of_blocks: Vec<Vec<Vec<f64>>> = (0..first.blocks.len())
        .map(|i| {
            let values: Vec<Vec<Option<f64>>> = tables
                .iter()
                .map(|table| {
                    let standings = &table.blocks[i].cells[0].standings;
                    let whole = |s: &Option<Standing>| {
                        s.filter(|s| s.diverged == 0).map(|s| s.value)
                    };
                    standings.iter().map(whole).collect()
                })
                .collect();
            let all = || values.iter().flatten().flatten().copied();
            let best = all().fold(f64::INFINITY, f64::min);
            let most = match first.scale {
                Scale::Relative => MOST,
                Scale::Raw => all().fold(best, f64::max) - best,
            };
            let regret = |value: &Option<f64>| {
                value.map_or(most, |v| v - best).min(most)
            };
            let of_row = |row: &Vec<Option<f64>>| -> Vec<f64> {
                row.iter().map(regret).collect()
            };
            values.iter().map(of_row).collect()
        })
        .collect();
    (0..tables.len())
        .map(|m| {
            let of_clusters: Vec<Vec<f64>> = first
                .clusters
                .iter()
                .map(|members| {
                    mean_rows(members.iter().map(|&i| &of_blocks[i][m]))
                })
                .collect();
            mean_rows(of_clusters.iter())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regrets_are_against_the_best_rate_of_the_best_schedule() {
        let mut runs = vec![];
        // (schedule, multiple, loss): `flat` is never best and never bad.
        for (schedule, multiple, loss) in [
            ("flat", 0.25, 1.1),
            ("flat", 1.0, 1.1),
            ("flat", 4.0, 1.1),
            ("flat", 16.0, 50.0),
            ("sharp", 0.25, 2.0),
            ("sharp", 1.0, 1.0),
            ("sharp", 4.0, f64::NAN),
            ("sharp", 16.0, 1.0),
        ] {
            for workload in ["a", "b"] {
                let run = Observation::new(workload, schedule, 0, loss);
                runs.push(run.lr_multiple(multiple));
            }
        }
        let rows = robustness(&runs, "valid_loss", &Protocol::default());
        let rows = rows.expect("complete");
        let [flat, sharp] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!(flat.schedule, "flat");
        assert!((flat.mean_regret - 1.1_f64.ln()).abs() < 1e-12, "{flat:?}");
        assert_eq!((sharp.best_regret, sharp.best_multiple), (0.0, 1.0));
        assert_eq!((sharp.worst_regret, sharp.worst_multiple), (MOST, 4.0));
        let mean = (2.0_f64.ln() + 0.0 + 1.0) / 3.0;
        assert!((sharp.mean_regret - mean).abs() < 1e-12);
        runs.retain(|run| run.lr_multiple == Some(1.0));
        let none = robustness(&runs, "valid_loss", &Protocol::default());
        assert!(none.expect("complete").is_empty());
    }
}
