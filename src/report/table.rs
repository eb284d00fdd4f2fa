//! Tables for a terminal.

use super::findings::Comparison;
use super::none;
use super::number::{difference, percent, probability, regret};
use crate::ranking::extras::calibration::CalibrationRow;
use crate::ranking::extras::change::{ChangeRow, Standing};
use crate::results::rows::{ClaimRow, LeaderboardRow, PosteriorRow};
use crate::text::quoted;
use comfy_table::{CellAlignment, Table, TableStyle, presets};

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
    let header = "#|<schedule|rank|regret|low|high|wins|p|div.|failed|<verdict";
    let header = header.split('|').filter(|name| failures || *name != "failed");
    let mut table = table(presets::NOTHING, header);
    for row in rows {
        let mut cells = vec![
            row.place.to_string(),
            shortened(&row.schedule, LABEL),
            format!("{:.2}", row.mean_rank),
            narrow(&regret(row.mean_regret)),
            narrow(&regret(row.regret_low)),
            narrow(&regret(row.regret_high)),
            row.win_rate_vs_control.map_or_else(none, percent),
            narrow(&row.p_holm.map_or_else(none, probability)),
            row.diverged.to_string(),
        ];
        cells.extend(failures.then(|| row.failed.to_string()));
        cells.push(row.verdict.name().to_owned());
        table.add_row(cells);
    }
    trimmed(&table)
}

/// The verdict on every schedule with its evidence, at most 100 columns wide.
pub(super) fn choices(comparison: &Comparison) -> String {
    let header = "<schedule|<verdict|regret|95 % interval|p vs\ncontrol|data \
                  sets\nto decide|div.";
    let mut table = table(presets::NOTHING, header.split('|'));
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
            shortened(&row.schedule, WIDE_LABEL),
            row.verdict.name().to_owned(),
            narrow(&regret(row.mean_regret)),
            interval,
            narrow(&row.p_holm.map_or_else(none, probability)),
            to_decide,
            row.diverged.to_string(),
        ]);
    }
    // Nothing to the left of the first column.
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    trimmed(&table)
}

/// Claims and what the runs say, at most 100 columns wide.
pub(crate) fn claims(rows: &[ClaimRow]) -> String {
    let header = "<stand|effect|95 % interval|p|data sets|<claim";
    let mut table = table(presets::NOTHING, header.split('|'));
    for row in rows {
        let ends = row.low.zip(row.high);
        let interval = ends.map_or_else(none, |(low, high)| {
            [low, high].map(difference).join(" to ")
        });
        table.add_row(vec![
            row.stand.name().to_owned(),
            row.effect.map_or_else(none, difference),
            interval,
            row.p_holm.map_or_else(none, |p| narrow(&probability(p))),
            row.clusters.to_string(),
            shortened(&row.claim, WIDE_LABEL),
        ]);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    trimmed(&table)
}

/// The schedules that may be the best, at most 100 columns wide.
pub(super) fn likely(rows: &[&PosteriorRow]) -> String {
    let header = "<schedule|best|within 1 %|regret|new data";
    let mut table = table(presets::NOTHING, header.split('|'));
    // Of a difference of logarithms, in per cent of the loss.
    let loss = |log: f64| format!("{:.1} %", 100.0 * log.exp_m1());
    for row in rows {
        table.add_row(vec![
            shortened(&row.schedule, WIDE_LABEL),
            percent(row.p_best),
            percent(row.p_near_best),
            loss(row.regret),
            loss(row.regret_new_data),
        ]);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    trimmed(&table)
}

/// The shapes that a search found.
pub(crate) fn finalists(labels: &[String]) -> String {
    let labels: Vec<String> = labels.iter().map(|l| quoted(l)).collect();
    wrapped(&format!(
        "Found by the search: {}. The seeds of the final are others than those \
         of the search; its data sets are the same.",
        labels.join(", ")
    ))
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
    let header = "<schedule|A|B|runs|B - A|low|high|p|<verdict";
    let mut table = table(presets::NOTHING, header.split('|'));
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
            shortened(&row.schedule, LABEL),
            place(&row.a),
            place(&row.b),
            row.common_runs.to_string(),
            number(row.mean_difference),
            number(row.low),
            number(row.high),
            narrow(&row.p_holm.map_or_else(none, probability)),
            verdicts,
        ]);
    }
    trimmed(&table)
}

/// The calibration as a table of Markdown, for METHODOLOGY.md as well.
pub(crate) fn calibration(rows: &[CalibrationRow]) -> String {
    let header = "<truth|workloads|schedules|seeds|<race|<counted|share|95 % \
                  interval|<promised|<kept|runs spared";
    let mut table = table(presets::ASCII_MARKDOWN, header.split('|'));
    let share = |share: f64| format!("{:.1} %", 100.0 * share);
    for row in rows {
        let sign = if row.promised < 0.5 { "at most" } else { "at least" };
        table.add_row(vec![
            row.truth.to_owned(),
            row.workloads.to_string(),
            row.schedules.to_string(),
            row.seeds.to_string(),
            (if row.race { "yes" } else { "no" }).to_owned(),
            row.counted.to_owned(),
            share(row.share),
            format!("{} to {}", share(row.low), share(row.high)),
            format!("{sign} {}", percent(row.promised)),
            (if row.kept { "yes" } else { "NO" }).to_owned(),
            percent(row.runs_spared),
        ]);
    }
    trimmed(&table)
}

/// An empty table whose columns are called `names`; those after a `<` are
/// aligned to the left.
fn table<'a>(
    style: TableStyle,
    names: impl Iterator<Item = &'a str> + Clone,
) -> Table {
    let mut table = Table::new();
    table.load_style(style);
    table.set_header(names.clone().map(|name| name.trim_start_matches('<')));
    for (column, name) in table.column_iter_mut().zip(names) {
        if !name.starts_with('<') {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
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
