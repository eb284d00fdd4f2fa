use super::super::{Ladder, LossKind, RangeTest, Watch, find};
use super::*;
use std::ops::ControlFlow;

/// A find whose range test is a V around `suggested * 3` and whose trials are
/// `trial`.
fn checked(
    suggested: f64,
    verify: &Verify,
    mut trial: impl FnMut(f64, usize, u64) -> Option<f64>,
) -> LrFound {
    let mut train = |rates: &[f64], _, _, watch: &mut Watch<'_>| {
        let bottom = (3.0 * suggested).log10();
        let mut losses = vec![];
        for (step, lr) in rates.iter().enumerate() {
            losses.push((lr.log10() - bottom).abs());
            if watch(step, losses[step]) == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(losses)
    };
    let mut trial = |lr, steps, seed| Ok(trial(lr, steps, seed));
    let test = RangeTest { seeds: 1, ..RangeTest::default() };
    find(&test, Some(verify), 1, &mut train, &mut trial)
        .expect("trials that work")
}

/// A bowl around `best` at any length, divergence above `limit`.
fn bowl(lr: f64, best: f64, limit: f64) -> Option<f64> {
    let away = (lr / best).log10();
    (lr < limit).then_some(0.3 + away * away)
}

fn decades(a: f64, b: f64) -> f64 {
    (a / b).log10().abs()
}

#[test]
fn a_planted_best_rate_is_found_from_far_off() {
    let verify = Verify::new(1000);
    for off in [0.01, 0.1, 1.0, 10.0, 100.0] {
        let found = checked(0.02 * off, &verify, |lr, steps, _| {
            let root = (1000.0 / steps as f64).sqrt();
            bowl(lr, 0.02 * root, f64::INFINITY)
        });
        let words = &found.reason;
        assert!(decades(found.lr, 0.02) < 0.01, "{off}: {words}");
        assert_eq!(found.outcome, FindOutcome::Found, "{words}");
        let (low, high) = found.interval;
        assert!(low < 0.02 && 0.02 < high && decades(low, high) < 1.01);
    }
}

#[test]
fn the_budget_holds_and_the_cost_is_what_was_run() {
    for (horizon, trainings) in
        [(1000, 5.0), (1000, 1.6), (1000, 0.6), (200, 5.0), (60, 5.0)]
    {
        let verify = Verify { horizon, trainings };
        let mut spent = 0;
        let found = checked(0.02, &verify, |lr, steps, _| {
            spent += steps;
            bowl(lr, 0.005, f64::INFINITY)
        });
        let test = found.curve.len();
        assert_eq!(found.cost_steps, test + spent);
        let all: usize = found.verification.iter().map(|t| t.steps).sum();
        assert_eq!(all, spent);
        let least = 5 * horizon.min(50);
        assert!(spent <= verify.budget().max(least), "{horizon}: {spent}");
        assert!(found.verification.iter().all(|t| t.steps <= horizon));
    }
}

#[test]
fn short_trials_are_corrected_for_the_horizon() {
    let verify = Verify { horizon: 1000, trainings: 0.5 };
    let found = checked(0.1, &verify, |lr, _, _| bowl(lr, 0.1, f64::INFINITY));
    // 100 steps each, so a factor of the root of 10.
    assert!(decades(found.lr, 0.1 / 10.0_f64.sqrt()) < 0.01, "{found:?}");
    assert!(found.reason.ends_with("times 0.32 for 1000 steps"));
}

#[test]
fn a_neighbour_that_diverged_does_not_bend_the_parabola() {
    let found = checked(0.1, &Verify::new(50), |lr, _, _| bowl(lr, 0.1, 0.2));
    assert!(decades(found.lr, 0.1) < 0.05, "{}", found.reason);
    assert!(found.verification.iter().any(|trial| trial.loss.is_none()));
    assert_eq!(found.outcome, FindOutcome::Found);
}

#[test]
fn when_all_diverge_the_search_goes_down_and_says_so() {
    let found = checked(0.1, &Verify::new(1000), |_, _, _| None);
    assert!(found.lr < 1e-3 && found.lr > 0.0);
    assert!(found.reason.contains("all diverged"), "{}", found.reason);
    let nan = checked(0.1, &Verify::new(1000), |_, _, _| Some(f64::NAN));
    assert_eq!(nan.verification, found.verification);
}

#[test]
fn trials_share_a_seed_and_repeat() {
    let run = || {
        checked(0.02, &Verify::new(500), |lr, _, seed| {
            // Noise common to all rates cancels.
            let noise = (seed % 1000) as f64;
            bowl(lr, 0.03, 1.0).map(|loss| loss + noise)
        })
    };
    let (first, second) = (run(), run());
    assert_eq!(first, second);
    let seeds = first.verification.iter().map(|trial| trial.seed);
    assert!(seeds.clone().all(|seed| Some(seed) == seeds.clone().next()));
    assert!(decades(first.lr, 0.03) < 0.26, "{}", first.reason);
}

#[test]
fn a_budget_that_makes_no_sense_is_refused() {
    let refuse = |verify: Verify| {
        let mut train = |rates: &[f64], _, _: LossKind, _: &mut Watch<'_>| {
            Ok(vec![1.0; rates.len()])
        };
        let mut trial = |_, _, _| Ok(None);
        let test = RangeTest { ladder: Ladder::Linear, ..RangeTest::default() };
        find(&test, Some(&verify), 1, &mut train, &mut trial)
            .expect_err("senseless")
            .to_string()
    };
    let verify = Verify::new(100);
    assert!(refuse(Verify { horizon: 0, ..verify }).contains("`horizon`"));
    let verify = Verify { trainings: f64::NAN, ..verify };
    assert!(refuse(verify).contains("`trainings`"));
}
