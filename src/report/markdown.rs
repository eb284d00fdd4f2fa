//! The report as Markdown.

use super::board::{
    control, further, heading, pair_lines, sensitivity, workload_lines,
};
use super::number::{percent, probability, rate, regret};
use super::prose::pieces;
use super::{ReportInput, none, range};
use crate::results::rows::{FindRow, LeaderboardRow};
use crate::text::quoted;

/// The report as Markdown, with the tables of the page and none of its
/// pictures. Texts from outside cannot become markup.
pub(crate) fn markdown(input: &ReportInput) -> String {
    let said = input.prose();
    let mut page = Page::default();
    page.heading(1, &escaped(&input.title));
    if let Some((first, others)) = input.comparison.split_first() {
        page.block(&format!("**{}**", prose(first)));
        for sentence in others {
            page.block(&prose(sentence));
        }
    }
    page.block(&format!("**{}**", prose(&said.headline)));
    for sentence in said.reasons.iter().chain(&said.evidence) {
        page.block(&prose(sentence));
    }
    let leading = input.leading();
    if !leading.is_empty() {
        page.heading(2, heading(input));
        leaderboard(&mut page, leading);
        pair_table(&mut page, input);
    }
    let further = further(input);
    if !further.is_empty() {
        page.heading(2, "Learning rates and budgets");
        for sentence in &said.conditions {
            page.block(&prose(sentence));
        }
        sensitivity_table(&mut page, input);
        for (title, rows) in further {
            page.heading(3, &title);
            leaderboard(&mut page, rows);
        }
    }
    workload_table(&mut page, input);
    find_table(&mut page, &input.lr_finds);
    page.heading(2, "Limits");
    for sentence in said.limits.iter().chain(&said.notes) {
        page.item(&prose(sentence));
    }
    if !(input.command.is_empty() && input.environment.is_empty()) {
        page.heading(2, "How it was made");
    }
    if !input.command.is_empty() {
        page.block(&format!("Made with {}.", code(&input.command)));
    }
    for (key, value) in &input.environment {
        page.item(&format!("{}: {}", escaped(key), escaped(value)));
    }
    if !input.experiment_toml.is_empty() {
        page.fenced("toml", &input.experiment_toml);
    }
    page.text
}

fn leaderboard(page: &mut Page, rows: &[LeaderboardRow]) {
    let head = "place:|schedule|verdict|mean rank:|mean regret:|low:|high:|\
                wins:|p:|P equal:|diverged:|failed:";
    // A column that says nothing in most studies.
    let failures = rows.iter().any(|row| row.failed > 0);
    let mut head: Vec<&str> = head.split('|').collect();
    head.retain(|name| failures || *name != "failed:");
    let line = |row: &LeaderboardRow| {
        vec![
            row.place.to_string(),
            code(&row.schedule),
            row.verdict.name().to_owned(),
            format!("{:.2}", row.mean_rank),
            regret(row.mean_regret),
            regret(row.regret_low),
            regret(row.regret_high),
            row.win_rate_vs_control.map_or_else(none, percent),
            row.p_holm.map_or_else(none, probability),
            row.p_equivalent.map_or_else(none, percent),
            format!("{} of {}", row.diverged, row.runs),
        ]
        .into_iter()
        .chain(failures.then(|| format!("{} of {}", row.failed, row.runs)))
        .collect::<Vec<_>>()
    };
    page.table(&head, rows.iter().map(line));
}

/// Mean regret by schedule and multiple.
fn sensitivity_table(page: &mut Page, input: &ReportInput) {
    let lines = sensitivity(input);
    if lines.is_empty() {
        return;
    }
    let multiples = input.analysis.multiples();
    let names: Vec<String> =
        multiples.iter().map(|m| format!("{} x:", rate(*m))).collect();
    let mut head = vec!["mean regret at"];
    head.extend(names.iter().map(String::as_str));
    let rows = lines.iter().map(|line| {
        let mut cells = vec![code(&line.schedule)];
        cells.extend(multiples.iter().map(|multiple| {
            let point = line.points.iter().find(|(m, _)| m == multiple);
            point.map_or_else(String::new, |&(_, value)| regret(value))
        }));
        cells
    });
    page.table(&head, rows);
}

fn workload_table(page: &mut Page, input: &ReportInput) {
    let lines = workload_lines(input);
    if lines.is_empty() {
        return;
    }
    page.heading(2, "Workloads");
    let first = input.leading().first().map_or("", |row| &row.schedule);
    let regret_of = format!("regret of {}:", code(first));
    let head = [
        "workload",
        "data",
        "best schedule",
        "its regret:",
        "its score:",
        &regret_of,
    ];
    let rows = lines.iter().map(|line| {
        vec![
            escaped(&line.workload),
            escaped(&line.cluster),
            code(&line.best),
            line.best_regret.clone(),
            line.score.clone(),
            line.regret.clone(),
        ]
    });
    page.table(&head, rows);
}

fn pair_table(page: &mut Page, input: &ReportInput) {
    let lines = pair_lines(input);
    let Some(control) = control(input) else { return };
    if lines.is_empty() {
        return;
    }
    let against = format!("against {}", code(control));
    let mut head = vec![against.as_str()];
    head.extend([
        "mean difference:",
        "95 % interval:",
        "p:",
        "p corrected:",
        "P better:",
        "P equal:",
        "P worse:",
    ]);
    let rows = lines.into_iter().map(|mut cells| {
        cells[0] = code(&cells[0]);
        cells.to_vec()
    });
    page.table(&head, rows);
}

fn find_table(page: &mut Page, finds: &[FindRow]) {
    if finds.is_empty() {
        return;
    }
    page.heading(2, "Learning rates found");
    let head = "workload|optimizer|steps:|learning rate:|evidence allows:|\
                outcome|rule|cost in steps:";
    let head: Vec<&str> = head.split('|').collect();
    let rows = finds.iter().map(|find| {
        vec![
            escaped(&find.workload),
            code(&find.optimizer),
            find.budget.to_string(),
            rate(find.lr),
            range(find),
            escaped(&find.outcome),
            escaped(&find.rule),
            find.cost_steps.to_string(),
        ]
    });
    page.table(&head, rows);
}

/// Markdown in the making: blocks, with an empty line between them.
#[derive(Default)]
struct Page {
    text: String,
    in_list: bool,
}

impl Page {
    fn block(&mut self, block: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text += block;
        self.text.push('\n');
        self.in_list = false;
    }

    fn heading(&mut self, level: usize, text: &str) {
        self.block(&format!("{} {text}", "#".repeat(level)));
    }

    fn item(&mut self, text: &str) {
        if self.in_list {
            // The blank line between blocks would make the list loose.
            self.text.pop();
        }
        self.block(&format!("- {text}"));
        self.in_list = true;
    }

    /// Text as it is, in a fence longer than any in it.
    fn fenced(&mut self, language: &str, text: &str) {
        let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(longest.max(2) + 1);
        let text = text.trim_end();
        self.block(&format!("{fence}{language}\n{text}\n{fence}"));
    }

    /// A table; a head that ends in `:` is of a column of numbers.
    fn table(
        &mut self,
        head: &[&str],
        rows: impl Iterator<Item = Vec<String>>,
    ) {
        let names: Vec<&str> =
            head.iter().map(|name| name.trim_end_matches(':')).collect();
        let rules: Vec<&str> = head
            .iter()
            .map(|name| if name.ends_with(':') { "---:" } else { "---" })
            .collect();
        let mut lines = vec![
            format!("| {} |", names.join(" | ")),
            format!("| {} |", rules.join(" | ")),
        ];
        lines.extend(rows.map(|cells| format!("| {} |", cells.join(" | "))));
        self.block(&lines.join("\n"));
    }
}

/// A sentence with its names as code.
fn prose(sentence: &str) -> String {
    pieces(sentence)
        .map(|(name, text)| if name { code(text) } else { escaped(text) })
        .collect()
}

/// `text` as code, on one line. In a table a bar would end the cell.
fn code(text: &str) -> String {
    if text.trim().is_empty() {
        return String::new();
    }
    quoted(text).replace('|', "\\|")
}

/// `text` as text, whatever Markdown would make of it.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' => {
                safe.push('\\');
                safe.push(c);
            }
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}
