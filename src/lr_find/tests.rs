//! The finder on made-up problems: what must not change its answer, and one
//! stream for each outcome.

use super::*;
use crate::seed;
use rand::RngExt as _;
use rand_distr::{Distribution as _, StandardNormal};

/// A V over the logarithm of the rate, lowest at `bottom`.
fn v_shape(n: usize, bottom: f64) -> (Vec<f64>, Vec<f64>) {
    let x = |i| -7.0 + 8.0 * i as f64 / (n - 1) as f64;
    let lr = (0..n).map(|i| 10_f64.powf(x(i))).collect();
    let loss = (0..n).map(|i| (x(i) - bottom).abs()).collect();
    (lr, loss)
}

/// A range test by SGD on a noisy quadratic in 16 dimensions with curvatures
/// from `0.1 * curvature` to `curvature`: it diverges above `2 / curvature`.
fn quadratic(
    curvature: f64,
    noise: f64,
    rates: &[f64],
    seed: u64,
    watch: &mut Watch<'_>,
) -> Vec<f64> {
    let mut rng = seed::stream(seed, "quadratic");
    let mut draw = || -> f64 { StandardNormal.sample(&mut rng) };
    let curvatures: Vec<f64> = (0..16)
        .map(|i| curvature * 10_f64.powf(-f64::from(i) / 15.0))
        .collect();
    let mut x: Vec<f64> = (0..16).map(|_| draw() / curvature.sqrt()).collect();
    let mut losses = vec![];
    for (step, lr) in rates.iter().enumerate() {
        let pairs = curvatures.iter().zip(&x);
        let clean: f64 = pairs.map(|(c, x)| 0.5 * c * x * x).sum();
        losses.push(clean + noise * draw());
        for (c, x) in curvatures.iter().zip(&mut x) {
            *x -= lr * (c * *x + noise * c.sqrt() * draw());
        }
        if watch(step, losses[step]).is_break() {
            break;
        }
    }
    losses
}

/// Trains by `train` alone, one after the other.
fn without_trials<'a>(train: &'a Train<'a>) -> Runs<'a> {
    Runs { train, trial: &|_, _, _| Ok(None), several: &one_by_one }
}

/// The finder, without trials, on a trainer that needs no errors.
fn range_test_alone(
    test: &RangeTest,
    run: impl Fn(&[f64], u64, &mut Watch<'_>) -> Vec<f64> + Sync,
) -> LrFound {
    let train = |rates: &[f64], seed, _, watch: &mut Watch<'_>| {
        Ok(run(rates, seed, watch))
    };
    find(test, None, 7, without_trials(&train)).expect("a trainer that works")
}

fn decades(a: f64, b: f64) -> f64 {
    (a / b).log10().abs()
}

#[test]
fn the_bottom_of_a_v_is_found_to_a_rung_at_any_length() {
    for n in [50, 100, 1000] {
        for bottom in [-3.0, -2.37, -1.05] {
            let (lr, loss) = v_shape(n, bottom);
            let found = suggest(Rule::Lrscout, &lr, &loss).expect("a V");
            let off = (lr[found.index].log10() - bottom).abs();
            assert!(off < 8.0 / n as f64, "{n} rungs: {off} decades off");
            assert!(decades(found.lr, lr[found.index] / 3.0) < 1e-12);
        }
    }
}

#[test]
fn scaling_or_shifting_the_loss_changes_nothing() {
    let mut rng = seed::stream(3, "noise");
    for noise in [0.0, 0.05, 0.3] {
        let test = RangeTest::default();
        let base = |rates: &[f64], seed, watch: &mut Watch<'_>| {
            quadratic(1.0, noise, rates, seed, watch)
        };
        let want = range_test_alone(&test, base);
        for _ in 0..5 {
            let a = 10_f64.powf(rng.random_range(-3.0..3.0));
            let b = rng.random_range(-1000.0..1000.0) * a;
            let moved = |rates: &[f64], seed, watch: &mut Watch<'_>| {
                let mut shown = |step, loss: f64| watch(step, a * loss + b);
                let losses = quadratic(1.0, noise, rates, seed, &mut shown);
                losses.iter().map(|loss| a * loss + b).collect()
            };
            let got = range_test_alone(&test, moved);
            let at = format!("{a} * loss + {b}, noise {noise}");
            assert_eq!(got.outcome, want.outcome, "{at}");
            assert!(decades(got.lr, want.lr) < 1e-9, "{at}");
        }
    }
}

#[test]
fn a_rescaled_problem_gets_a_rescaled_rate() {
    let at = |curvature: f64| {
        range_test_alone(&RangeTest::default(), |rates, seed, watch| {
            quadratic(curvature, 0.05, rates, seed, watch)
        })
    };
    let base = at(1.0);
    assert_eq!(base.outcome, FindOutcome::Found, "{}", base.reason);
    for factor in [1e-6, 1e-3, 1e3, 1e6] {
        let found = at(factor);
        let off = decades(found.lr * factor, base.lr);
        let words = &found.reason;
        assert!(off < 0.2, "{factor}: {off} decades off; {words}");
    }
}

#[test]
fn five_times_the_steps_move_the_rate_by_less_than_half_a_decade() {
    let at = |steps| {
        let test = RangeTest { steps, ..RangeTest::default() };
        range_test_alone(&test, |rates, seed, watch| {
            quadratic(1.0, 0.05, rates, seed, watch)
        })
        .lr
    };
    let off = decades(at(500), at(100));
    assert!(off < 0.5, "{off} decades");
}

#[test]
fn a_loss_that_is_negative_throughout_is_read_like_any_other() {
    let at = |below: f64| {
        range_test_alone(&RangeTest::default(), |rates, seed, watch| {
            let mut shown = |step, loss: f64| watch(step, loss - below);
            let losses = quadratic(1.0, 0.05, rates, seed, &mut shown);
            losses.iter().map(|loss| loss - below).collect()
        })
    };
    let (plain, negative) = (at(0.0), at(1e4));
    let start = negative.curve[0].loss;
    assert!(start < 0.0, "{start}");
    assert_eq!(negative.outcome, FindOutcome::Found);
    assert!(decades(plain.lr, negative.lr) < 1e-6, "{}", negative.reason);
}

#[test]
fn a_range_moved_by_a_decade_moves_the_rate_by_less_than_a_tenth() {
    let at = |from: f64, to: f64| {
        let rungs = (to / from).log10() * 12.5;
        let test = RangeTest {
            from,
            to,
            steps: (0..1000).take_while(|&i| f64::from(i) < rungs).count(),
            ..RangeTest::default()
        };
        range_test_alone(&test, |rates, seed, watch| {
            quadratic(1.0, 0.02, rates, seed, watch)
        })
        .lr
    };
    let base = at(1e-7, 10.0);
    for (from, to) in [(1e-8, 10.0), (1e-6, 10.0), (1e-7, 1.0), (1e-7, 100.0)] {
        let off = decades(at(from, to), base);
        assert!(off < 0.1, "{from} to {to}: {off} decades");
    }
}

#[test]
fn each_outcome_has_its_stream_its_words_and_a_rate() {
    let stream = |losses: fn(usize, f64, &mut dyn FnMut() -> f64) -> f64| {
        let run = move |rates: &[f64], seed, watch: &mut Watch<'_>| {
            let mut rng = seed::stream(seed, "stream");
            let mut draw = || -> f64 { StandardNormal.sample(&mut rng) };
            let mut done = vec![];
            for (step, lr) in rates.iter().enumerate() {
                done.push(losses(step, lr.log10(), &mut draw));
                if watch(step, done[step]).is_break() {
                    break;
                }
            }
            done
        };
        range_test_alone(&RangeTest::default(), run)
    };
    for (outcome, words, found) in [
        (
            FindOutcome::Found,
            "the loss is lowest at",
            stream(|_, x, draw| (x + 2.0).abs().min(3.0) + 0.01 * draw()),
        ),
        (
            FindOutcome::NoDescent,
            "the loss fell at no rate up to",
            stream(|_, _, draw| 2.3 + 0.1 * draw()),
        ),
        (
            FindOutcome::NoDescent,
            "the loss fell at no rate and diverged at",
            stream(|_, x, draw| 2.3 + 0.1 * draw() + x.max(0.0) * 50.0),
        ),
        (
            FindOutcome::NoDescent,
            "the loss fell at no rate up to",
            stream(|_, _, _| 1.5),
        ),
        (
            FindOutcome::NeverDiverged,
            "the loss never rose again",
            stream(|_, x, draw| -(x + 4.0).max(0.0) + 0.01 * draw()),
        ),
        (
            FindOutcome::TooNoisy,
            "the noise leaves everything",
            stream(|_, x, draw| {
                let well = if (-6.0..0.5).contains(&x) { -1.0 } else { 0.0 };
                well + if x > 0.5 { 90.0 } else { 0.0 } + 0.4 * draw()
            }),
        ),
        (
            FindOutcome::NonFiniteAtStart,
            "the loss is not finite before the first update",
            stream(|_, _, _| f64::NAN),
        ),
        (
            FindOutcome::NonFiniteAtStart,
            "the loss is not finite after a few updates",
            stream(|step, _, _| if step < 2 { 1.0 } else { f64::INFINITY }),
        ),
    ] {
        assert_eq!(found.outcome, outcome, "{}", found.reason);
        assert!(found.reason.starts_with(words), "{}", found.reason);
        assert!(found.lr > 0.0 && found.lr.is_finite());
        let (low, high) = found.interval;
        assert!(low <= found.lr && found.lr <= high, "{:?}", found.interval);
        assert!(found.cycle.0 < found.cycle.1, "{:?}", found.cycle);
        assert!(!found.curve.is_empty());
        let text = serde_json::to_string(&found).expect("serializable");
        let back: LrFound = serde_json::from_str(&text).expect("readable");
        assert_eq!(back.curve.len(), found.curve.len());
    }
}

#[test]
fn a_second_call_gives_the_same_and_another_seed_other_weights() {
    let test = RangeTest::default();
    let call = |seed: u64| {
        let seen = Mutex::new(vec![]);
        let train = |rates: &[f64], seed, on, watch: &mut Watch<'_>| {
            assert_eq!(on, LossKind::Train);
            seen.lock().expect("one thread").push(seed);
            Ok(quadratic(1.0, 0.1, rates, seed, watch))
        };
        let found = find(&test, None, seed, without_trials(&train))
            .expect("a trainer that works");
        (found, seen.into_inner().expect("one thread"))
    };
    let (first, seeds) = call(1);
    assert_eq!(seeds.len(), 3);
    assert_eq!((first.clone(), seeds.clone()), call(1));
    assert!(call(2).1.iter().all(|seed| !seeds.contains(seed)));
    assert_eq!(first.per_seed.len(), 3);
    assert_eq!(first.suggestion, first.lr);
}

#[test]
fn a_failing_trainer_is_an_error() {
    let train = |_: &[f64], _, _, _: &mut Watch<'_>| {
        Err(crate::error::Error::Interrupted)
    };
    let test = RangeTest::default();
    let result = find(&test, None, 1, without_trials(&train));
    assert!(matches!(result, Err(crate::error::Error::Interrupted)));
}

#[test]
fn the_ladder_ends_soon_after_divergence_and_the_cost_counts_it() {
    let found =
        range_test_alone(&RangeTest::default(), |rates, seed, watch| {
            quadratic(1.0, 0.05, rates, seed, watch)
        });
    let last = found.curve.last().expect("a curve").lr;
    assert!(last > 2.0 && last < 100.0, "{last}");
    assert!(found.cost_steps < 3 * 120, "{}", found.cost_steps);
    assert!(found.curve.iter().all(|point| point.smoothed.is_finite()));
    let (low, high) = found.cycle;
    assert!(low > 1e-4 && high == found.lr, "{:?}", found.cycle);
}

#[test]
fn another_tools_rule_sees_the_whole_table() {
    let test = RangeTest { rule: Rule::FastaiMinimum, ..RangeTest::default() };
    let found = range_test_alone(&test, |rates, seed, watch| {
        assert_eq!(rates.len(), 100);
        quadratic(1.0, 0.05, rates, seed, watch)
    });
    assert_eq!(found.rule, Rule::FastaiMinimum);
    let losses: Vec<f64> = found.curve.iter().map(|p| p.loss).collect();
    let rates: Vec<f64> = found.curve.iter().map(|p| p.lr).collect();
    assert_eq!(rates.len(), 100);
    let want = suggest(Rule::FastaiMinimum, &rates, &losses);
    assert_eq!(want.map(|found| found.lr), Some(found.lr));
    // A rule without an answer hands over to ours, and says so.
    let flat_but_one = range_test_alone(
        &RangeTest { rule: Rule::MxnetStop, ..RangeTest::default() },
        |rates, _, _| {
            let v = |lr: &f64| 5.0 + (lr.log10() + 3.0).abs();
            rates.iter().map(v).collect()
        },
    );
    assert_eq!(flat_but_one.rule, Rule::Lrscout);
    assert!(flat_but_one.reason.contains("since `mxnet-stop` has no answer"));
}

#[test]
fn a_linear_ladder_is_read_too_and_narrowed_when_it_starts_too_high() {
    for (to, curvature) in [(10.0, 1.0), (1.0, 100.0)] {
        let test = RangeTest {
            ladder: Ladder::Linear,
            steps: 200,
            to,
            ..RangeTest::default()
        };
        let found = range_test_alone(&test, |rates, seed, watch| {
            quadratic(curvature, 0.02, rates, seed, watch)
        });
        let scaled = found.lr * curvature;
        assert!(scaled > 0.02 && scaled < 2.0, "{scaled}: {}", found.reason);
    }
}

#[test]
fn the_interval_covers_the_median_of_many_seeds() {
    let noise = 0.3;
    let median_of_many = {
        let test = RangeTest { seeds: 101, ..RangeTest::default() };
        range_test_alone(&test, |rates, seed, watch| {
            quadratic(1.0, noise, rates, seed, watch)
        })
        .lr
    };
    let covered = |seeds| {
        let test = RangeTest { seeds, ..RangeTest::default() };
        let hits = (0..100_u64).filter(|&k| {
            let found = range_test_alone(&test, |rates, seed, watch| {
                quadratic(1.0, noise, rates, seed ^ (k << 32), watch)
            });
            let (low, high) = found.interval;
            (low..=high).contains(&median_of_many)
        });
        hits.count()
    };
    for seeds in [1, 3] {
        let percent = covered(seeds);
        assert!((80..=97).contains(&percent), "{seeds} seeds: {percent} %");
    }
}

#[test]
fn trials_find_the_planted_rate_of_a_noisy_quadratic() {
    // Of all constant rates the best one balances bias and noise.
    let end = |lr: f64, steps: usize, seed: u64| {
        let mut go = |_, _| std::ops::ControlFlow::Continue(());
        let losses = quadratic(1.0, 0.3, &vec![lr; steps], seed, &mut go);
        let tail = &losses[steps * 9 / 10..];
        let mean = tail.iter().sum::<f64>() / tail.len() as f64;
        (mean < 1e3).then_some(mean)
    };
    let rung = |k: i32| 10_f64.powf(f64::from(k) / 8.0);
    let mean = |lr: f64| {
        let losses: Vec<f64> =
            (0..20).map(|s| end(lr, 400, s).unwrap_or(1e3)).collect();
        losses.iter().sum::<f64>() / 20.0
    };
    let grid: Vec<f64> = (-32..8).map(|k| mean(rung(k))).collect();
    let least = grid.iter().copied().fold(f64::INFINITY, f64::min);
    let start = mean(1e-9);
    let train = |rates: &[f64], seed, _, watch: &mut Watch<'_>| {
        Ok(quadratic(1.0, 0.3, rates, seed, watch))
    };
    let trial = |lr, steps, seed| {
        let loss = end(lr, steps, seed);
        Ok(loss.map(|valid| TrialLosses { valid, train: Some(valid) }))
    };
    let test = RangeTest::default();
    for seed in 0..5 {
        let verify = Verify::new(400);
        let runs = Runs { train: &train, trial: &trial, several: &one_by_one };
        let found = find(&test, Some((&verify, 1.0)), seed, runs)
            .expect("trials that work");
        let regret = (mean(found.lr) - least) / (start - least);
        assert!(regret < 0.02, "regret {regret}: {}", found.reason);
        assert_eq!(found.outcome, FindOutcome::Found);
    }
}
