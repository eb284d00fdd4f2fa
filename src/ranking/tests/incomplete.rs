//! Runs that show nothing, workloads that lack a schedule, scores whose
//! direction is not known.

use super::*;
use crate::stats::skillings_mack::{Method, skillings_mack};

const NAMES: [&str; 4] = ["best", "linear", "other", "worst"];

/// Ten workloads, four schedules in the order of their names, five seeds.
fn study(noise: &mut Noise) -> Vec<Observation> {
    let mut runs = vec![];
    for w in 0..10 {
        let level = 1.0 + noise.next();
        for (s, name) in (0_u32..).zip(NAMES) {
            for seed in 0..5 {
                let own = 1.0 + 0.1 * f64::from(s) + 0.01 * noise.normal();
                runs.push(run(&format!("w{w}"), name, seed, Some(level * own)));
            }
        }
    }
    runs
}

fn allowing() -> Protocol {
    Protocol { allow_missing: true, ..Protocol::default() }
}

fn row<'a>(ranking: &'a Ranking, schedule: &str) -> &'a LeaderboardRow {
    let mut rows = ranking.leaderboard().iter();
    rows.find(|row| row.schedule == schedule).expect("a row")
}

fn noted(ranking: &Ranking, text: &str) -> bool {
    ranking.notes().iter().any(|note| note.contains(text))
}

#[test]
fn crashes_at_random_cost_no_rank() {
    let mut noise = Noise(31);
    for _ in 0..20 {
        let mut runs = study(&mut noise);
        let mut crashes = 0;
        for run in runs.iter_mut().filter(|run| run.schedule == "best") {
            if noise.next() < 0.3 {
                // With the score that it had last, or none.
                run.outcome = Outcome::Failed;
                run.score = run.score.filter(|_| run.seed % 2 == 0);
                crashes += 1;
            }
        }
        let ranking = quick(&runs, &Protocol::default());
        let best = row(&ranking, "best");
        assert_eq!((best.place, best.mean_rank), (1, 1.0));
        assert_eq!((best.diverged, best.failed), (0, crashes));
        assert_eq!(best.verdict, Verdict::Recommended);
        assert_eq!(row(&ranking, "worst").verdict, Verdict::Dominated);
        assert_eq!(json(&ranking)["failed"]["best"], crashes);
        let told = format!("`best` {crashes} failed, of 50 runs");
        assert!(noted(&ranking, &told), "{:?}", ranking.notes());
    }
}

#[test]
fn runs_that_show_nothing_are_as_good_as_not_there() {
    let mut noise = Noise(37);
    let nothing = [
        (Outcome::Failed, None),
        (Outcome::Failed, Some(0.1)),
        (Outcome::TimedOut, Some(f64::NAN)),
        (Outcome::Stopped, Some(0.1)),
        (Outcome::Running, Some(0.1)),
        (Outcome::Completed, None),
    ];
    for _ in 0..30 {
        let mut runs = study(&mut noise);
        for run in &mut runs {
            if noise.next() < 0.1 {
                (run.outcome, run.score) = nothing[noise.below(6)];
            } else if noise.next() < 0.05 {
                run.outcome = Outcome::Diverged;
            }
        }
        let mut there = runs.clone();
        there.retain(|run| run.shown() != Shown::Nothing);
        for protocol in [Protocol::default(), allowing()] {
            let (all, some) =
                (quick(&runs, &protocol), quick(&there, &protocol));
            let (all, some) = (json(&all), json(&some));
            for key in ["mean_ranks", "pairs", "regret", "verdicts", "friedman"]
            {
                assert_eq!(all[key], some[key], "{key}");
            }
            assert_eq!(all["diverged"], some["diverged"]);
        }
    }
}

#[test]
fn what_runs_did_instead_is_named_apart() {
    let mut runs = matrix(&["a", "b"], &vec![vec![1.0, 2.0]; 8]);
    for (i, (outcome, score)) in [
        (Outcome::Failed, Some(1.0)),
        (Outcome::TimedOut, None),
        (Outcome::Running, Some(1.0)),
        (Outcome::Stopped, Some(1.0)),
        (Outcome::Completed, None),
        (Outcome::Completed, Some(f64::NAN)),
    ]
    .into_iter()
    .enumerate()
    {
        (runs[2 * i + 1].outcome, runs[2 * i + 1].score) = (outcome, score);
    }
    let ranking = quick(&runs, &Protocol::default());
    let told = "`b` 1 failed, 1 not over, 1 stopped early, 1 timed out, 1 \
                without a score, of 8 runs";
    assert!(noted(&ranking, told), "{:?}", ranking.notes());
    let b = row(&ranking, "b");
    assert_eq!((b.diverged, b.failed, b.runs), (1, 5, 8));
    assert_eq!(json(&ranking)["n"], 3);
}

#[test]
fn a_schedule_without_any_result_is_named_and_not_ranked() {
    let mut runs = matrix(&["a", "b", "c"], &vec![vec![1.0, 2.0, 3.0]; 7]);
    for run in runs.iter_mut().filter(|run| run.schedule == "c") {
        (run.outcome, run.score) = (Outcome::Failed, None);
    }
    let ranking = quick(&runs, &Protocol::default());
    assert_eq!(ranking.leaderboard().len(), 2);
    assert_eq!(ranking.recommended(), Some("a"));
    assert_eq!(json(&ranking)["failed"]["c"], 7);
    assert!(noted(&ranking, "`c` is not ranked: it has no result at all"));
    let control = Some("c".to_owned());
    let protocol = Protocol { control, ..Protocol::default() };
    let why = failure(&runs, &protocol);
    assert!(why.contains("the control has no result: `c` 7 failed"), "{why}");
    for run in &mut runs {
        run.outcome = Outcome::Failed;
    }
    let why = failure(&runs, &Protocol::default());
    assert!(why.contains("seeds (`a` 7 failed, of 7 runs; `b`"), "{why}");
}

#[test]
fn a_missing_workload_is_left_out_or_taken_in() {
    // a < b < c on w00, b < a on w01, b < c on w02.
    let scores = [("w00", "a", 1.0), ("w00", "b", 2.0), ("w00", "c", 3.0)];
    let more = [
        ("w01", "a", 2.0),
        ("w01", "b", 1.0),
        ("w02", "b", 1.0),
        ("w02", "c", 4.0),
    ];
    let runs: Vec<Observation> = scores
        .into_iter()
        .chain(more)
        .map(|(workload, schedule, score)| {
            run(workload, schedule, 0, Some(score))
        })
        .collect();
    let strict = quick(&runs, &Protocol::default());
    assert_eq!(json(&strict)["workloads"], serde_json::json!(["w00"]));
    let left_out = "Left out: workload `w01`: no runs of `c`; workload `w02`: \
                    no runs of `a`. `rank --allow-missing` includes";
    assert!(noted(&strict, left_out), "{:?}", strict.notes());
    assert_eq!(json(&strict)["skillings_mack"], Value::Null);

    let ranking = quick(&runs, &allowing());
    let ours = json(&ranking);
    assert_eq!(ours["n"], 3);
    // a and b are each ahead once; c is behind everywhere.
    for (name, rank) in [("a", 1.5), ("b", 1.5), ("c", 3.0)] {
        assert_eq!(ours["mean_ranks"][name], rank, "{name}");
    }
    assert_eq!(ours["friedman"]["chi2"], Value::Null);
    assert_eq!(ours["nemenyi"]["critical_difference"], Value::Null);
    let none = f64::NAN;
    let blocks =
        [vec![1.0, 2.0, 3.0], vec![2.0, 1.0, none], vec![none, 1.0, 2.0]];
    let wanted = skillings_mack(&blocks, &mut crate::seed::stream(0, "any"));
    assert_eq!(wanted.method, Some(Method::Exact));
    let wanted = serde_json::to_value(wanted).expect("JSON");
    assert_eq!(ours["skillings_mack"], wanted);
    let pairs = ours["pairs"].as_array().expect("pairs");
    assert_eq!((&pairs[0]["a"], &pairs[0]["n"]), (&"b".into(), &2.into()));
    assert_eq!((&pairs[1]["a"], &pairs[1]["n"]), (&"c".into(), &1.into()));
    let mean = pairs[0]["mean_difference"].as_f64().expect("finite");
    assert!(mean.abs() < 1e-12, "ln 2 and -ln 2");
    // The regret of `a` is over w00 and w01.
    let regret = ours["regret"]["a"]["mean"].as_f64().expect("finite");
    assert!((regret - 0.5 * 2.0_f64.ln()).abs() < 1e-12);
    assert!(noted(&ranking, "`b` on 2, `c` on 1 of 3 workloads"));
    assert!(noted(&ranking, "by the test of Skillings and Mack: p = "));
    // A workload has rows of what it has.
    assert_eq!(ranking.workload_rows().len(), 7);
}

#[test]
fn on_complete_runs_both_ways_are_one() {
    let mut noise = Noise(41);
    let mut runs = study(&mut noise);
    for run in &mut runs {
        run.cluster = format!("c{}", noise_free(&run.workload));
        if noise.next() < 0.1 {
            run.outcome = Outcome::Diverged;
        }
    }
    let strict = json(&quick(&runs, &Protocol::default()));
    assert_eq!(strict, json(&quick(&runs, &allowing())));
    let table = Table::new(&runs, "valid_loss", &allowing()).expect("valid");
    for (mean, name) in pairs::mean_ranks(&table).into_iter().zip(NAMES) {
        let wanted = strict["mean_ranks"][name].as_f64().expect("a number");
        assert!((mean - wanted).abs() < 1e-12, "{mean} and {wanted}");
    }
}

/// Clusters of three workloads: `w0` to `w2` are in the first.
fn noise_free(workload: &str) -> u8 {
    (workload.as_bytes()[1] - b'0') / 3
}

#[test]
fn lacking_workloads_costs_no_rank_and_order_leaves_no_trace() {
    let mut noise = Noise(43);
    for _ in 0..10 {
        let mut runs = study(&mut noise);
        for run in &mut runs {
            run.cluster = format!("c{}", noise_free(&run.workload));
            run.budget = Some(10 * (run.seed % 2));
        }
        // The best schedule lacks the even workloads, others some cells.
        runs.retain(|run| {
            let even = run.workload.as_bytes()[1] % 2 == 0;
            !(run.schedule == "best" && even)
                && (run.schedule != "other" || noise.next() > 0.1)
        });
        let ranking = quick(&runs, &allowing());
        let best = row(&ranking, "best");
        assert_eq!((best.place, best.mean_rank), (1, 1.0));
        assert_eq!(row(&ranking, "worst").mean_rank, 4.0);
        let before = json(&ranking);
        for i in (1..runs.len()).rev() {
            runs.swap(i, noise.below(i + 1));
        }
        assert_eq!(before, json(&quick(&runs, &allowing())));
    }
}

#[test]
fn two_that_never_meet_are_not_compared() {
    let mut runs = vec![];
    for w in 0..8 {
        let others = if w < 4 { ["a", "linear"] } else { ["a", "b"] };
        for (s, name) in (1_u8..).zip(others) {
            runs.push(run(&format!("w{w}"), name, 0, Some(f64::from(s))));
        }
    }
    let ranking = quick(&runs, &allowing());
    assert!(noted(&ranking, "not compared with it: `b`"));
    let ours = json(&ranking);
    assert_eq!(ours["pairs"].as_array().map(Vec::len), Some(1));
    assert_eq!(ours["skillings_mack"]["df"], 2);
    let b = row(&ranking, "b");
    assert_eq!((b.p_holm, b.verdict), (None, Verdict::Undecided));
    // A half for the control, which it never met, and 1 for `a`.
    assert_eq!(b.mean_rank, 2.5);
}

#[test]
fn no_false_dominated_in_null_studies_with_holes() {
    let mut noise = Noise(47);
    let (mut false_alarms, mut significant) = (0, 0);
    for _ in 0..300 {
        let mut runs = vec![];
        for w in 0..12 {
            let level = 1.0 + noise.next();
            for s in 0..4 {
                if noise.below(4) > 0 {
                    let score = level + 0.05 * noise.normal();
                    let name = format!("s{s}");
                    runs.push(run(&format!("w{w}"), &name, 0, Some(score)));
                }
            }
        }
        let ranking = quick(&runs, &allowing());
        let rows = ranking.leaderboard();
        false_alarms += usize::from(
            rows.iter().any(|row| row.verdict == Verdict::Dominated),
        );
        let p = json(&ranking)["skillings_mack"]["p"].as_f64();
        significant += usize::from(p.is_some_and(|p| p < 0.05));
    }
    // About 2.5 % and 5 % are expected.
    assert!(false_alarms <= 15, "{false_alarms} of 300");
    assert!((5..=27).contains(&significant), "{significant} of 300");
}

#[test]
fn a_board_without_enough_results_is_left_out() {
    let mut runs = vec![];
    for budget in [10, 20] {
        for mut run in matrix(&["a", "b"], &[vec![1.0, 2.0], vec![1.0, 3.0]]) {
            run.budget = Some(budget);
            run.lr_multiple = Some(1.0);
            if budget == 20 && run.schedule == "b" {
                run.outcome = Outcome::TimedOut;
            }
            runs.push(run);
        }
    }
    let study = Runs {
        observations: runs,
        tests: vec![],
        column: "valid_loss".to_owned(),
        ..Runs::default()
    };
    let analysis = Analysis::new(&study, &Protocol::default(), &[]);
    let analysis = analysis.expect("one budget is whole");
    assert_eq!(analysis.budgets(), [10]);
    assert!(noted(&analysis.overall, "budget 20, multiple 1: `b` 1 timed out"));
}

#[test]
fn names_say_which_way_is_better_and_what_differences_are() {
    let runs = matrix(&["a", "b"], &vec![vec![0.9, 0.8]; 6]);
    let of = |column: &str, direction| {
        let protocol = Protocol { direction, ..Protocol::default() };
        let ranking = Ranking::with(&runs, column, &protocol, FEW);
        let ranking = ranking.expect("a valid study");
        let score = json(&ranking)["score"].clone();
        assert_eq!(score["column"], column);
        let caution = ranking.caution().map(str::to_owned);
        assert_eq!(
            ranking.notes().first() == caution.as_ref(),
            caution.is_some()
        );
        let text = |key: &str| score[key].as_str().map(str::to_owned);
        (text("better"), text("scale"), caution)
    };
    let seen = |better: &str, scale: &str| {
        (Some(better.to_owned()), Some(scale.to_owned()), None)
    };
    for column in ["valid_loss", "loss", "val/loss", "eval_loss", "rmse"] {
        assert_eq!(of(column, None), seen("lower", "relative"), "{column}");
    }
    assert_eq!(of("error_rate", None), seen("lower", "raw"));
    assert_eq!(of("val/accuracy", None), seen("higher", "raw"));
    assert_eq!(of("y", Some(Direction::Higher)), seen("higher", "raw"));
    let (better, _, caution) = of("y", None);
    assert_eq!(better.as_deref(), Some("lower"));
    let caution = caution.expect("a note");
    assert!(caution.starts_with("Lower `y` counts as better"), "{caution}");
    assert!(caution.contains("`--higher`"), "{caution}");
    let (better, _, caution) = of("accuracy", Some(Direction::Lower));
    assert_eq!(better.as_deref(), Some("lower"));
    let caution = caution.expect("a note");
    assert!(caution.ends_with("its name says the opposite."), "{caution}");
}

#[test]
fn one_workload_is_tested_over_its_seeds() {
    let mut noise = Noise(55);
    let mut runs = vec![];
    for (schedule, own) in [("linear", 1.0), ("cosine", 0.9), ("rex", 1.0)] {
        for seed in 0..20 {
            let score = own + 0.02 * noise.normal();
            runs.push(run("mine", schedule, seed, Some(score)));
        }
    }
    let ranking = quick(&runs, &Protocol::default());
    let ours = json(&ranking);
    let within = ours["within"].as_array().expect("tests");
    assert_eq!(within.len(), 2);
    assert_eq!(within[0]["a"], "cosine");
    assert_eq!(
        (&within[0]["b"], &within[0]["seeds"]),
        (&"linear".into(), &20.into())
    );
    assert!(within[0]["p_holm"].as_f64().is_some_and(|p| p < 0.001));
    assert!(within[1]["p_holm"].as_f64().is_some_and(|p| p > 0.05));
    let low = within[0]["low"].as_f64().expect("an interval");
    let high = within[0]["high"].as_f64().expect("an interval");
    assert!(low < -0.1 && -0.13 < low && high < -0.08, "{low} to {high}");
    assert!(noted(&ranking, "On `mine` alone, over 20 seeds"));
    assert!(noted(&ranking, "says nothing about others"));
    // No schedule is dominated by one workload.
    assert_eq!(ranking.verdict("linear"), Some(Verdict::Control));
    let several = matrix(&["a", "b"], &vec![vec![1.0, 2.0]; 2]);
    let several = json(&quick(&several, &Protocol::default()));
    assert_eq!(several["within"].as_array().map(Vec::len), Some(0));
}
