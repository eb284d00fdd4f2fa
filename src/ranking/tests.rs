use super::*;
use crate::record::{Observation, Outcome, Shown};
use serde_json::Value;

mod golden;
mod incomplete;
mod simulated;

/// Few draws, for tests that look at ranks and p values only.
const FEW: Draws = Draws { bootstrap: Some(50), posterior: Some(50) };

/// A run; without a score it diverged.
fn run(
    workload: &str,
    schedule: &str,
    seed: u64,
    score: Option<f64>,
) -> Observation {
    Observation::new(workload, schedule, seed, score.unwrap_or(f64::NAN))
}

/// One run a cell: row `i` of `scores` is workload `w<i>`.
fn matrix(names: &[&str], scores: &[Vec<f64>]) -> Vec<Observation> {
    let mut runs = vec![];
    for (i, row) in scores.iter().enumerate() {
        for (name, score) in names.iter().zip(row) {
            runs.push(run(&format!("w{i:02}"), name, 0, Some(*score)));
        }
    }
    runs
}

fn json(ranking: &Ranking) -> Value {
    serde_json::to_value(ranking).expect("numbers and names only")
}

fn quick(runs: &[Observation], protocol: &Protocol) -> Ranking {
    Ranking::with(runs, "valid_loss", protocol, FEW).expect("a valid study")
}

fn analysed(runs: &[Observation], protocol: &Protocol) -> Analysis {
    let runs = Runs {
        observations: runs.to_vec(),
        column: "valid_loss".to_owned(),
        ..Runs::default()
    };
    Analysis::new(&runs, protocol, &[]).expect("a valid study")
}

fn failure(runs: &[Observation], protocol: &Protocol) -> String {
    Ranking::with(runs, "valid_loss", protocol, FEW)
        .expect_err("not a valid study")
        .to_string()
}

/// A small generator for made-up studies, of [0, 1).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        f64::from((self.0 >> 40) as u32) / f64::from(1_u32 << 24)
    }

    /// Roughly normal, variance 1.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.next()).sum::<f64>() - 6.0
    }

    fn below(&mut self, n: usize) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a small number from 0 up"
        )]
        let below = (self.next() * n as f64) as usize;
        below
    }
}

#[test]
fn json_has_the_promised_keys_in_order() {
    let runs = matrix(&["a", "linear"], &[vec![1.0, 2.0], vec![2.0, 1.5]]);
    let text = serde_json::to_string(&quick(&runs, &Protocol::default()));
    let text = text.expect("serializable");
    let keys = [
        "schedules",
        "workloads",
        "n",
        "k",
        "alpha",
        "mean_ranks",
        "friedman",
        "chi2",
        "chi2_uncorrected",
        "df",
        "p",
        "iman_davenport",
        "iman_davenport_p",
        "nemenyi",
        "critical_difference",
        "pairs",
        "a",
        "b",
        "mean_difference",
        "wilcoxon_w",
        "p_holm",
        "method",
        "bayes",
        "left",
        "rope",
        "right",
        "rope_width",
        "probability_a_better",
        "regret",
        "mean",
        "low",
        "high",
        "iqm",
        "diverged",
        "verdicts",
        "notes",
    ];
    let mut at = 0;
    for key in keys {
        let found = text[at..].find(&format!("\"{key}\":"));
        at += found.unwrap_or_else(|| panic!("{key} after {at}: {text}"));
    }
}

#[test]
fn row_order_leaves_no_trace() {
    let mut noise = Noise(5);
    let mut runs = vec![];
    for w in 0..7 {
        for s in ["x", "linear", "y"] {
            for seed in 0..3 {
                for budget in [10, 20] {
                    let score = Some(0.5 + noise.next());
                    let mut run = run(&format!("w{w}"), s, seed, score);
                    run.cluster = format!("c{}", w / 2);
                    run.budget = Some(budget);
                    runs.push(run);
                }
            }
        }
    }
    let of = |runs: &[Observation]| {
        let all = analysed(runs, &Protocol::default());
        let boards = all.boards.iter().map(|board| &board.ranking);
        let rankings = [&all.overall].into_iter().chain(boards);
        rankings.map(|r| json(r).to_string()).collect::<Vec<_>>()
    };
    let before = of(&runs);
    for i in (1..runs.len()).rev() {
        runs.swap(i, noise.below(i + 1));
    }
    assert_eq!(before, of(&runs));
}

#[test]
fn clusters_count_once() {
    // Two workloads of one cluster have opposite winners; ranks and
    // differences cancel there, and n is 2.
    let mut runs =
        matrix(&["a", "b"], &[vec![1.0, 2.0], vec![2.0, 1.0], vec![1.0, 4.0]]);
    for run in &mut runs {
        run.cluster =
            if run.workload == "w02" { "other" } else { "same" }.to_owned();
    }
    let ranking = quick(&runs, &Protocol::default());
    let json = json(&ranking);
    assert_eq!(json["n"], 2);
    assert_eq!(json["workloads"].as_array().map(Vec::len), Some(3));
    assert_eq!(json["mean_ranks"]["a"], 1.25);
    let pair = &json["pairs"][0];
    assert_eq!((&pair["a"], &pair["n"]), (&"b".into(), &2.into()));
    let difference = pair["mean_difference"].as_f64().expect("finite");
    assert!((difference - 0.5 * 4.0_f64.ln()).abs() < 1e-12);
    assert_eq!(pair["probability_a_better"], 0.25);
}

#[test]
fn budgets_are_averaged_inside_a_workload() {
    let mut runs = vec![];
    for (budget, scores) in [(100, [1.0, 2.0]), (400, [8.0, 1.0])] {
        for mut run in matrix(&["a", "b"], &[scores.to_vec()]) {
            run.budget = Some(budget);
            run.lr_multiple = Some(0.25);
            runs.push(run);
        }
    }
    let all = analysed(&runs, &Protocol::default());
    let boards: Vec<_> =
        all.boards.iter().map(|b| (b.budget, b.lr_multiple)).collect();
    assert_eq!(boards, [(Some(100), Some(0.25)), (Some(400), Some(0.25))]);
    assert_eq!((all.budgets(), all.multiples()), (vec![100, 400], vec![0.25]));
    let overall = json(&all.overall);
    assert_eq!(overall["n"], 1);
    assert_eq!(overall["mean_ranks"]["a"], 1.5);
    let difference = overall["pairs"][0]["mean_difference"].as_f64();
    let wanted = (2.0_f64.ln() - 8.0_f64.ln()) / 2.0;
    assert!((difference.expect("finite") - wanted).abs() < 1e-12);
    let picked = Protocol { budget: Some(400), ..Protocol::default() };
    assert_eq!(
        json(&quick(&runs, &picked))["mean_ranks"],
        json(&all.boards[1].ranking)["mean_ranks"]
    );
    let none = Protocol { budget: Some(7), ..Protocol::default() };
    assert!(failure(&runs, &none).contains("budget 100"));
}

#[test]
fn only_common_seeds_count() {
    let runs = [
        run("w", "a", 1, Some(1.0)),
        run("w", "a", 2, Some(100.0)),
        run("w", "b", 1, Some(2.0)),
        run("w", "b", 3, None),
    ];
    let ranking = quick(&runs, &Protocol::default());
    assert_eq!(json(&ranking)["mean_ranks"]["a"], 1.0);
    assert_eq!(ranking.workload_rows()[0].score, Some(1.0));
    // The diverged run is not used, and not hidden either.
    assert_eq!(json(&ranking)["diverged"]["b"], 1);
    let note = "2 runs were not used";
    assert!(ranking.notes().iter().any(|n| n.starts_with(note)));
}

#[test]
fn the_same_scores_on_other_seeds_tie() {
    let mut runs = vec![];
    for (schedule, scores) in [("a", [0.1, 0.2, 0.3]), ("b", [0.3, 0.2, 0.1])] {
        for (seed, score) in (0..).zip(scores) {
            runs.push(run("w", schedule, seed, Some(score)));
        }
    }
    assert_eq!(
        json(&quick(&runs, &Protocol::default()))["mean_ranks"]["a"],
        1.5
    );
}

#[test]
fn a_cell_with_diverged_seeds_is_worse_than_any_without() {
    let mut runs = vec![];
    let cells = [
        ("never", [Some(90.0), Some(90.0), Some(90.0)]),
        ("once-good", [None, Some(0.1), Some(0.1)]),
        ("once-bad", [Some(0.2), None, Some(0.2)]),
        ("twice", [None, None, Some(0.01)]),
        ("always", [None, None, None]),
        ("always-too", [None, None, None]),
    ];
    for (schedule, scores) in cells {
        for (seed, score) in (0..).zip(scores) {
            runs.push(run("w", schedule, seed, score));
        }
    }
    let protocol =
        Protocol { control: Some("never".into()), ..Protocol::default() };
    let ranking = quick(&runs, &protocol);
    let json = json(&ranking);
    for (schedule, rank) in [
        ("never", 1.0),
        ("once-good", 2.0),
        ("once-bad", 3.0),
        ("twice", 4.0),
        ("always", 5.5),
        ("always-too", 5.5),
    ] {
        assert_eq!(json["mean_ranks"][schedule], rank, "{schedule}");
    }
    for pair in json["pairs"].as_array().expect("pairs") {
        assert_eq!(pair["mean_difference"], Value::Null);
        assert_eq!(
            json["regret"][pair["a"].as_str().expect("name")]["mean"],
            1.0
        );
    }
    assert_eq!(json["diverged"]["twice"], 2);
    assert_eq!(ranking.recommended(), Some("never"));
}

#[test]
fn a_diverged_cell_is_the_largest_difference() {
    // Worse by a little nine times, better by a lot once: without the
    // divergence the best of them.
    let mut runs = vec![];
    for w in 0..6 {
        let name = format!("w{w}");
        let worse = if w == 0 { None } else { Some(0.5) };
        runs.push(run(&name, "a", 0, worse));
        runs.push(run(&name, "linear", 0, Some(1.0 + 0.1 * f64::from(w))));
    }
    let json = json(&quick(&runs, &Protocol::default()));
    let pair = &json["pairs"][0];
    // Ranks 1 to 5 say a, rank 6 says linear.
    assert_eq!(pair["wilcoxon_w"], 6.0);
    assert_eq!(pair["mean_difference"], Value::Null);
}

#[test]
fn divergence_never_improves_a_place() {
    let mut noise = Noise(11);
    let draws = Draws { bootstrap: Some(1), posterior: Some(1) };
    for case in 0..10_000 {
        let (k, n, seeds) =
            (2 + noise.below(4), 1 + noise.below(4), 1 + noise.below(3));
        let conditions = 1 + noise.below(2);
        // Sometimes not positive: then the scale is the raw one.
        let least = noise.below(3) as f64 - 1.0;
        let protocol = Protocol {
            direction: (noise.below(3) == 0).then_some(Direction::Higher),
            ..Protocol::default()
        };
        let mut runs = vec![];
        for w in 0..n {
            for s in 0..k {
                for seed in 0..seeds as u64 {
                    for budget in 0..conditions as u64 {
                        // All schedules have the first seed.
                        if seed > 0 && noise.below(8) == 0 {
                            continue;
                        }
                        // Few values, so that ties are frequent.
                        let score = least + noise.below(4) as f64;
                        let alive = noise.next() > 0.25;
                        let mut run = run(
                            &format!("w{w}"),
                            &format!("s{s}"),
                            seed,
                            alive.then_some(score),
                        );
                        run.cluster = format!("c{}", w / 2);
                        run.budget = Some(budget);
                        runs.push(run);
                    }
                }
            }
        }
        let victim = format!("s{}", noise.below(k));
        let place = |runs: &[Observation]| {
            let ranking = Ranking::with(runs, "valid_loss", &protocol, draws);
            let ranking = ranking.expect("a valid study");
            let mut rows = ranking.leaderboard().iter();
            let row = rows.find(|r| r.schedule == victim);
            let row = row.expect("every schedule has a row");
            (row.place, row.mean_rank)
        };
        let before = place(&runs);
        for run in &mut runs {
            if run.schedule == victim && noise.next() < 0.4 {
                run.score = Some(f64::NAN);
            }
        }
        let after = place(&runs);
        assert!(after.0 >= before.0, "case {case}: {before:?}, {after:?}");
        assert!(after.1 >= before.1 - 1e-9, "case {case}");
    }
}

#[test]
fn too_few_workloads_dominate_nothing_and_say_so() {
    for n in 1..7 {
        let scores: Vec<Vec<f64>> = (0..n)
            .map(|w| {
                vec![1.0, 2.0, 3.0, 4.0]
                    .into_iter()
                    .map(|s| s + f64::from(w))
                    .collect()
            })
            .collect();
        let runs = matrix(&["a", "b", "c", "d"], &scores);
        let ranking = quick(&runs, &Protocol::default());
        let json = json(&ranking);
        for pair in json["pairs"].as_array().expect("pairs") {
            assert!(pair["p_holm"].as_f64().is_none_or(|p| p >= 0.05));
        }
        let board = ranking.leaderboard();
        assert!(board.iter().all(|row| row.verdict != Verdict::Dominated));
        let wanted = "That takes 7 workloads.";
        assert!(ranking.notes().iter().any(|note| note.contains(wanted)));
        assert_eq!(ranking.recommended(), Some("a"));
        if n == 1 {
            assert_eq!(json["regret"]["b"]["low"], Value::Null);
            assert_eq!(json["friedman"]["iman_davenport"], Value::Null);
        }
    }
}

#[test]
fn one_schedule_or_nothing_but_divergence_has_no_recommendation() {
    let alone = quick(&matrix(&["a"], &[vec![1.0]]), &Protocol::default());
    assert_eq!(alone.verdict("a"), Some(Verdict::Control));
    assert_eq!(json(&alone)["nemenyi"]["critical_difference"], Value::Null);
    let dead = [run("w", "a", 0, None), run("w", "b", 0, None)];
    let dead = quick(&dead, &Protocol::default());
    assert_eq!(dead.recommended(), None);
    assert!(dead.notes()[0].starts_with("Every run diverged"));
}

#[test]
fn the_control_is_the_usual_one() {
    let of = |names: &[&str]| {
        let names: Vec<String> =
            names.iter().map(|n| (*n).to_owned()).collect();
        let control = Protocol::default().control_among(&names);
        names[control.expect("some schedule")].clone()
    };
    assert_eq!(of(&["constant", "linear", "linear(warmup=5%)"]), "linear");
    assert_eq!(of(&["constant", "linear(warmup=5%)"]), "linear(warmup=5%)");
    assert_eq!(of(&["a", "constant", "linearly"]), "constant");
    assert_eq!(of(&["b", "c"]), "b");
    let runs = matrix(&["a", "b"], &[vec![1.0, 2.0]]);
    let protocol =
        Protocol { control: Some("liner".into()), ..Protocol::default() };
    assert!(failure(&runs, &protocol).contains("one of: a, b"));
}

#[test]
fn the_scale_follows_the_column() {
    let runs = matrix(&["a", "b"], &[vec![1.0, 2.0], vec![3.0, 3.0]]);
    let width = |runs: &[Observation], column: &str, scale| {
        let protocol = Protocol {
            scale,
            control: Some("b".into()),
            ..Protocol::default()
        };
        let ranking = Ranking::with(runs, column, &protocol, FEW);
        json(&ranking.expect("valid"))["pairs"][0]["bayes"]["rope_width"]
            .as_f64()
    };
    assert_eq!(width(&runs, "test_loss", None), Some(0.005));
    let raw = Some(0.005 * 2.5);
    assert_eq!(width(&runs, "score", None), raw);
    assert_eq!(width(&runs, "test_loss", Some(Scale::Raw)), raw);
    let negative = matrix(&["a", "b"], &[vec![-1.0, 2.0], vec![3.0, -3.0]]);
    assert_eq!(width(&negative, "test_loss", None), raw);
    let protocol =
        Protocol { scale: Some(Scale::Relative), ..Protocol::default() };
    assert!(failure(&negative, &protocol).contains("--scale raw"));
}

#[test]
fn what_cannot_be_compared_is_an_error_with_its_place() {
    let mut twice = vec![
        run("w", "a", 4, Some(1.0)),
        run("w", "b", 4, Some(1.0)),
        run("w", "a", 4, Some(2.0)),
    ];
    for (i, run) in twice.iter_mut().enumerate() {
        run.line = i + 2;
    }
    let message = failure(&twice, &Protocol::default());
    assert!(message.starts_with("lines 2 and 4"), "{message}");
    let mut missing = matrix(&["a", "b"], &[vec![1.0, 2.0], vec![1.0, 2.0]]);
    missing.pop();
    // A workload with one schedule compares nothing, allowed or not.
    for allow_missing in [false, true] {
        let protocol = Protocol { allow_missing, ..Protocol::default() };
        let ranking = quick(&missing, &protocol);
        assert_eq!(json(&ranking)["workloads"], serde_json::json!(["w00"]));
        let note = "Left out: workload `w01`: no runs of `b`.";
        assert!(ranking.notes().iter().any(|n| n.starts_with(note)));
    }
    let mut clusters = matrix(&["a", "b"], &[vec![1.0, 2.0]]);
    clusters[0].cluster = "x".to_owned();
    let message = failure(&clusters, &Protocol::default());
    assert!(message.contains("clusters"), "{message}");
    assert!(failure(&[], &Protocol::default()).contains("no runs"));
    let apart = [run("w", "a", 1, Some(1.0)), run("w", "b", 2, Some(1.0))];
    let message = failure(&apart, &Protocol::default());
    assert!(message.contains("seed in common"), "{message}");
    let protocol = Protocol { alpha: 1.5, ..Protocol::default() };
    assert!(failure(&apart, &protocol).contains("alpha"));
}

#[test]
fn a_score_too_large_to_compute_with_is_refused_with_its_line() {
    let mut runs = matrix(&["a", "b"], &[vec![1.0, 2.0], vec![1e308, 2.0]]);
    runs[2].line = 4;
    for scale in [None, Some(Scale::Raw)] {
        let protocol = Protocol { scale, ..Protocol::default() };
        assert_eq!(
            failure(&runs, &protocol),
            "line 4: the score 1e308 is too large to compute with; write \
             `nan` if the run diverged"
        );
    }
    runs[2].score = Some(1e100);
    let ranking = quick(&runs, &Protocol::default());
    assert!(json(&ranking)["regret"]["a"]["mean"].is_f64());
}

#[test]
fn names_in_notes_cannot_steer_a_terminal() {
    let names = ["a\u{1b}[31m`", "b\r\n"];
    let runs = matrix(&names, &[vec![1.0, 2.0], vec![2.0, 1.0]]);
    let ranking = quick(&runs, &Protocol::default());
    let notes = ranking.notes();
    assert!(notes.iter().all(|note| !note.contains(char::is_control)));
    let said = "so `a [31m'` is the control";
    assert!(notes.iter().any(|note| note.contains(said)), "{notes:?}");
}

#[test]
fn higher_is_better_turns_everything_but_the_difference() {
    let low = matrix(&["a", "b"], &[vec![0.2, 0.1], vec![0.7, 0.5]]);
    let high = Protocol {
        direction: Some(Direction::Higher),
        scale: Some(Scale::Raw),
        control: Some("b".into()),
        ..Protocol::default()
    };
    let ranking = quick(&low, &high);
    let json = json(&ranking);
    assert_eq!(ranking.recommended(), Some("a"));
    let pair = &json["pairs"][0];
    let difference = pair["mean_difference"].as_f64().expect("finite");
    assert!((difference - 0.15).abs() < 1e-12, "a - b as it is");
    assert_eq!(pair["probability_a_better"], 1.0);
    let left = pair["bayes"]["left"].as_f64();
    assert!(left > pair["bayes"]["right"].as_f64());
    assert_eq!(json["regret"]["a"]["mean"], 0.0);
}

#[test]
fn replacing_by_diverged_runs_of_a_race_never_improves_a_place() {
    // What a race stopped is behind everything that it did not stop.
    let mut noise = Noise(17);
    for _ in 0..600 {
        let victim = format!("s{}", noise.below(3));
        let mut runs = vec![];
        for w in 0..7 {
            for s in 0..3 {
                for seed in 0..3 {
                    let mut run =
                        run(&format!("w{w}"), &format!("s{s}"), seed, None);
                    if s == 2 && seed == 2 {
                        run.outcome = Outcome::Stopped;
                    } else if noise.next() > 0.1 {
                        run.score = Some(1.0 + noise.next());
                    }
                    runs.push(run);
                }
            }
        }
        let place = |runs: &[Observation]| {
            let ranking = quick(runs, &Protocol::default());
            let mut rows = ranking.leaderboard().iter();
            let row = rows.find(|r| r.schedule == victim).cloned();
            row.expect("a row").place
        };
        let before = place(&runs);
        for run in &mut runs {
            if run.schedule == victim && noise.next() < 0.4 {
                run.score = Some(f64::NAN);
            }
        }
        assert!(place(&runs) >= before);
    }
}

#[test]
fn the_control_against_itself_is_in_the_notes_with_the_noise_floor() {
    let mut noise = Noise(23);
    let mut runs = vec![];
    for w in 0..9 {
        for s in ["linear", "b", "c"] {
            for seed in 0..4 {
                let score = 1.0 + 0.01 * noise.normal();
                runs.push(run(&format!("w{w}"), s, seed, Some(score)));
            }
        }
    }
    let ranking = quick(&runs, &Protocol::default());
    let json = json(&ranking);
    let again = &json["control_again"];
    assert_eq!((&again["n"], &again["seeds"]), (&9.into(), &2.into()));
    assert!(again["p"].as_f64().is_some_and(|p| p > 0.01));
    let floor = json["noise_floor"].as_f64().expect("enough seeds");
    let wanted = 0.01 * (2.0_f64 / 4.0).sqrt();
    assert!((floor / wanted - 1.0).abs() < 0.3, "{floor} and {wanted}");
    let said = |text: &str| ranking.notes().iter().any(|n| n.contains(text));
    assert!(said("The control compared with itself under other seeds (2"));
    assert!(said("the noise floor"));
    assert!(said("With 4 seeds, no schedule can be shown to be worse on"));
}
