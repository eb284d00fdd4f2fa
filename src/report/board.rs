//! Boards of one budget and one multiple, side by side.

use super::plot::{Cell, SensitivityLine};
use super::{ReportInput, none, number};
use crate::ranking::Analysis;
use crate::results::rows::{LeaderboardRow, PairRow};

/// A leaderboard of one budget and one learning-rate multiple.
pub(super) struct Board<'a> {
    pub(super) budget: u64,
    pub(super) multiple: f64,
    pub(super) rows: &'a [LeaderboardRow],
}

/// The boards of `analysis` that have a budget and a multiple, in that order.
pub(super) fn boards(analysis: &Analysis) -> Vec<Board<'_>> {
    let of_board = analysis.boards.iter().filter_map(|ranked| {
        Some(Board {
            budget: ranked.budget?,
            multiple: ranked.lr_multiple?,
            rows: ranked.ranking.leaderboard(),
        })
    });
    of_board.collect()
}

/// The boards beside the leading one, with their titles.
pub(super) fn further(input: &ReportInput) -> Vec<(String, &[LeaderboardRow])> {
    let boards = boards(&input.analysis);
    if boards.len() < 2 {
        return vec![];
    }
    let together = input.found().map(|_| {
        let title = "all budgets and learning rates together";
        (title.to_owned(), input.overall())
    });
    let each = boards.iter().map(|board| {
        let title = format!(
            "{} steps, {} times the learning rate found",
            board.budget,
            number::rate(board.multiple)
        );
        (title, board.rows)
    });
    together.into_iter().chain(each).collect()
}

/// The heading of the leading board.
pub(super) fn heading(input: &ReportInput) -> &'static str {
    match input.found() {
        Some(_) => "Leaderboard at the learning rate found",
        None => "Leaderboard",
    }
}

/// Schedules by rising mean regret over the boards that `keep` takes; one
/// that a board has no regret for comes last, with an infinite one.
pub(super) fn by_regret<'a>(
    boards: &[Board<'a>],
    keep: impl Fn(&Board<'a>) -> bool,
) -> Vec<(&'a str, f64)> {
    let kept: Vec<&Board<'a>> = boards.iter().filter(|b| keep(b)).collect();
    let Some(first) = kept.first() else { return vec![] };
    let mut means: Vec<(&str, f64)> = first
        .rows
        .iter()
        .map(|row| {
            let regrets = kept.iter().map(|board| {
                let same =
                    board.rows.iter().find(|r| r.schedule == row.schedule);
                same.map_or(f64::INFINITY, regret_of)
            });
            let total: f64 = regrets.sum();
            (row.schedule.as_str(), total / kept.len() as f64)
        })
        .collect();
    means.sort_by(|a, b| a.1.total_cmp(&b.1));
    means
}

/// The mean regret of a row; infinite where it has none.
pub(super) fn regret_of(row: &LeaderboardRow) -> f64 {
    if row.mean_regret.is_finite() { row.mean_regret } else { f64::INFINITY }
}

/// A line a schedule for the picture of sensitivity, in the order of the
/// leaderboard; empty where there are fewer than two multiples.
pub(super) fn sensitivity(input: &ReportInput) -> Vec<SensitivityLine> {
    let boards = boards(&input.analysis);
    let multiples = input.analysis.multiples();
    if multiples.len() < 2 {
        return vec![];
    }
    let by_multiple: Vec<Vec<(&str, f64)>> = multiples
        .iter()
        .map(|&multiple| by_regret(&boards, |b| b.multiple == multiple))
        .collect();
    let line = |row: &LeaderboardRow| SensitivityLine {
        schedule: row.schedule.clone(),
        verdict: row.verdict,
        points: multiples
            .iter()
            .zip(&by_multiple)
            .filter_map(|(&multiple, means)| {
                let mean = means.iter().find(|(s, _)| *s == row.schedule)?;
                Some((multiple, mean.1))
            })
            .collect(),
    };
    input.leading().iter().map(line).collect()
}

/// Rows, columns and cells of the heat map: workloads in file order,
/// schedules in the order of the leaderboard.
pub(super) fn heatmap(
    input: &ReportInput,
) -> (Vec<String>, Vec<String>, Vec<Vec<Cell>>) {
    let workloads = workload_names(input);
    let schedules: Vec<String> =
        input.leading().iter().map(|row| row.schedule.clone()).collect();
    let cells = workloads
        .iter()
        .map(|workload| {
            schedules
                .iter()
                .map(|schedule| cell(input, workload, schedule))
                .collect()
        })
        .collect();
    (workloads, schedules, cells)
}

fn cell(input: &ReportInput, workload: &str, schedule: &str) -> Cell {
    let row = input
        .workloads()
        .iter()
        .find(|row| row.workload == workload && row.schedule == schedule);
    match row {
        None => Cell::Missing,
        Some(row) if row.diverged > 0 => Cell::Diverged,
        Some(row) => row.regret.map_or(Cell::Missing, Cell::Regret),
    }
}

/// The workloads of `workloads.csv`, in its order.
pub(super) fn workload_names(input: &ReportInput) -> Vec<String> {
    let mut names: Vec<String> = vec![];
    for row in input.workloads() {
        if !names.contains(&row.workload) {
            names.push(row.workload.clone());
        }
    }
    names
}

/// What a report says of one workload.
pub(super) struct WorkloadLine {
    pub(super) workload: String,
    pub(super) cluster: String,
    /// The schedule of the lowest mean regret, or several that tie.
    pub(super) best: String,
    pub(super) best_regret: String,
    /// Its mean score.
    pub(super) score: String,
    /// Regret of the first schedule of the leaderboard.
    pub(super) regret: String,
}

/// A line a workload.
pub(super) fn workload_lines(input: &ReportInput) -> Vec<WorkloadLine> {
    let first = input.leading().first().map(|row| row.schedule.as_str());
    let line = |workload: String| {
        let rows = input.workloads().iter();
        let rows: Vec<_> = rows.filter(|r| r.workload == workload).collect();
        let regrets = rows.iter().filter_map(|row| row.regret);
        let lowest = regrets.fold(f64::INFINITY, f64::min);
        let best: Vec<_> =
            rows.iter().filter(|row| row.regret == Some(lowest)).collect();
        let score = best.first().and_then(|row| row.score);
        // Where every schedule diverged, all have the largest regret.
        let nothing =
            best.len() == rows.len() && rows.iter().all(|row| row.diverged > 0);
        let names: Vec<&str> =
            best.iter().map(|row| row.schedule.as_str()).collect();
        let regret = match first {
            Some(first) => cell(input, &workload, first),
            None => Cell::Missing,
        };
        WorkloadLine {
            cluster: rows[0].cluster.clone(),
            best: if nothing { none() } else { names.join(", ") },
            best_regret: number::regret(lowest),
            score: score.map_or_else(none, number::score),
            regret: match regret {
                Cell::Regret(regret) => number::regret(regret),
                Cell::Diverged => "diverged".to_owned(),
                Cell::Missing => none(),
            },
            workload,
        }
    };
    workload_names(input).into_iter().map(line).collect()
}

/// Every schedule against the control: schedule, mean difference, interval,
/// p, corrected p, and the probabilities that it is better, equal, worse.
pub(super) fn pair_lines(input: &ReportInput) -> Vec<[String; 8]> {
    let line = |pair: &PairRow| {
        let interval = match (pair.low, pair.high) {
            (Some(low), Some(high)) => format!(
                "{} to {}",
                number::difference(low),
                number::difference(high)
            ),
            _ => none(),
        };
        [
            pair.a.clone(),
            pair.mean_difference.map_or_else(none, number::difference),
            interval,
            number::probability(pair.p),
            number::probability(pair.p_holm),
            number::percent(pair.p_a_better),
            number::percent(pair.p_equivalent),
            number::percent(pair.p_b_better),
        ]
    };
    input.analysis.leading().pairwise().iter().map(line).collect()
}

/// The schedule that the others were tested against; `None` where there are
/// no others.
pub(super) fn control(input: &ReportInput) -> Option<&str> {
    let ranking = input.analysis.leading();
    (ranking.leaderboard().len() > 1).then(|| ranking.control())
}
