//! The report as one HTML page that needs nothing else.

use super::board::{
    WorkloadLine, control, further, heading, heatmap, pair_lines, sensitivity,
    workload_lines,
};
use super::number::{percent, probability, rate, regret};
use super::plot::{
    learning_rate_sensitivity, range_test, rank_diagram, regret_heatmap,
};
use super::prose::{Prose, pieces};
use super::{ReportInput, none, range};
use crate::results::rows::{FindRow, LeaderboardRow};
use crate::text::count;
use askama::Template;

/// The page and the pictures on it; the template has the rest.
#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    input: &'a ReportInput,
    prose: Prose,
    heading: &'static str,
    leading: Vec<Row<'a>>,
    further: Vec<Further<'a>>,
    control: Option<&'a str>,
    pairs: Vec<[String; 8]>,
    rank_diagram: Option<String>,
    sensitivity: Option<String>,
    heatmap: Option<String>,
    /// The schedule whose regret the workload table shows.
    first: Option<&'a str>,
    workloads: Vec<WorkloadLine>,
    range_tests: Vec<(&'a str, String)>,
}

/// A leaderboard beside the leading one.
struct Further<'a> {
    title: String,
    /// The schedule in the first place.
    leader: &'a str,
    rows: Vec<Row<'a>>,
}

/// A leaderboard row as it is shown.
struct Row<'a> {
    row: &'a LeaderboardRow,
    /// Left ends and widths of the regret interval, and its mean, as
    /// percentages of the widest on the board; none where it has no ends.
    interval: Option<(f64, f64, f64)>,
}

/// The report as a page: no script, no network, light and dark.
///
/// # Panics
///
/// Never: the template writes into memory.
pub(crate) fn html(input: &ReportInput) -> String {
    let ranking = input.analysis.leading();
    let leading = ranking.leaderboard();
    let lines = sensitivity(input);
    let (workloads, schedules, cells) = heatmap(input);
    let page = Page {
        input,
        prose: input.prose(),
        heading: heading(input),
        leading: rows(leading),
        further: further(input).into_iter().map(Further::new).collect(),
        control: control(input),
        pairs: pair_lines(input),
        rank_diagram: (leading.len() > 1)
            .then(|| rank_diagram(leading, |row| ranking.is_worse(row))),
        sensitivity: (!lines.is_empty())
            .then(|| learning_rate_sensitivity(&lines)),
        heatmap: (!workloads.is_empty() && !schedules.is_empty())
            .then(|| regret_heatmap(&workloads, &schedules, &cells)),
        first: leading.first().map(|row| row.schedule.as_str()),
        workloads: workload_lines(input),
        range_tests: input
            .range_tests
            .iter()
            .map(|(name, plot)| (name.as_str(), range_test(name, plot)))
            .collect(),
    };
    page.render().expect("a template renders into memory")
}

fn rows(rows: &[LeaderboardRow]) -> Vec<Row<'_>> {
    let widest = rows
        .iter()
        .flat_map(|row| [row.mean_regret, row.regret_high])
        .filter(|regret| regret.is_finite())
        .fold(0.0, f64::max);
    let interval = |row: &LeaderboardRow| {
        let share =
            |regret: f64| (100.0 * regret / widest).clamp(0.0, 100.0).round();
        let all = [row.regret_low, row.mean_regret, row.regret_high];
        (widest > 0.0 && all.iter().all(|r| r.is_finite())).then(|| {
            let [low, mean, high] = all.map(share);
            (low, (high - low).max(1.0), mean)
        })
    };
    rows.iter().map(|row| Row { row, interval: interval(row) }).collect()
}

impl<'a> Further<'a> {
    fn new((title, board): (String, &'a [LeaderboardRow])) -> Self {
        Self {
            title,
            leader: board.first().map_or("", |row| &row.schedule),
            rows: rows(board),
        }
    }
}

/// The learning rate of a search.
fn found(find: &FindRow) -> String {
    rate(find.lr)
}

impl Row<'_> {
    fn rank(&self) -> String {
        format!("{:.2}", self.row.mean_rank)
    }

    fn regret(&self) -> String {
        regret(self.row.mean_regret)
    }

    fn range(&self) -> String {
        let (low, high) = (self.row.regret_low, self.row.regret_high);
        if low.is_finite() && high.is_finite() {
            format!("{} to {}", regret(low), regret(high))
        } else {
            "no interval".to_owned()
        }
    }

    fn wins(&self) -> String {
        self.row.win_rate_vs_control.map_or_else(none, percent)
    }

    fn p(&self) -> String {
        self.row.p_holm.map_or_else(none, probability)
    }

    fn p_equivalent(&self) -> String {
        self.row.p_equivalent.map_or_else(none, percent)
    }

    fn verdict(&self) -> &'static str {
        self.row.verdict.name()
    }
}
