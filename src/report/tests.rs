use super::html::html;
use super::markdown::markdown;
use super::samples::{full, row};
use super::table::leaderboard;
use super::words::{Words, pieces, words};
use super::{LrFindRow, ReportInput};
use crate::results::rows::{LeaderboardRow, Verdict};
use crate::text::count;

const EVIL: &str = "<script>alert(1)</script>\"'`|*_\n&";

fn of(rows: Vec<LeaderboardRow>) -> ReportInput {
    ReportInput {
        name: "grid".to_owned(),
        title: "A title".to_owned(),
        boards: vec![("leaderboard".to_owned(), rows)],
        ..ReportInput::default()
    }
}

fn said(words: &Words) -> String {
    let parts = [
        std::slice::from_ref(&words.headline),
        &words.reasons,
        &words.evidence,
        &words.conditions,
        &words.limits,
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

#[test]
fn names_cannot_break_out_of_a_report() {
    let mut input = full();
    for (_, rows) in &mut input.boards {
        rows[0].schedule = EVIL.to_owned();
    }
    for row in &mut input.workloads {
        row.workload = format!("{EVIL}{}", row.workload);
        row.cluster = EVIL.to_owned();
    }
    for find in &mut input.lr_finds {
        find.workload = EVIL.to_owned();
        find.outcome = EVIL.to_owned();
    }
    input.title = EVIL.to_owned();
    input.name = EVIL.to_owned();
    input.command = EVIL.to_owned();
    input.notes = vec![EVIL.to_owned()];
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
        page.find("aria-label=\"Regret of 8 schedules on 9 workloads\""),
        page.find("<h2>Learning rates found"),
        page.find("aria-label=\"Range test, fashion-mlp"),
        page.find("<h2>What this may not be used for"),
        page.find("<h2>How it was made"),
        page.find("seeds = 5"),
    ];
    assert!(order.iter().all(Option::is_some), "{order:?}");
    assert!(order.is_sorted(), "{order:?}");
}

#[test]
fn markdown_has_the_tables_of_the_page() {
    let text = markdown(&full());
    is_sound(&text);
    assert!(text.starts_with(
        "# Which schedule generalizes best at small scale?\n\n\
         **Use `cosine(warmup=5%)`.**\n"
    ));
    assert!(text.contains(
        "| 8 | `constant` | dominated | 7.70 | 0.114 | 0.080 | 0.160 | 72 % \
         | 0.012 | 40 % | 3 of 405 |"
    ));
    assert!(text.contains("### 250 steps, 0.25 times the learning rate"));
    assert!(text.contains("| mean regret at | 0.25 x | 1 x | 4 x |"));
    assert!(text.contains("| fashion-cnn | fashion | `linear(warmup=5%)` |"));
    assert!(text.contains("```toml\nseeds = 5\n"));
    // All rows of a table have the cells of its head.
    for table in text.split("\n\n").filter(|b| b.starts_with("| ")) {
        let cells = |line: &str| line.matches(" |").count();
        let head = table.lines().next().map(cells);
        assert!(table.lines().all(|l| Some(cells(l)) == head), "{table}");
    }
}

#[test]
fn nothing_at_all_is_a_report() {
    for input in [ReportInput::default(), of(vec![])] {
        is_sound(&html(&input));
        is_sound(&markdown(&input));
        let words = words(&input);
        assert_eq!(words.headline, "There are no results to compare.");
    }
    assert_eq!(leaderboard(&[]), "no schedules to rank\n");
}

#[test]
fn a_single_schedule_is_not_recommended_over_nothing() {
    let input = of(vec![row("cosine", 1.0, 0.0, Verdict::Control)]);
    is_sound(&html(&input));
    let words = words(&input);
    assert_eq!(
        words.headline,
        "`cosine` is the only schedule here, so there is nothing to compare \
         it with."
    );
    assert_eq!(words.reasons, ["No run diverged."]);
}

#[test]
fn where_all_diverged_the_remedy_is_a_lower_rate() {
    let rows = ["cosine", "linear"].map(|name| LeaderboardRow {
        diverged: 90,
        regret_low: f64::NAN,
        regret_high: f64::NAN,
        win_rate_vs_control: None,
        p_holm: None,
        ..row(name, 1.5, f64::NAN, Verdict::Undecided)
    });
    let mut input = of(rows.to_vec());
    for multiple in ["1", "4"] {
        let stem = format!("leaderboard-250-{multiple}");
        input.boards.push((stem, rows.to_vec()));
    }
    is_sound(&html(&input));
    is_sound(&markdown(&input));
    let words = words(&input);
    assert!(words.headline.starts_with("Every run diverged"));
    let said = said(&words);
    assert!(said.contains("`cosine` in 90 of 90 runs"), "{said}");
    assert!(said.contains("At 4 times the learning rate found no schedule"));
    assert!(!said.contains("has the lowest"), "{said}");
    assert!(!said.contains("If you do not trust"), "{said}");
}

#[test]
fn every_verdict_has_its_sentence() {
    let words = words(&full());
    assert_eq!(words.headline, "Use `cosine(warmup=5%)`.");
    assert_eq!(
        words.reasons,
        [
            "`cosine(warmup=5%)` has the best mean rank, 2.00 among 8 \
             schedules, and falls behind the best schedule of each workload \
             by 0.004 on average (95 % interval 0.003 to 0.006).",
            "It beats the control `linear` in 72 % of the paired runs (p = \
             0.012, corrected for all comparisons); with a probability of 93 \
             % it is better by more than 0.005, with 5 % they differ by \
             less.",
            "`linear(warmup=5%)` is as good for practical purposes: take \
             whichever is at hand.",
            "`wsd(cooldown=20%)` and `one-cycle` are undecided: these \
             results show neither that they are worse than `linear` nor that \
             they are as good as the best.",
            "`step(at=50%, factor=0.1)`, `inverse-sqrt` and `constant` are \
             worse than `linear`, more clearly than chance explains: do not \
             try them.",
            "Diverged: `constant` in 3 of 405 runs. A diverged run counts as \
             worse than any other.",
        ]
    );
    assert_eq!(
        words.evidence[0],
        "8 schedules on 9 workloads over 8 data sets, 3 budgets, 3 multiples \
         of the learning rate found, 5 seeds: 3240 runs in all."
    );
}

#[test]
fn without_a_recommendation_the_report_says_so() {
    let input = of(vec![
        row("cosine", 1.4, 0.01, Verdict::Undecided),
        row("linear", 1.6, 0.02, Verdict::Control),
    ]);
    let words = words(&input);
    assert_eq!(words.headline, "The evidence does not single out a schedule.");
    assert!(words.reasons[0].starts_with("`cosine` has the best mean rank"));
    assert!(words.reasons[2].starts_with("`cosine` is undecided"));
    assert!(!html(&input).contains("class=\"answer decided\""));
}

#[test]
fn a_leader_that_chance_explains_is_not_recommended_in_words() {
    let row = |name, rank, verdict| LeaderboardRow {
        p_holm: Some(0.3),
        ..row(name, rank, 0.01, verdict)
    };
    let mut input = of(vec![
        row("cosine", 1.4, Verdict::Recommended),
        row("linear", 1.6, Verdict::Control),
    ]);
    assert_eq!(
        words(&input).headline,
        "`cosine` is ahead, but chance may be all of every difference here."
    );
    assert!(!html(&input).contains("class=\"answer decided\""));
    // Shown to be equal is not the same as not shown to differ.
    input.boards[0].1[1].p_equivalent = Some(0.99);
    assert_eq!(words(&input).headline, "Use `cosine`.");
    assert!(html(&input).contains("class=\"answer decided\""));
}

#[test]
fn a_lead_that_chance_explains_is_named_although_another_is_dominated() {
    let row = |name, rank, p: Option<f64>, verdict| LeaderboardRow {
        p_holm: p,
        p_equivalent: Some(0.2),
        ..row(name, rank, 0.01, verdict)
    };
    let mut input = of(vec![
        row("cosine", 1.4, Some(0.6), Verdict::Recommended),
        row("linear", 1.6, None, Verdict::Control),
        row("constant", 3.0, Some(0.01), Verdict::Dominated),
    ]);
    assert_eq!(
        words(&input).headline,
        "Use `cosine`: it is ahead, though chance may be all of its lead over \
         the control `linear`."
    );
    assert!(!html(&input).contains("class=\"answer decided\""));
    input.boards[0].1[0].p_holm = Some(0.02);
    assert_eq!(words(&input).headline, "Use `cosine`.");
    assert!(html(&input).contains("class=\"answer decided\""));
}

#[test]
fn too_few_workloads_for_a_test_are_named() {
    let few = LeaderboardRow {
        p_holm: None,
        ..row("cosine", 1.0, 0.0, Verdict::Undecided)
    };
    let input = of(vec![few, row("linear", 2.0, 0.1, Verdict::Control)]);
    let said = said(&words(&input));
    assert!(said.contains("too few workloads for a test"), "{said}");
}

#[test]
fn the_best_schedule_may_depend_on_rate_and_budget() {
    let board = |stem: &str, a: f64, b: f64| {
        let rows = vec![
            row("a", 1.0, a, Verdict::Recommended),
            row("b", 2.0, b, Verdict::Control),
        ];
        (stem.to_owned(), rows)
    };
    let mut input = of(vec![]);
    input.boards = vec![
        board("leaderboard", 0.02, 0.05),
        board("leaderboard-1000-4", 0.04, 0.01),
        board("leaderboard-250-4", 0.03, 0.0),
        board("leaderboard-1000-0.5", 0.0, 0.08),
        board("leaderboard-250-0.5", 0.02, 0.01),
    ];
    assert_eq!(
        words(&input).conditions,
        [
            "At 0.5 times the learning rate found `a` has the lowest mean \
             regret, 0.010.",
            "At 4 times the learning rate found `b` has the lowest mean \
             regret, 0.005.",
            "If you do not trust your learning rate, take `a`: from 0.5 to 4 \
             times the learning rate found, its mean regret is 0.035 at \
             most.",
            "The lowest mean regret has `b` with 250 steps, `a` with 1000 \
             steps; no test says that the budget is why.",
        ]
    );
}

#[test]
fn one_schedule_may_be_best_everywhere() {
    assert_eq!(
        words(&full()).conditions,
        [
            "`cosine(warmup=5%)` has the lowest mean regret at every \
             learning rate, from 0.25 to 4 times the learning rate found.",
            "If you do not trust your learning rate, take \
             `wsd(cooldown=20%)`: against the best schedule at its best rate \
             it loses least over the rates within four times of the one \
             found, 0.031 on average and 0.074 at 4 times the learning rate \
             found.",
            "`cosine(warmup=5%)` has the lowest mean regret at every budget, \
             from 250 to 4000 steps.",
            "The convex bound of a schedule, which needs no training, goes \
             with its mean rank by Spearman's correlation: 0.81 with 1000 \
             steps at the learning rate found.",
        ]
    );
}

#[test]
fn the_tuned_board_has_a_sentence_of_its_own() {
    let mut input = full();
    let rows = vec![
        row("a", 1.2, 0.01, Verdict::Recommended),
        row("b", 2.9, 0.4, Verdict::Dominated),
    ];
    input.boards.push(("leaderboard-tuned".to_owned(), rows));
    let sentence = "With the multiple tuned for every schedule, on the \
                    validation loss of even seeds, `a` has the best mean rank \
                    on the test loss of the odd ones; `b` is still worse than \
                    the control.";
    let said = words(&input).conditions;
    assert!(said.iter().any(|s| s == sentence), "{said:?}");
}

#[test]
fn the_board_at_the_rate_found_leads() {
    let mut input = full();
    let mut rows = vec![
        row("a", 1.2, 0.01, Verdict::Recommended),
        row("linear", 2.9, 0.4, Verdict::Control),
    ];
    rows[1].p_holm = Some(0.01);
    input.boards.push(("leaderboard-found".to_owned(), rows));
    let words = words(&input);
    assert_eq!(words.headline, "Use `a`.");
    let standing = "At the learning rate found, `a` has the best mean rank";
    assert!(words.reasons[0].starts_with(standing), "{:?}", words.reasons);
    let diverged = "Diverged, at all learning rates together: ";
    let last = words.reasons.last().expect("reasons");
    assert!(last.starts_with(diverged), "{last}");
    // What there is in all is still said of all runs.
    assert!(words.evidence[0].starts_with("8 schedules"), "{words:?}");
    for page in [html(&input), markdown(&input)] {
        assert!(page.contains("Leaderboard at the learning rate found"));
        assert!(page.contains("all budgets and learning rates together"));
    }
}

#[test]
fn stopped_schedules_are_marked_and_attainable_p_is_said() {
    let mut input = full();
    input.boards[0].1[7].runs = 36;
    let words = words(&input);
    let all = count(input.boards[0].1[0].runs, "run", "runs");
    let stopped = format!(
        "The race stopped `constant` after 36 of {all}; they rank behind \
         those that went on."
    );
    assert!(words.reasons.contains(&stopped), "{:?}", words.reasons);
    let power = "With 8 data sets and 8 schedules the smallest attainable p \
                 is 0.055 after correction: no schedule can be shown to be \
                 worse, for that takes 9.";
    assert!(words.evidence.iter().any(|s| s == power), "{words:?}");
    let sizes = "Its models have 2000 to 18000 parameters, its data sets 1500 \
                 training examples, seen for 10.7 to 171 epochs.";
    assert!(words.limits.iter().any(|s| s == sizes), "{words:?}");
}

#[test]
fn the_limits_name_the_budgets_and_the_rates_in_doubt() {
    let mut input = full();
    for outcome in ["too-noisy", "no-descent", "too-noisy"] {
        input.lr_finds.push(LrFindRow {
            lr: None,
            low: None,
            high: None,
            outcome: outcome.to_owned(),
            ..input.lr_finds[0].clone()
        });
    }
    let said = words(&input).limits.join("\n");
    assert!(said.contains("the budgets of 250 to 4000 steps"), "{said}");
    assert!(
        said.contains(
            "The range test did not settle 3 of 12 learning rates: it ended \
             in `no-descent` and `too-noisy`."
        ),
        "{said}"
    );
    is_sound(&html(&input));
}

#[test]
fn a_sentence_is_text_and_names_in_turn() {
    let all: Vec<_> = pieces("`a` and `b`.").collect();
    assert_eq!(all, [(true, "a"), (false, " and "), (true, "b"), (false, ".")]);
}

#[test]
fn the_terminal_table_is_aligned_and_narrow() {
    let mut rows = full().boards[0].1.clone();
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
    assert_eq!(ends(lines[0], "rank"), ends(lines[1], "2.00"), "{text}");
    assert_eq!(ends(lines[0], "rank"), ends(lines[8], "7.70"), "{text}");
}
