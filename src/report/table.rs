//! Tables for a terminal.

use super::none;
use super::number::{difference, percent, probability, regret};
use crate::ranking::extras::calibration::CalibrationRow;
use crate::ranking::extras::change::{ChangeRow, Standing};
use crate::results::rows::LeaderboardRow;
use comfy_table::{Cell, CellAlignment, Table, presets};

/// Letters that a schedule's label may take.
const LABEL: usize = 30;

/// The leaderboard as text of at most 100 columns; the verdict comes last.
pub(crate) fn leaderboard(rows: &[LeaderboardRow]) -> String {
    if rows.is_empty() {
        return "no schedules to rank\n".to_owned();
    }
    // A column that says nothing in most studies.
    let failures = rows.iter().any(|row| row.failed > 0);
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let mut header = vec![
        right("#"),
        left("schedule"),
        right("rank"),
        right("regret"),
        right("low"),
        right("high"),
        right("wins"),
        right("p"),
        right("div."),
    ];
    header.extend(failures.then(|| right("failed")));
    header.push(left("verdict"));
    table.set_header(header);
    for row in rows {
        let mut cells = vec![
            right(&row.place.to_string()),
            left(&shortened(&row.schedule)),
            right(&format!("{:.2}", row.mean_rank)),
            right(&narrow(&regret(row.mean_regret))),
            right(&narrow(&regret(row.regret_low))),
            right(&narrow(&regret(row.regret_high))),
            right(&row.win_rate_vs_control.map_or_else(none, percent)),
            right(&narrow(&row.p_holm.map_or_else(none, probability))),
            right(&row.diverged.to_string()),
        ];
        cells.extend(failures.then(|| right(&row.failed.to_string())));
        cells.push(left(row.verdict.name()));
        table.add_row(cells);
    }
    trimmed(&table)
}

/// What changed from A to B, at most 100 columns.
pub(crate) fn changes(rows: &[ChangeRow]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(vec![
        left("schedule"),
        right("A"),
        right("B"),
        right("runs"),
        right("B - A"),
        right("low"),
        right("high"),
        right("p"),
        left("verdict"),
    ]);
    for row in rows {
        let place = |side: &Option<Standing>| {
            side.as_ref().map_or_else(none, |side| side.place.to_string())
        };
        let verdict = |side: &Option<Standing>| {
            side.as_ref().map_or_else(none, |s| s.verdict.name().to_owned())
        };
        let verdicts = match (verdict(&row.a), verdict(&row.b)) {
            (a, b) if a == b => a,
            (a, b) => format!("{a} -> {b}"),
        };
        let number = |value: Option<f64>| {
            value.map_or_else(none, |v| narrow(&difference(v)))
        };
        table.add_row(vec![
            left(&shortened(&row.schedule)),
            right(&place(&row.a)),
            right(&place(&row.b)),
            right(&row.common_runs.to_string()),
            right(&number(row.mean_difference)),
            right(&number(row.low)),
            right(&number(row.high)),
            right(&narrow(&row.p_holm.map_or_else(none, probability))),
            left(&verdicts),
        ]);
    }
    trimmed(&table)
}

/// The calibration as a table of Markdown, for METHODOLOGY.md as well.
pub(crate) fn calibration(rows: &[CalibrationRow]) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(vec![
        left("truth"),
        right("workloads"),
        right("schedules"),
        right("seeds"),
        left("race"),
        left("counted"),
        right("share"),
        right("95 % interval"),
        left("promised"),
        left("kept"),
        right("runs spared"),
    ]);
    let share = |share: f64| format!("{:.1} %", 100.0 * share);
    for row in rows {
        let sign = if row.promised < 0.5 { "at most" } else { "at least" };
        table.add_row(vec![
            left(row.truth),
            right(&row.workloads.to_string()),
            right(&row.schedules.to_string()),
            right(&row.seeds.to_string()),
            left(if row.race { "yes" } else { "no" }),
            left(row.counted),
            right(&share(row.share)),
            right(&format!("{} to {}", share(row.low), share(row.high))),
            left(&format!("{sign} {}", percent(row.promised))),
            left(if row.kept { "yes" } else { "NO" }),
            right(&percent(row.runs_spared)),
        ]);
    }
    trimmed(&table)
}

/// The table without blanks at the ends of its lines.
fn trimmed(table: &Table) -> String {
    let mut text = String::new();
    for line in table.to_string().lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// `< 0.001` as `<.001`.
fn narrow(number: &str) -> String {
    number.replace("< 0", "<")
}

/// `label` on one line, cut in the middle: its ends tell variants apart.
fn shortened(label: &str) -> String {
    let letters: Vec<char> =
        label.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if letters.len() <= LABEL {
        return letters.into_iter().collect();
    }
    let (head, tail) = (LABEL / 2, LABEL - LABEL / 2 - 1);
    let mut short: String = letters[..head].iter().collect();
    short.push('…');
    short.extend(&letters[letters.len() - tail..]);
    short
}

fn right(text: &str) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

fn left(text: &str) -> Cell {
    Cell::new(text)
}
