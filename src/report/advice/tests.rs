use super::*;
use crate::ranking::Analysis;
use crate::record::Outcome;
use crate::report::Basis;
use crate::report::findings::Findings;
use crate::report::tests::samples::{Plan, Spot, full};
use serde_json::Value;

fn findings(analysis: &Analysis) -> Findings {
    let basis =
        Basis { optimizers: &["adamw(beta=1)"], sizes: &[], finds: &[] };
    Findings::new(analysis, &basis)
}

/// All that the advice says, as JSON text.
fn told(findings: &Findings) -> String {
    serde_json::to_string(&Advice::new(findings)).expect("JSON")
}

/// `best` is ahead of everything; `mixed` is about as good as the control
/// `linear`.
fn clear(set: usize, schedule: &str) -> f64 {
    let sign = if set.is_multiple_of(2) { 1.0 } else { -1.0 };
    let set = set as f64;
    let own = match schedule {
        "best" => 0.8 - 0.001 * set,
        "mixed" => 1.0 + 0.01 * sign,
        _ => 1.0,
    };
    own * (1.0 + set)
}

fn analysis(
    sets: usize,
    schedules: &[&str],
    score: impl Fn(usize, &str) -> f64,
) -> Analysis {
    let plan = Plan::small(sets, schedules);
    plan.analysis(|spot| Some(score(spot.set, spot.schedule)))
}

#[test]
fn what_is_worse_than_the_best_but_not_than_the_control_says_so() {
    let analysis = analysis(16, &["best", "linear", "mixed"], clear);
    let findings = findings(&analysis);
    let advice = Advice::new(&findings);
    let [mixed] = advice.undecided.as_slice() else { panic!("{advice:?}") };
    let meaning = &mixed.evidence[1];
    assert!(
        meaning.contains(
            "It is significantly worse than `best` (p < 0.001 after \
             correction over all pairs), but was not shown to be worse than \
             the control `linear`."
        ),
        "{meaning}"
    );
    assert_eq!(mixed.wanted, None, "nothing more is wanted to tell them");
}

#[test]
fn a_control_that_another_beats_says_so() {
    // `a` is ahead of the control on 12 of 16 data sets, by a place; on the
    // others it is behind everything, by little.
    let names = ["a", "b", "c", "d", "linear"];
    let score = |set: usize, schedule: &str| {
        let at = set as f64;
        match schedule {
            "linear" => 1.0,
            "a" if set.is_multiple_of(4) => 1.0 + 0.001 * (1.0 + at),
            "a" => 0.9 - 0.01 * at,
            "b" => 1.0001,
            "c" => 1.0002,
            _ => 1.0003,
        }
    };
    let analysis = analysis(16, &names, score);
    assert_eq!(analysis.leading().recommended(), Some("linear"));
    let text = told(&findings(&analysis));
    let said = "It is the control, but the signed-rank test shows that `a` is \
                better.";
    assert!(text.contains(said), "{text}");
}

#[test]
fn what_it_takes_is_more_than_there_is() {
    // Seven large wins and three small losses: Student's test would need no
    // more data sets than these, the signed-rank test does.
    let score = |set: usize, schedule: &str| match schedule {
        "a" if set < 7 => 0.7 + 0.01 * set as f64,
        "a" => 1.2 + 0.1 * set as f64,
        _ => 1.0,
    };
    for sets in [8, 10] {
        let analysis = analysis(sets, &["a", "linear"], score);
        for name in ["a", "linear"] {
            let wanted = analysis.leading().clusters_wanted(name);
            assert!(wanted.is_none_or(|w| w > sets), "{wanted:?}");
        }
    }
}

#[test]
fn few_data_sets_are_too_few_whatever_the_probability() {
    let score = |set: usize, schedule: &str| {
        (1.0 + set as f64) * if schedule == "linear" { 1.001 } else { 1.0 }
    };
    let text = told(&findings(&analysis(4, &["a", "b", "linear"], score)));
    for said in [
        "With 4 data sets it can be shown neither to be worse nor to be as \
         good.",
        "With 4 workloads, no schedule can be shown to be worse at a level of \
         0.05",
        "That takes 7 workloads.",
        "trained with `adamw`, with a budget of 100 steps, at the learning \
         rate found.",
        "other optimizers",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
}

#[test]
fn one_data_set_shows_nothing_about_others() {
    let mut plan = Plan::small(1, &["a", "b", "linear"]);
    plan.seeds = 5;
    let score = |spot: Spot<'_>| {
        let own = if spot.schedule == "linear" { 1.2 } else { 1.0 };
        let b = if spot.schedule == "b" { 0.01 } else { 0.0 };
        Some(own + b + 0.001 * (spot.seed as f64 * 7.3).sin() * own)
    };
    let analysis = plan.analysis(score);
    let findings = findings(&analysis);
    let wanted = Advice::new(&findings).undecided[0].wanted.clone();
    insta::assert_snapshot!(wanted.expect("undecided"));
}

#[test]
fn advice_by_rate_says_what_the_lead_is_worth() {
    let mut plan = Plan::small(12, &["best", "constant", "linear", "mixed"]);
    plan.multiples = vec![0.25, 1.0, 4.0];
    let score = |spot: Spot<'_>| {
        let base = 1.0 + spot.set as f64;
        let own = clear(spot.set, spot.schedule);
        Some(match (spot.multiple, spot.schedule) {
            (1.0, "best") => clear(spot.set, "mixed") - 0.001,
            (1.0, "mixed") => base + 2.0,
            (4.0, "best" | "mixed") | (_, "constant") => base + 3.0,
            _ => own,
        })
    };
    let analysis = plan.analysis(score);
    let findings = findings(&analysis);
    let advice = Advice::new(&findings);
    let sentences: Vec<&str> =
        advice.rates.iter().map(|rate| rate.sentence.as_str()).collect();
    insta::assert_snapshot!(sentences.join("\n"));
    let text = told(&findings);
    for said in [
        "`best` has the best mean rank, 1.00 among 4 schedules",
        "It beats the control `linear` in 100 % of the paired runs",
        "It is the control, and no other schedule was shown to be better.",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
}

#[test]
fn a_stopped_schedule_has_the_evidence_of_the_race() {
    let mut plan = Plan::small(10, &["a", "bad", "linear"]);
    plan.seeds = 6;
    let score = |spot: Spot<'_>| {
        let own = [("a", 0.9), ("bad", 2.0), ("linear", 1.0)];
        let own = own.iter().find(|(name, _)| *name == spot.schedule)?.1;
        let noise = (spot.seed as f64 * 7.3 + spot.set as f64).sin();
        Some((1.0 + spot.set as f64) * (own + 0.001 * noise))
    };
    let mut runs = plan.runs(score);
    for run in &mut runs.observations {
        if run.schedule == "bad" && run.seed >= 4 {
            (run.outcome, run.score) = (Outcome::Stopped, None);
        }
    }
    let analysis = crate::report::tests::samples::analysis(&runs);
    let findings = findings(&analysis);
    let bad = &Advice::new(&findings).dominated[0];
    assert_eq!(bad.choice.row.schedule, "bad");
    insta::assert_snapshot!(bad.evidence.join("\n"));
}

#[test]
fn the_advice_in_json_has_every_number_and_every_sentence() {
    let analysis = full().analysis;
    let findings = findings(&analysis);
    let json: Value = serde_json::from_str(&told(&findings)).expect("JSON");
    let best = &json["recommended"];
    let row = &analysis.leading().leaderboard()[0];
    assert_eq!(best["schedule"], row.schedule.as_str());
    assert_eq!(best["mean_regret"], row.mean_regret);
    assert_eq!(best["against_control"]["b"], "linear");
    assert_eq!(best["evidence"].as_array().map(Vec::len), Some(2));
    assert_eq!(json["findings"]["size"]["runs"], 1440);
    let group = |key: &str| json[key].as_array().map(Vec::len);
    let groups = ["equivalent", "undecided", "dominated", "rates"];
    assert_eq!(groups.map(group), [Some(1), Some(2), Some(3), Some(3)]);
    assert!(json["undecided"][0]["wanted"].is_string());
    for key in ["headline", "control", "any_rate"] {
        assert!(json[key].is_string(), "{key}");
    }
    for key in ["regime", "notes"] {
        assert!(json[key].as_array().is_some_and(|list| !list.is_empty()));
    }
    let rate = &json["rates"][0];
    assert_eq!(rate["lr_multiple"], 0.25);
    assert_eq!(rate["schedules"].as_array().map(Vec::len), Some(8));
    for key in ["recommended", "sentence"] {
        assert!(rate[key].is_string(), "{key}");
    }
}

#[test]
fn the_text_is_a_sentence_a_table_and_the_limits() {
    let analysis = full().analysis;
    let text = Advice::new(&findings(&analysis)).text();
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    insta::assert_snapshot!(text);
}
