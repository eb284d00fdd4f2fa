//! The pages and sentences of a report.

pub(super) mod samples;

use super::html::html;
use super::markdown::markdown;
use super::prose::{Prose, pieces};
use super::table::{choices, leaderboard, wrapped};
use super::{Basis, Findings};
use crate::record::Outcome;
use crate::results::rows::{FindRow, LeaderboardRow, Verdict};
use samples::{Plan, Spot, analysis, bare, full, full_of, full_score, plan};

const EVIL: &str = "<script>alert(1)</script>\"'`|*_\n&";

fn said(prose: &Prose) -> String {
    let parts = [
        std::slice::from_ref(&prose.headline),
        &prose.reasons,
        &prose.evidence,
        &prose.conditions,
        &prose.limits,
        &prose.notes,
    ];
    parts.concat().join("\n")
}

/// No number is none, and every tag that must be is closed.
fn is_sound(page: &str) {
    for word in ["NaN", ">inf", "inf<", " inf "] {
        assert!(!page.contains(word), "{word}");
    }
    for tag in ["section", "table", "tr", "code", "details", "svg", "figure"] {
        let open = page.matches(&format!("<{tag}>")).count()
            + page.matches(&format!("<{tag} ")).count();
        let closed = page.matches(&format!("</{tag}>")).count();
        assert_eq!(open, closed, "{tag}");
    }
}

/// On even sets the first, on odd ones the second is ahead, by `apart`.
fn alternating(first: &str, apart: f64, spot: Spot<'_>) -> f64 {
    let ahead = (spot.set.is_multiple_of(2)) == (spot.schedule == first);
    1.0 + spot.set as f64 + if ahead { 0.0 } else { apart }
}

#[test]
fn names_cannot_break_out_of_a_report() {
    let mut input = full_of(plan(EVIL, EVIL).runs(full_score));
    for find in &mut input.lr_finds {
        find.workload = EVIL.to_owned();
        find.outcome = EVIL.to_owned();
    }
    input.title = EVIL.to_owned();
    input.name = EVIL.to_owned();
    input.command = EVIL.to_owned();
    input.missing = vec![EVIL.to_owned()];
    input.environment = vec![(EVIL.to_owned(), EVIL.to_owned())];
    input.experiment_toml = "```\n</pre><script>".to_owned();
    let page = html(&input);
    is_sound(&page);
    assert!(!page.contains("<script"), "a script got in");
    assert!(page.contains("script-src") || page.contains("default-src 'none'"));
    let text = markdown(&input);
    // In Markdown a tag is harmless inside code only, and code ends with its
    // line here.
    for line in text.lines().take_while(|line| !line.starts_with("````")) {
        let line = line.replace("\\`", "");
        let outside: String = line.split('`').step_by(2).collect();
        assert!(!outside.contains('<'), "{line}");
        assert_eq!(line.matches('`').count() % 2, 0, "{line}");
    }
    assert!(text.contains("````toml\n```\n"), "a longer fence");
}

#[test]
fn the_page_needs_no_network_and_runs_nothing() {
    let page = html(&full());
    is_sound(&page);
    assert!(page.starts_with("<!DOCTYPE html>"));
    assert!(page.contains("content=\"default-src 'none'; "));
    for word in ["<script", "<link", "<img", "src=", "@import", "url("] {
        assert!(!page.contains(word), "{word}");
    }
    let addresses = page.matches("http").count();
    let namespaces = page.matches("xmlns=\"http://www.w3.org").count();
    assert_eq!(addresses - page.matches("http-equiv").count(), namespaces);
    assert!(page.contains("prefers-color-scheme: dark"));
    assert!(page.contains("width=device-width"));
}

#[test]
fn the_page_says_the_recommendation_first() {
    let page = html(&full());
    let headline = page.find("Use <code>cosine(warmup=5%)</code>.");
    let order = [
        headline,
        page.find("<h2>Leaderboard"),
        page.find("aria-label=\"Mean ranks of 8 schedules\""),
        page.find("<h2>Learning rates and budgets"),
        page.find("aria-label=\"Mean regret by multiple"),
        page.find("aria-label=\"Regret of 8 schedules on 10 workloads\""),
        page.find("<h2>Learning rates found"),
        page.find("aria-label=\"Range test, fashion-mlp"),
        page.find("<h2>Limits"),
        page.find("<h2>How it was made"),
        page.find("seeds = 3"),
    ];
    assert!(order.iter().all(Option::is_some), "{order:?}");
    assert!(order.is_sorted(), "{order:?}");
}

#[test]
fn markdown_has_the_tables_of_the_page() {
    let text = markdown(&full());
    is_sound(&text);
    // All rows of a table have the cells of its head.
    for table in text.split("\n\n").filter(|b| b.starts_with("| ")) {
        let cells = |line: &str| line.matches(" |").count();
        let head = table.lines().next().map(cells);
        assert!(table.lines().all(|l| Some(cells(l)) == head), "{table}");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn next_to_nothing_is_a_report() {
    // No budget, no multiple, one run.
    let mut runs = Plan::small(1, &["cosine"]).runs(|_| Some(1.0));
    runs.observations[0].budget = None;
    runs.observations[0].lr_multiple = None;
    let input = bare(analysis(&runs));
    is_sound(&html(&input));
    is_sound(&markdown(&input));
    let prose = input.prose();
    assert_eq!(
        prose.evidence,
        ["1 schedule, 1 workload, 1 seed: 1 run in all."]
    );
    assert_eq!(prose.conditions, [""; 0]);
    assert_eq!(leaderboard(&[]), "no schedules to rank\n");
}

#[test]
fn a_single_schedule_is_not_recommended_over_nothing() {
    let mut plan = Plan::small(3, &["cosine"]);
    plan.multiples = vec![0.5, 1.0];
    let input = bare(plan.analysis(|_| Some(1.0)));
    is_sound(&html(&input));
    let prose = input.prose();
    assert_eq!(
        prose.headline,
        "`cosine` is the only schedule here, so there is nothing to compare \
         it with."
    );
    assert_eq!(prose.reasons, ["No run diverged."]);
    assert_eq!(
        prose.conditions[0],
        "At half the learning rate found, `cosine` is the only schedule."
    );
    assert!(!html(&input).contains("class=\"answer decided\""));
}

#[test]
fn where_all_diverged_the_remedy_is_a_lower_rate() {
    let mut plan = Plan::small(3, &["cosine", "linear"]);
    plan.multiples = vec![1.0, 4.0];
    plan.seeds = 2;
    let input = bare(plan.analysis(|_| None));
    is_sound(&html(&input));
    is_sound(&markdown(&input));
    let prose = input.prose();
    insta::assert_snapshot!(said(&prose));
    assert!(!html(&input).contains("class=\"answer decided\""));
}

#[test]
fn every_verdict_has_its_sentence() {
    let prose = full().prose();
    assert!(prose.decided);
    insta::assert_snapshot!(prose.reasons.join("\n"));
    insta::assert_snapshot!(prose.evidence.join("\n"));
    insta::assert_snapshot!(prose.conditions.join("\n"));
    insta::assert_snapshot!(prose.limits.join("\n"));
    insta::assert_snapshot!(prose.notes.join("\n"));
}

#[test]
fn a_leader_that_chance_explains_is_not_recommended_in_words() {
    let plan = Plan::small(8, &["cosine", "linear"]);
    // Ahead by more, where it is ahead.
    let apart = |spot: Spot<'_>| {
        let behind = 0.001 * f64::from(u8::from(spot.set == 7));
        alternating("cosine", 0.3 + behind, spot)
    };
    let input = bare(plan.analysis(|spot| Some(apart(spot))));
    assert_eq!(
        input.prose().headline,
        "`cosine` ranks first, but all differences here may be due to chance."
    );
    assert!(!html(&input).contains("class=\"answer decided\""));
    // Shown to be equal is not the same as not shown to differ.
    let near = |spot: Spot<'_>| Some(alternating("cosine", 1e-4, spot));
    let input = bare(plan.analysis(near));
    assert_eq!(input.prose().headline, "Use `cosine`.");
    assert!(html(&input).contains("class=\"answer decided\""));
}

#[test]
fn a_lead_that_chance_explains_is_named_although_another_is_dominated() {
    let plan = Plan::small(10, &["cosine", "linear", "constant"]);
    let score = |spot: Spot<'_>| match spot.schedule {
        "constant" => 3.0 * (1.0 + spot.set as f64),
        _ => alternating("cosine", 0.3, spot),
    };
    let input = bare(plan.analysis(|spot| Some(score(spot))));
    assert_eq!(
        input.prose().headline,
        "Use `cosine`: it ranks first, but its lead over the control `linear` \
         may be due to chance."
    );
    assert!(!html(&input).contains("class=\"answer decided\""));
    let clear = |spot: Spot<'_>| {
        let own = if spot.schedule == "cosine" { 0.5 } else { 1.0 };
        own * score(spot)
    };
    let input = bare(plan.analysis(|spot| Some(clear(spot))));
    assert_eq!(input.prose().headline, "Use `cosine`.");
    assert!(html(&input).contains("class=\"answer decided\""));
}

#[test]
fn headlines_and_verdicts_have_one_threshold_of_equality() {
    // Three of 18 differences outside the region of practical equivalence
    // leave a probability between the 0.9 of the verdicts and 0.95.
    let plan = Plan::small(18, &["cosine", "copy", "linear"]);
    let score = |spot: Spot<'_>| {
        let sign = if spot.set.is_multiple_of(2) { 1.0 } else { -1.0 };
        let behind = match (spot.schedule, spot.set) {
            ("cosine", _) => 0.0,
            (_, 0..3) => 0.02,
            _ => 0.0001 * sign,
        };
        Some((1.0 + spot.set as f64) * f64::exp(behind))
    };
    let analysis = plan.analysis(score);
    let rows = analysis.leading().leaderboard();
    let of = |name: &str| rows.iter().find(|row| row.schedule == name);
    let p = of("linear").and_then(|row| row.p_equivalent).expect("compared");
    assert!((0.905..0.945).contains(&p), "{p} is not between");
    let verdict = of("copy").map(|row| row.verdict);
    assert_eq!(verdict, Some(Verdict::Equivalent));
    assert_eq!(bare(analysis).prose().headline, "Use `cosine`.");
}

#[test]
fn too_few_workloads_for_a_test_are_named() {
    let plan = Plan::small(2, &["cosine", "linear"]);
    let score = |spot: Spot<'_>| {
        Some(if spot.schedule == "cosine" { 1.0 } else { 2.0 })
    };
    insta::assert_snapshot!(said(&bare(plan.analysis(score)).prose()));
}

#[test]
fn the_best_schedule_may_depend_on_rate_and_budget() {
    let mut plan = Plan::small(8, &["a", "linear"]);
    plan.budgets = vec![250, 1000];
    plan.multiples = vec![0.5, 4.0];
    let score = |spot: Spot<'_>| {
        let own = match (spot.schedule, spot.budget, spot.multiple) {
            ("a", 250, 0.5) => 0.02,
            ("a", 1000, 4.0) => 0.04,
            ("a", _, 4.0) => 0.03,
            ("linear", 250, 0.5) => 0.025,
            ("linear", 1000, 0.5) => 0.08,
            _ => 0.001,
        };
        Some((1.0 + spot.set as f64) * f64::exp(own + 0.0001 * spot.set as f64))
    };
    insta::assert_snapshot!(
        bare(plan.analysis(score)).prose().conditions.join("\n")
    );
}

#[test]
fn one_schedule_may_be_best_everywhere() {
    let mut plan = Plan::small(8, &["a", "linear"]);
    plan.budgets = vec![250, 1000];
    plan.multiples = vec![0.25, 1.0, 4.0];
    let score = |spot: Spot<'_>| {
        let own = if spot.schedule == "a" { 1.0 } else { 1.2 };
        Some(own * (1.0 + spot.set as f64) * f64::exp(spot.multiple / 10.0))
    };
    insta::assert_snapshot!(
        bare(plan.analysis(score)).prose().conditions.join("\n")
    );
}

#[test]
fn the_tuned_board_has_a_sentence_of_its_own() {
    let mut plan = Plan::small(8, &["a", "linear", "z"]);
    plan.multiples = vec![0.5, 1.0];
    plan.seeds = 4;
    let score = |spot: Spot<'_>| {
        let own = [("a", 1.0), ("linear", 1.2), ("z", 3.0)];
        let own = own.iter().find(|(name, _)| *name == spot.schedule);
        Some(own?.1 * (1.0 + spot.set as f64 + 0.01 * spot.seed as f64))
    };
    let mut runs = plan.runs(score);
    runs.tests = runs.observations.clone();
    let said = bare(analysis(&runs)).prose().conditions;
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn the_board_at_the_rate_found_leads() {
    let input = full();
    assert_eq!(input.prose().headline, "Use `cosine(warmup=5%)`.");
    for page in [html(&input), markdown(&input)] {
        assert!(page.contains("Leaderboard at the learning rate found"));
        assert!(page.contains("all budgets and learning rates together"));
    }
}

#[test]
fn stopped_schedules_are_marked_and_attainable_p_is_said() {
    let mut plan = plan("cosine(warmup=5%)", "");
    plan.workloads.truncate(9);
    let mut runs = plan.runs(full_score);
    for run in &mut runs.observations {
        if run.schedule == "constant" && run.seed == 2 {
            (run.outcome, run.score) = (Outcome::Stopped, None);
        }
    }
    let prose = full_of(runs).prose();
    insta::assert_snapshot!(said(&prose));
}

#[test]
fn runs_without_a_result_given_rates_and_points_never_reached_are_told() {
    let mut plan = Plan::small(8, &["a", "linear"]);
    plan.seeds = 3;
    let score = |spot: Spot<'_>| Some(1.0 + spot.set as f64);
    let mut runs = plan.runs(score);
    runs.observations[0].outcome = Outcome::Failed;
    let mut input = bare(analysis(&runs));
    input.lr_finds = full().lr_finds;
    input.lr_finds[0].outcome = "given".to_owned();
    let late = "{ kind = \"step\", milestones = [600, 900] }";
    input.schedules = vec![crate::grid::parse_schedule(late).expect("valid")];
    let prose = input.prose();
    insta::assert_snapshot!(said(&prose));
    for page in [html(&input), markdown(&input)] {
        is_sound(&page);
        assert!(page.contains("failed"), "{page}");
    }
}

#[test]
fn the_limits_name_the_budgets_and_the_rates_in_doubt() {
    let mut input = full();
    for outcome in ["too-noisy", "no-descent", "too-noisy"] {
        input.lr_finds.push(FindRow {
            outcome: outcome.to_owned(),
            ..input.lr_finds[0].clone()
        });
    }
    insta::assert_snapshot!(input.prose().limits.join("\n"));
    is_sound(&html(&input));
}

#[test]
fn a_sentence_is_text_and_names_in_turn() {
    let all: Vec<_> = pieces("`a` and `b`.").collect();
    assert_eq!(all, [(true, "a"), (false, " and "), (true, "b"), (false, ".")]);
}

#[test]
fn the_best_schedule_of_each_workload_has_the_lowest_mean_regret() {
    // `a` is best at one budget, `linear` at the other and by more; on `w01`
    // they tie, on `w02` everything diverged.
    let mut plan = Plan::small(3, &["a", "linear"]);
    plan.budgets = vec![100, 200];
    let score = |spot: Spot<'_>| match (spot.set, spot.schedule, spot.budget) {
        (2, ..) => None,
        (0, "a", 100) | (1, ..) => Some(1.0),
        (0, "a", _) => Some(1.3),
        (_, _, 100) => Some(1.1),
        _ => Some(1.0),
    };
    let lines = super::board::workload_lines(&bare(plan.analysis(score)));
    let best: Vec<&str> = lines.iter().map(|line| &*line.best).collect();
    assert_eq!(best, ["linear", "a, linear", "–"]);
    assert_eq!(lines[0].best_regret, "0.048");
}

fn board() -> Vec<LeaderboardRow> {
    full().analysis.leading().leaderboard().to_vec()
}

#[test]
fn the_terminal_table_is_aligned_and_narrow() {
    let mut rows = board();
    insta::assert_snapshot!(leaderboard(&rows));
    rows[0].schedule = format!("cosine({})\n", "x".repeat(200));
    rows[7].mean_regret = f64::NAN;
    rows[7].diverged = 405;
    let text = leaderboard(&rows);
    assert_eq!(text.lines().count(), 1 + rows.len(), "{text}");
    for line in text.lines() {
        assert!(line.chars().count() <= 100, "{line}");
        assert!(!line.contains('\u{1b}'), "no colours");
    }
    let last: Vec<&str> =
        text.lines().filter_map(|l| l.split_whitespace().last()).collect();
    assert_eq!(last[0], "verdict");
    assert_eq!(last[1], "recommended");
    assert_eq!(last[8], "dominated");
    let ends = |line: &str, word: &str| {
        line.find(word).map(|at| line[..at + word.len()].chars().count())
    };
    let lines: Vec<&str> = text.lines().collect();
    let rank = |row: usize| format!("{:.2}", rows[row].mean_rank);
    assert_eq!(ends(lines[0], "rank"), ends(lines[1], &rank(0)), "{text}");
    assert_eq!(ends(lines[0], "rank"), ends(lines[8], &rank(7)), "{text}");
}

#[test]
fn the_table_of_choices_is_narrow_whatever_the_names_and_numbers() {
    let names = [&"x".repeat(200), "a\u{1b}[31m\n", "linear"];
    let plan = Plan::small(9, &names);
    let score = |spot: Spot<'_>| {
        let wide = if spot.schedule == "linear" { 1e5 } else { -1e5 };
        Some(wide * (1.0 + (spot.set as f64).sin()))
    };
    let analysis = plan.analysis(score);
    let basis = Basis { optimizers: &[], sizes: &[], finds: &[] };
    let text = choices(&Findings::new(&analysis, &basis).leading);
    assert_eq!(text.lines().count(), 2 + names.len(), "{text}");
    for line in text.lines() {
        assert!(line.chars().count() <= 100, "{line}");
        assert!(!line.contains('\u{1b}'), "no colours");
    }
}

#[test]
fn lines_are_wrapped_between_words_and_not_in_names() {
    let name = format!("`{} b`", "a".repeat(60));
    let text = wrapped(&format!("{name} {name}, and {name}."));
    assert_eq!(text, format!("{name}\n{name}, and\n{name}.\n"));
    assert_eq!(wrapped("one two"), "one two\n");
}
