//! Every kind of note in words; those that a study has are in the reports.

use crate::ranking::{Direction, Note, Scale, Within};

#[test]
fn every_note_is_plain_sentences() {
    let power = |clusters| Note::Power {
        workloads: 11,
        clusters,
        comparisons: 9,
        alpha: 0.05,
    };
    let seeds = |seeds| Note::Seeds { seeds, needed: 9, alpha: 0.05 };
    let scale = |scale, direction| Note::Scale {
        column: "valid_loss".to_owned(),
        scale,
        direction,
        rope: 0.005,
    };
    let names = |names: &[&str]| -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    };
    let left_out = |places: &[&str], allowed| Note::LeftOut {
        places: names(places),
        allowed,
    };
    let incomplete = Note::Incomplete {
        places: names(&["workload `w`: no runs of `a`"]),
        p: Some(0.02),
        partly: vec![("a".to_owned(), 3)],
        uncompared: names(&["b"]),
        workloads: 4,
        clusters: 4,
    };
    let within = |mean_difference| Within {
        workload: "w".to_owned(),
        a: "a".to_owned(),
        b: "linear".to_owned(),
        seeds: 9,
        mean_difference,
        low: Some(-0.03),
        high: Some(0.01),
        p_holm: 0.04,
    };
    let spread = |more_workloads| Note::Spread {
        between_workloads: 0.1274,
        noise_floor: 0.0242,
        more_workloads,
    };
    let again =
        |p: f64| Note::ControlAgain { seeds: 2, p, as_expected: p >= 0.05 };
    let stopped =
        |e| Note::Stopped { schedule: "bad".to_owned(), seeds: 3, of: 6, e };
    let notes = [
        Note::AllDiverged,
        Note::Failures {
            told: names(&["`a` 3 failed, of 21 runs"]),
            without: names(&["b"]),
        },
        power(11),
        power(10),
        power(8),
        power(4),
        left_out(&["workload `w`: no runs of `a`"], true),
        left_out(&["a", "b", "c", "d", "e", "f", "g"], false),
        incomplete,
        Note::Unpaired(1),
        Note::Unpaired(2),
        Note::DefaultControl("linear".to_owned()),
        scale(Scale::Relative, Direction::Lower),
        scale(Scale::Raw, Direction::Higher),
        seeds(1),
        seeds(9),
        Note::Alone(vec![within(Some(-0.01)), within(None)]),
        spread(true),
        spread(false),
        again(0.34),
        again(0.0098),
        Note::NoMeanDifference(vec!["a".to_owned(), "b`\n".to_owned()]),
        Note::Tied { tied: 1, pairs: 1 },
        Note::Tied { tied: 3, pairs: 10 },
        stopped(Some(45.2)),
        stopped(None),
        Note::Unranked("bad".to_owned()),
    ];
    let text: Vec<String> = notes.iter().map(Note::to_string).collect();
    insta::assert_snapshot!(text.join("\n"));
}
