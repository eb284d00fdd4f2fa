use super::super::climb::HORIZON_EXPONENT;
use super::super::{
    Ladder, LossKind, RangeTest, Train, TrialLosses, TrialRun, Watch, find,
    one_by_one,
};
use super::*;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

fn one_thread<'a>(train: &'a Train<'a>, trial: &'a TrialRun<'a>) -> Runs<'a> {
    Runs { train, trial, several: &one_by_one }
}

/// A find whose range test is a V around `suggested * 3` and whose trials are
/// `trial`.
fn checked(
    suggested: f64,
    verify: &Verify,
    trial: impl Fn(f64, usize, u64) -> Option<f64> + Sync,
) -> LrFound {
    let train = |rates: &[f64], _, _, watch: &mut Watch<'_>| {
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
    let trial = |lr, steps, seed| {
        let loss = trial(lr, steps, seed);
        Ok(loss.map(|valid| TrialLosses { valid, train: Some(valid) }))
    };
    let test = RangeTest { seeds: 1, ..RangeTest::default() };
    find(&test, Some((verify, 1.0)), 1, one_thread(&train, &trial))
        .expect("trials that work")
}

/// A bowl around `best` at any length, divergence above `limit`.
fn bowl(lr: f64, best: f64, limit: f64) -> Option<f64> {
    let away = (lr / best).log10();
    (lr < limit).then_some(0.3 + away * away)
}

/// A budget that ends in trials of the whole horizon.
fn full(horizon: usize) -> Verify {
    Verify { horizon, trainings: 6.0 }
}

fn decades(a: f64, b: f64) -> f64 {
    (a / b).log10().abs()
}

#[test]
fn a_planted_best_rate_is_found_from_far_off() {
    let verify = Verify { horizon: 1000, trainings: 6.0 };
    for off in [0.01, 0.1, 1.0, 10.0, 100.0] {
        let found = checked(0.02 * off, &verify, |lr, steps, _| {
            let law = (1000.0 / steps as f64).powf(HORIZON_EXPONENT);
            bowl(lr, 0.02 * law, f64::INFINITY)
        });
        let words = &found.reason;
        assert!(decades(found.lr, 0.02) < 0.01, "{off}: {words}");
        assert_eq!(found.outcome, FindOutcome::Found, "{words}");
        assert_eq!(found.confidence, Confidence::High);
        let (low, high) = found.interval;
        assert!(low < 0.02 && 0.02 < high && decades(low, high) < 0.67);
        let (low, high) = found.basin.expect("trials");
        assert!(low < 0.02 && 0.02 < high, "{low} to {high}");
    }
}

#[test]
fn luck_of_the_seeds_does_not_move_the_basin() {
    let basin = |luck: f64| {
        let seeds = Mutex::new(vec![]);
        let verify = Verify { horizon: 1000, trainings: 5.0 };
        let found = checked(0.02, &verify, |lr, steps, seed| {
            let mut seeds = seeds.lock().expect("no panic");
            if !seeds.contains(&seed) {
                seeds.push(seed);
            }
            let sign = if seed == seeds[0] { 1.0 } else { -1.0 };
            let law = (1000.0 / steps as f64).powf(HORIZON_EXPONENT);
            let loss = bowl(lr, 0.02 * law, f64::INFINITY)?;
            Some(loss + sign * luck)
        });
        assert_eq!(seeds.into_inner().expect("no panic").len(), 2);
        found.basin.expect("trials")
    };
    let (low, high) = basin(0.0);
    let (lucky_low, lucky_high) = basin(0.3);
    assert!(decades(low, lucky_low) < 1e-6, "{low} {lucky_low}");
    assert!(decades(high, lucky_high) < 1e-6, "{high} {lucky_high}");
}

#[test]
fn the_budget_holds_and_the_cost_is_what_was_run() {
    for (horizon, trainings) in
        [(1000, 5.0), (1000, 1.4), (1000, 0.6), (200, 5.0), (60, 5.0)]
    {
        let verify = Verify { horizon, trainings };
        let spent = AtomicUsize::new(0);
        let found = checked(0.02, &verify, |lr, steps, _| {
            spent.fetch_add(steps, Ordering::Relaxed);
            bowl(lr, 0.005, f64::INFINITY)
        });
        let spent = spent.into_inner();
        let test = found.curve.len();
        assert_eq!(found.cost_steps, test + spent);
        let all: usize = found.verification.iter().map(|t| t.steps).sum();
        assert_eq!(all, spent);
        // Three trials are the least that shows anything.
        let first = found.verification[0].steps;
        let least = 3 * first;
        let budget = verify.budget().saturating_sub(test);
        assert!(spent <= budget.max(least), "{horizon}: {spent}");
        assert!(found.verification.iter().all(|t| t.steps <= horizon));
    }
}

#[test]
fn short_trials_are_corrected_for_the_horizon() {
    let verify = Verify::new(1000);
    let found = checked(0.1, &verify, |lr, _, _| bowl(lr, 0.1, f64::INFINITY));
    let law = 0.24_f64.powf(HORIZON_EXPONENT);
    assert!(decades(found.lr, 0.1 * law) < 0.02, "{found:?}");
    assert!(found.reason.ends_with("times 0.72 for 1000 steps"));
    // The same law serves other horizons.
    assert!(decades(found.at_horizon(240), 0.1) < 0.02);
    assert_eq!(found.at_horizon(1000), found.lr);
}

#[test]
fn a_model_that_learns_by_heart_gets_a_rate_by_the_sum_of_its_rates() {
    let train = |rates: &[f64], _, _: LossKind, watch: &mut Watch<'_>| {
        let mut losses = vec![];
        for (step, lr) in rates.iter().enumerate() {
            losses.push((lr / 1.2).log10().abs());
            if watch(step, losses[step]) == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(losses)
    };
    // What is best has lr * steps = 24; the training loss falls further.
    let trial = |lr: f64, steps: usize, _| {
        let away = (lr * steps as f64 / 24.0).log10();
        let train = Some(-lr);
        Ok(Some(TrialLosses { valid: 0.3 + away * away, train }))
    };
    let verify = Verify::new(1000);
    let test = RangeTest { seeds: 1, ..RangeTest::default() };
    let found =
        find(&test, Some((&verify, 1.0)), 1, one_thread(&train, &trial))
            .expect("trials that work");
    assert!(decades(found.lr, 0.024) < 0.01, "{}", found.reason);
    assert!(
        found.reason.contains("memorizes its training part"),
        "{}",
        found.reason
    );
}

#[test]
fn a_neighbour_that_diverged_does_not_bend_the_parabola() {
    let found = checked(0.1, &full(50), |lr, _, _| bowl(lr, 0.1, 0.2));
    // Nothing but the law for the other half of the horizon.
    let want = 0.1 * 0.5_f64.powf(HORIZON_EXPONENT);
    assert!(decades(found.lr, want) < 0.05, "{}", found.reason);
    assert!(found.verification.iter().any(|trial| trial.loss.is_none()));
    assert_eq!(found.outcome, FindOutcome::Found);
}

#[test]
fn when_all_diverge_the_search_goes_down_and_says_so() {
    let found = checked(0.1, &full(1000), |_, _, _| None);
    assert!(found.lr < 1e-3 && found.lr > 0.0);
    assert!(found.reason.contains("all diverged"), "{}", found.reason);
    let nan = checked(0.1, &full(1000), |_, _, _| Some(f64::NAN));
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
        let train = |rates: &[f64], _, _: LossKind, _: &mut Watch<'_>| {
            Ok(vec![1.0; rates.len()])
        };
        let trial = |_, _, _| Ok(None);
        let test = RangeTest { ladder: Ladder::Linear, ..RangeTest::default() };
        find(&test, Some((&verify, 1.0)), 1, one_thread(&train, &trial))
            .expect_err("senseless")
            .to_string()
    };
    let verify = Verify::new(100);
    assert!(refuse(Verify { horizon: 0, ..verify }).contains("`horizon`"));
    let verify = Verify { trainings: f64::NAN, ..verify };
    assert!(refuse(verify).contains("`trainings`"));
}

#[test]
fn a_guess_two_decades_off_is_mended_within_the_budget() {
    // The loss of the range test never falls, so its rate is a fallback.
    let train = |rates: &[f64], _, _: LossKind, _: &mut Watch<'_>| {
        Ok(vec![2.0; rates.len()])
    };
    let test = RangeTest { seeds: 1, ..RangeTest::default() };
    for best in [1e-5, 1e-3, 1e-1] {
        let trial = |lr: f64, _, _| {
            let away = (lr / best).log10();
            let valid = 0.3 + away * away;
            Ok(Some(TrialLosses { valid, train: Some(valid) }))
        };
        let verify = Verify::new(1000);
        let found =
            find(&test, Some((&verify, 1.0)), 1, one_thread(&train, &trial))
                .expect("trials that work");
        let want = best * 0.25_f64.powf(HORIZON_EXPONENT);
        assert!(decades(found.lr, want) < 0.5, "{best}: {found:?}");
        assert_ne!(found.confidence, Confidence::High, "it began as a guess");
    }
}

#[test]
fn the_cost_stays_within_the_budget() {
    for suggested in [1e-9, 1e-4, 0.1] {
        for horizon in [250, 500, 2000] {
            for trainings in [1.0, 1.4, 4.5] {
                let verify = Verify { horizon, trainings };
                let found = checked(suggested, &verify, |lr, _, _| {
                    bowl(lr, suggested, 1.0)
                });
                let (cost, budget) = (found.cost_steps, verify.budget());
                assert!(cost <= budget, "{suggested} {horizon}: {cost}");
            }
        }
    }
}

/// A trainer of one example an update: above `limit` it learns nothing, and
/// luck decides which of those rates looks best; below it is a bowl.
fn one_example(lr: f64, steps: usize, limit: f64) -> f64 {
    // Above the training loss of the start.
    let untouched = 9.0;
    if steps == 1 {
        return untouched;
    }
    if lr > limit {
        return untouched + 0.1 + (7.0 * lr.ln()).sin().abs();
    }
    let away = (4.0 * lr / limit).log10();
    (untouched - 1.0 + away * away).min(untouched - 1e-3)
}

#[test]
fn rates_that_learn_nothing_are_left_behind() {
    let verify = Verify { horizon: 1000, trainings: 6.0 };
    let best = 0.01;
    let found = checked(0.2, &verify, |lr, steps, _| {
        Some(one_example(lr, steps, 4.0 * best))
    });
    let (low, high) = found.interval;
    assert!(low < best && best < high, "{}", found.reason);
    assert!(found.confidence > Confidence::Low, "{}", found.reason);
}

#[test]
fn where_nothing_is_learned_the_confidence_is_low() {
    for (limit, words) in [
        (1e-9, "no better than the weights before any update"),
        (0.2, "no better than no update just above it"),
    ] {
        let found = checked(0.2, &Verify::new(250), |lr, steps, _| {
            Some(one_example(lr, steps, limit))
        });
        assert_eq!(found.confidence, Confidence::Low, "{}", found.reason);
        assert_eq!(found.interval.0, found.curve[0].lr, "{}", found.reason);
        assert!(found.reason.contains(words), "{limit}: {}", found.reason);
    }
}
