//! Tables for a terminal.

use super::findings::Comparison;
use super::none;
use super::number::{difference, percent, probability, regret};
use crate::ranking::extras::calibration::CalibrationRow;
use crate::ranking::extras::change::{ChangeRow, Standing};
use crate::results::rows::LeaderboardRow;
use comfy_table::{Cell, CellAlignment, Table, presets};

/// Letters that a schedule's label may take.
const LABEL: usize = 30;
const WIDE_LABEL: usize = 35;
/// Columns of a terminal.
const WIDTH: usize = 100;

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
            left(&shortened(&row.schedule, LABEL)),
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

/// The verdict on every schedule with its evidence, at most 100 columns wide.
pub(super) fn choices(comparison: &Comparison) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(vec![
        left("schedule"),
        left("verdict"),
        right("regret"),
        right("95 % interval"),
        right("p vs\ncontrol"),
        right("data sets\nto decide"),
        right("div."),
    ]);
    for choice in &comparison.choices {
        let row = &choice.row;
        let ends = [row.regret_low, row.regret_high];
        let interval = if ends.iter().all(|end| end.is_finite()) {
            ends.map(|end| narrow(&regret(end))).join(" to ")
        } else {
            none()
        };
        let wanted = choice.data_sets_to_decide;
        let to_decide = match wanted {
            _ if !choice.is_open() => none(),
            Some(wanted) => wanted.to_string(),
            None if comparison.data_sets < 2 => none(),
            None => "> 1000".to_owned(),
        };
        table.add_row(vec![
            left(&shortened(&row.schedule, WIDE_LABEL)),
            left(row.verdict.name()),
            right(&narrow(&regret(row.mean_regret))),
            right(&interval),
            right(&narrow(&row.p_holm.map_or_else(none, probability))),
            right(&to_decide),
            right(&row.diverged.to_string()),
        ]);
    }
    // Nothing to the left of the first column.
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    trimmed(&table)
}

/// `text` in lines of at most 100 columns, as far as its words allow; names
/// between backticks stay whole.
pub(super) fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    let mut words = text.split(' ');
    while let Some(word) = words.next() {
        let mut word = word.to_owned();
        while word.matches('`').count() % 2 == 1
            && let Some(rest) = words.next()
        {
            word = format!("{word} {rest}");
        }
        let line = lines.len() - 1;
        let line = &mut lines[line];
        if line.is_empty() {
            *line = word;
        } else if line.chars().count() + 1 + word.chars().count() <= WIDTH {
            line.push(' ');
            line.push_str(&word);
        } else {
            lines.push(word);
        }
    }
    lines.join("\n") + "\n"
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
            left(&shortened(&row.schedule, LABEL)),
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

/// `label` on one line, cut in the middle to `most` letters: its ends tell
/// variants apart.
fn shortened(label: &str, most: usize) -> String {
    let letters: Vec<char> =
        label.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if letters.len() <= most {
        return letters.into_iter().collect();
    }
    let (head, tail) = (most / 2, most - most / 2 - 1);
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
