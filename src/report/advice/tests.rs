use super::*;
use crate::ranking::Protocol;
use crate::record::Observation;

/// `sets` data sets on which `score(set, schedule)` is the loss of every
/// schedule, at one multiple.
fn runs(
    sets: u32,
    schedules: &[&str],
    score: impl Fn(f64, &str) -> f64,
) -> Vec<Observation> {
    let mut runs = vec![];
    for set in 0..sets {
        for schedule in schedules {
            let score = score(f64::from(set), schedule);
            let run =
                Observation::new(&format!("w{set:02}"), schedule, 0, score);
            runs.push(run.budget(100).lr_multiple(1.0));
        }
    }
    runs
}

fn ranking(runs: &[Observation]) -> Ranking {
    Ranking::of(runs, "valid_loss", &Protocol::default()).expect("valid")
}

fn advice(ranking: &Ranking, multiples: &[(f64, Ranking)]) -> Advice {
    Advice::new(&Evidence {
        leading: ranking,
        multiples,
        robustness: &[],
        basis: Basis {
            optimizers: &["adamw"],
            multiple: Some(1.0),
            budgets: &[100],
            sizes: &[],
        },
    })
}

/// `best` is ahead of everything; `mixed` is about as good as the control
/// `linear`.
fn clear(set: f64, schedule: &str) -> f64 {
    let sign = if set % 2.0 == 0.0 { 1.0 } else { -1.0 };
    let own = match schedule {
        "best" => 0.8 - 0.001 * set,
        "mixed" => 1.0 + 0.01 * sign,
        _ => 1.0,
    };
    own * (1.0 + set)
}

#[test]
fn what_is_worse_than_the_best_but_not_than_the_control_says_so() {
    let ranking = ranking(&runs(16, &["best", "linear", "mixed"], clear));
    let advice = advice(&ranking, &[]);
    let [mixed] = advice.undecided.as_slice() else { panic!("{advice:?}") };
    let meaning = &mixed.evidence[1];
    assert!(
        meaning.contains(
            "it is worse than `best` by more than chance explains, p < 0.001 \
             after correction over all pairs, though not shown to be worse \
             than the control `linear`."
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
    let score = |set: f64, schedule: &str| match schedule {
        "linear" => 1.0,
        "a" if set % 4.0 == 0.0 => 1.0 + 0.001 * (1.0 + set),
        "a" => 0.9 - 0.01 * set,
        "b" => 1.0001,
        "c" => 1.0002,
        _ => 1.0003,
    };
    let ranking = ranking(&runs(16, &names, score));
    assert_eq!(ranking.recommended(), Some("linear"));
    let text = advice(&ranking, &[]).paragraphs().join("\n");
    let said = "but by the signed-rank test `a` is better, more clearly than \
                chance explains.";
    assert!(text.contains(said), "{text}");
}

#[test]
fn what_it_takes_is_more_than_there_is() {
    // Seven large wins and three small losses: Student's test would need no
    // more data sets than these, the signed-rank test does.
    let score = |set: f64, schedule: &str| match schedule {
        "a" if set < 7.0 => 0.7 + 0.01 * set,
        "a" => 1.2 + 0.1 * set,
        _ => 1.0,
    };
    for sets in [8, 10] {
        let ranking = ranking(&runs(sets, &["a", "linear"], score));
        for name in ["a", "linear"] {
            let wanted = ranking.clusters_wanted(name);
            assert!(wanted.is_none_or(|w| w > sets as usize), "{wanted:?}");
        }
    }
}

#[test]
fn few_data_sets_are_too_few_whatever_the_probability() {
    let score = |set: f64, schedule: &str| {
        (1.0 + set) * if schedule == "linear" { 1.001 } else { 1.0 }
    };
    let ranking = ranking(&runs(4, &["a", "b", "linear"], score));
    let advice = advice(&ranking, &[]);
    let text = advice.paragraphs().join("\n");
    for said in [
        "; 4 data sets are too few to show that it is worse or as good.",
        "With 4 workloads no schedule can be shown to be worse at 0.05",
        "7 workloads are wanted",
        "trained with `adamw`, and a budget of 100 steps, at the rate found.",
        "other optimizers",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
}

#[test]
fn advice_by_rate_says_what_the_lead_is_worth() {
    let names = ["best", "constant", "linear"];
    let close = |set: f64, schedule: &str| match schedule {
        "best" => clear(set, "mixed") - 0.001,
        "constant" => 3.0 + set,
        _ => clear(set, schedule),
    };
    let multiples = [
        (0.25, ranking(&runs(12, &["best", "linear"], clear))),
        (1.0, ranking(&runs(12, &names, close))),
        (
            4.0,
            ranking(&runs(12, &["linear", "mixed"], |set, schedule| {
                clear(set, schedule)
                    + if schedule == "mixed" { 0.5 } else { 0.0 }
            })),
        ),
    ];
    let advice = advice(&multiples[0].1, &multiples);
    let sentences: Vec<&str> =
        advice.rates.iter().map(|rate| rate.sentence.as_str()).collect();
    assert_eq!(
        sentences,
        [
            "At a quarter of the rate found take `best`.",
            "At the rate found take `best`, though chance may be all of its \
             lead over `linear`, and not `constant`.",
            "At four times the rate found take `linear`, the control, and \
             not `mixed`.",
        ]
    );
    let text = advice.paragraphs().join("\n");
    for said in [
        "take `best`. Its mean rank is 1.00 among 2 schedules,",
        "Against the control `linear` it wins 100 % of the paired runs",
        "It is the control itself: nothing else was shown to be better.",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
}
