use super::axis::{Axis, clipped};
use super::*;
use crate::report::tests::samples;
use crate::results::rows::LeaderboardRow;

const WILD: [f64; 6] =
    [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -1.0, f64::MAX];

/// Whether every tag is closed and no number is none.
fn is_sound(svg: &str) {
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{svg}");
    assert_eq!(svg.matches("<svg").count(), 1);
    assert_eq!(
        svg.matches("<text").count(),
        svg.matches("</text>").count(),
        "{svg}"
    );
    for line in svg.lines().filter(|line| line.starts_with('<')) {
        for word in ["NaN", "inf", "2147483647", "-2147483648"] {
            assert!(!line.contains(word), "{line}");
        }
    }
}

#[test]
fn a_range_test_shows_curve_suggestion_interval_and_trials() {
    let svg = range_test("fashion-mlp", &samples::range_test());
    is_sound(&svg);
    assert!(svg.contains("fashion-mlp: learning rate 0.0123"), "{svg}");
    assert_eq!(svg.matches("<polyline").count(), 1, "one smoothed curve");
    for text in
        ["0.0123\n", "0.006 to 0.03\n", "0.69\n", "diverged\n", "1e-5\n"]
    {
        assert!(svg.contains(text), "{text} is missing");
    }
}

#[test]
fn a_divergence_does_not_press_the_curve_flat() {
    let plot = samples::range_test();
    let (low, high) = range_test::loss_range(&plot);
    assert!((0.3..0.7).contains(&low), "{low}");
    assert!((2.4..3.5).contains(&high), "{high}");
}

#[test]
fn a_range_test_of_anything_is_sound() {
    is_sound(&range_test("", &RangeTestPlot::default()));
    for a in WILD {
        for b in WILD {
            is_sound(&range_test(
                "wild",
                &RangeTestPlot {
                    rates: vec![1e-3, a, b, 1e-1],
                    losses: vec![b, 1.0, a, a],
                    smoothed: vec![a, b],
                    suggestion: Some(a),
                    interval: Some((a, b)),
                    trials: vec![(a, b), (0.1, a)],
                },
            ));
        }
    }
}

#[test]
fn a_constant_loss_and_a_single_step_are_sound() {
    for losses in [vec![2.0], vec![2.0; 50], vec![0.0; 3], vec![f64::NAN; 9]] {
        let rates: Vec<f64> =
            (0..losses.len()).map(|i| 1e-4 * 1.1_f64.powf(i as f64)).collect();
        let plot = RangeTestPlot {
            rates,
            smoothed: losses.clone(),
            losses,
            ..RangeTestPlot::default()
        };
        is_sound(&range_test("flat", &plot));
        assert_eq!(terminal_curve(&plot, 60, 15).lines().count(), 15);
    }
}

#[test]
fn names_cannot_break_out_of_a_picture() {
    let name = "<script>alert(1)</script>\"'&";
    let mut rows = samples::full().analysis.overall.leaderboard().to_vec();
    rows[0].schedule = name.to_owned();
    let pictures = [
        range_test(name, &samples::range_test()),
        schedules(&[(name.to_owned(), vec![1.0, 0.5])]),
        rank_diagram(&rows, |_| false),
        regret_heatmap(
            &[name.to_owned()],
            &[name.to_owned()],
            &[vec![Cell::Regret(0.1)]],
        ),
        learning_rate_sensitivity(&[SensitivityLine {
            schedule: name.to_owned(),
            verdict: Verdict::Undecided,
            points: vec![(0.5, 0.1), (1.0, 0.2)],
        }]),
    ];
    for svg in pictures {
        is_sound(&svg);
        assert!(!svg.contains("<script"), "{svg}");
        assert!(svg.contains("&lt;script"), "{svg}");
    }
}

#[test]
fn shapes_of_anything_are_sound() {
    is_sound(&schedules(&[]));
    let shapes: Vec<(String, Vec<f64>)> = vec![
        ("none".to_owned(), vec![]),
        ("one".to_owned(), vec![1.0]),
        ("zero".to_owned(), vec![0.0; 5]),
        ("wild".to_owned(), WILD[..5].to_vec()),
        ("long".to_owned(), (0..10_000).map(f64::from).collect()),
    ];
    let svg = schedules(&shapes);
    is_sound(&svg);
    assert!(svg.len() < 40_000, "long schedules are thinned out");
}

/// The bars of a rank diagram.
fn bars(svg: &str) -> usize {
    svg.matches("stroke-width=\"32\"").count()
}

#[test]
fn a_rank_diagram_has_a_name_a_schedule_and_a_bar_by_the_verdicts() {
    let analysis = samples::full().analysis;
    let ranking = analysis.leading();
    let rows = ranking.leaderboard();
    let svg = rank_diagram(rows, |row| ranking.is_worse(row));
    is_sound(&svg);
    for row in rows {
        assert!(svg.contains(&row.schedule), "{} is missing", row.schedule);
    }
    assert_eq!(bars(&svg), 1, "{svg}");
    for few in 0..3 {
        is_sound(&rank_diagram(&rows[..few], |_| false));
    }
    // A gap at one that is worse, none where nothing can be joined.
    let third = |row: &LeaderboardRow| row.place == 3;
    assert_eq!(bars(&rank_diagram(rows, third)), 2);
    assert_eq!(bars(&rank_diagram(rows, |_| true)), 0);
    assert_eq!(bars(&rank_diagram(&rows[1..], |_| false)), 0);
}

#[test]
fn the_bar_ends_before_a_dominated_schedule_of_the_same_group() {
    // Too few data sets for a difference among all pairs, enough for one to
    // the control.
    let plan = samples::Plan::small(10, &["a", "b", "c", "linear", "z"]);
    let score = |spot: samples::Spot<'_>| {
        let wave = (spot.set as f64 * 2.4).sin();
        let own = match spot.schedule {
            "linear" => 1.0,
            "a" => 1.0 + 0.1 * wave,
            "b" => 1.0 - 0.1 * wave,
            "c" => 1.0 + 0.05 * wave,
            _ => 1.5 + 0.4 * wave,
        };
        Some(own * (1.0 + spot.set as f64))
    };
    let analysis = plan.analysis(score);
    let ranking = analysis.leading();
    let rows = ranking.leaderboard();
    let last = &rows[4];
    assert_eq!((&*last.schedule, last.verdict), ("z", Verdict::Dominated));
    let svg = rank_diagram(rows, |row| ranking.is_worse(row));
    let all = rank_diagram(rows, |_| false);
    assert_eq!((bars(&svg), bars(&all)), (1, 1));
    assert_ne!(svg, all, "the bar is shorter");
}

#[test]
fn a_heat_map_marks_best_diverged_and_missing() {
    let names = |n: usize| -> Vec<String> {
        (0..n).map(|i| format!("name-{i}")).collect()
    };
    let cells = vec![
        vec![Cell::Regret(0.0), Cell::Regret(0.012), Cell::Diverged],
        vec![Cell::Missing, Cell::Regret(f64::NAN), Cell::Regret(7.0)],
    ];
    let svg = regret_heatmap(&names(2), &names(3), &cells);
    is_sound(&svg);
    assert_eq!(svg.matches("best\n").count(), 1);
    assert_eq!(svg.matches("0.012\n").count(), 1);
    assert_eq!(svg.matches("–\n").count(), 1);
    assert_eq!(svg.matches("<line").count(), 4, "two crosses");
    is_sound(&regret_heatmap(&[], &[], &[]));
    let all = vec![vec![Cell::Diverged]];
    is_sound(&regret_heatmap(&names(1), &names(1), &all));
}

#[test]
fn sensitivity_of_anything_is_sound_and_keeps_contenders_apart() {
    is_sound(&learning_rate_sensitivity(&[]));
    let line = |name: &str, verdict, points: &[(f64, f64)]| SensitivityLine {
        schedule: name.to_owned(),
        verdict,
        points: points.to_vec(),
    };
    let svg = learning_rate_sensitivity(&[
        line("good", Verdict::Recommended, &[(0.25, 0.01), (4.0, 0.02)]),
        line("bad", Verdict::Dominated, &[(0.25, 0.5), (4.0, f64::INFINITY)]),
        line("wild", Verdict::Undecided, &WILD.map(|w| (w, w))[..5]),
        line("none", Verdict::Control, &[]),
    ]);
    is_sound(&svg);
    assert!(svg.contains("0.02\n"), "the axis fits the contender");
    assert!(!svg.contains("0.5\n"), "not the dominated one");
}

#[test]
fn a_terminal_curve_keeps_to_its_size() {
    for (width, height) in [(60, 15), (30, 8), (1, 1), (120, 40)] {
        let text = terminal_curve(&samples::range_test(), width, height);
        let most = text.lines().map(|line| line.chars().count()).max();
        assert!(most <= Some(width.max(19) + 6), "{text}");
        assert_eq!(text.lines().count(), height.max(5), "{text}");
        assert!(text.contains('┊'), "the suggestion is marked\n{text}");
        assert!(text.contains('━'), "the interval is marked\n{text}");
    }
    let text = terminal_curve(&samples::range_test(), 100, 30);
    for (mark, what) in
        [('·', "raw losses"), ('●', "trials"), ('×', "diverged")]
    {
        assert!(text.contains(mark), "{what} are marked\n{text}");
    }
}

#[test]
fn axes_have_round_numbers() {
    let labels = |axis: Axis| -> Vec<String> {
        axis.ticks.into_iter().map(|(_, label)| label).collect()
    };
    assert_eq!(
        labels(Axis::linear(0.0, 1.0, 5.0)),
        ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
    );
    assert_eq!(labels(Axis::linear(-3.0, 12.0, 4.0)), ["0", "5", "10"]);
    assert_eq!(
        labels(Axis::log(1e-5, 10.0)),
        ["1e-5", "1e-4", "0.001", "0.01", "0.1", "1", "10"]
    );
    assert_eq!(labels(Axis::log(0.01, 0.1)), ["0.01", "0.02", "0.05", "0.1"]);
    assert_eq!(labels(Axis::log_at(&[0.25, 1.0, 4.0])), ["0.25", "1", "4"]);
}

#[test]
fn a_line_is_cut_at_the_edges_and_at_gaps() {
    let line =
        [(0.0, 0.5), (1.0, 1.5), (2.0, 0.5), (3.0, f64::NAN), (4.0, 0.0)];
    assert_eq!(
        clipped(line.into_iter(), 0.0, 1.0),
        [vec![(0.0, 0.5), (0.5, 1.0)], vec![(1.5, 1.0), (2.0, 0.5)]]
    );
    assert_eq!(clipped(std::iter::empty(), 0.0, 1.0), Vec::<Vec<_>>::new());
}
