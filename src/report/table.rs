//! Tables for a terminal.

use super::none;
use super::number::{percent, probability, regret};
use crate::ranking::LeaderboardRow;
use crate::ranking::calibration::CalibrationRow;
use comfy_table::{Cell, CellAlignment, Table, presets};

/// Letters that a schedule's label may take.
const LABEL: usize = 30;

/// The leaderboard as text of at most 100 columns; the verdict comes last.
pub(crate) fn leaderboard(rows: &[LeaderboardRow]) -> String {
    if rows.is_empty() {
        return "no schedules to rank\n".to_owned();
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(vec![
        right("#"),
        left("schedule"),
        right("rank"),
        right("regret"),
        right("low"),
        right("high"),
        right("wins"),
        right("p"),
        right("div."),
        left("verdict"),
    ]);
    for row in rows {
        table.add_row(vec![
            right(&row.place.to_string()),
            left(&shortened(&row.schedule)),
            right(&format!("{:.2}", row.mean_rank)),
            right(&narrow(&regret(row.mean_regret))),
            right(&narrow(&regret(row.regret_low))),
            right(&narrow(&regret(row.regret_high))),
            right(&row.win_rate_vs_control.map_or_else(none, percent)),
            right(&narrow(&row.p_holm.map_or_else(none, probability))),
            right(&row.diverged.to_string()),
            left(row.verdict.name()),
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
