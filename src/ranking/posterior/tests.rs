use super::*;
use crate::record::Outcome;
use crate::seed::stream;
use rand::Rng;
use rand_distr::{Distribution as _, StandardNormal};

/// Runs of three schedules on `data_sets` data sets under both optimizers:
/// `b` is 0.05 behind `a` under sgd, and as good under adamw; `c` is 0.2
/// behind and diverges on one data set.
fn runs(data_sets: usize, rng: &mut impl Rng) -> (Vec<Observation>, Traits) {
    let mut traits = Traits::default();
    let mut runs = vec![];
    let mut noise = |sd: f64| -> f64 {
        let z: f64 = StandardNormal.sample(&mut *rng);
        sd * z
    };
    for data in 0..data_sets {
        let own: Vec<f64> = (0..3).map(|_| noise(0.01)).collect();
        for optimizer in ["sgd", "adamw"] {
            let workload = format!("{data}-{optimizer}");
            traits.optimizers.insert(workload.clone(), optimizer.to_owned());
            let behind = if optimizer == "sgd" { 0.05 } else { 0.0 };
            let level = noise(1.0);
            for budget in [100, 200] {
                for (j, behind) in [0.0, behind, 0.2].into_iter().enumerate() {
                    let log = level + behind + own[j] + noise(0.01);
                    let schedule = ["a", "b", "c"][j];
                    let run =
                        Observation::new(&workload, schedule, 0, log.exp())
                            .cluster(&data.to_string())
                            .budget(budget);
                    runs.push(if j == 2 && data == 0 {
                        run.outcome(Outcome::Diverged)
                    } else {
                        run
                    });
                }
            }
        }
    }
    (runs, traits)
}

fn of(data_sets: usize) -> Vec<PosteriorRow> {
    let (runs, traits) = runs(data_sets, &mut stream(3, "runs"));
    posterior(&runs, "valid_loss", &Protocol::default(), &traits)
        .expect("runs that can be ranked")
}

#[test]
fn planted_effects_of_regimes_are_found() {
    let rows = of(12);
    // Three of optimizers (with their mean) times three of budgets.
    assert_eq!(rows.len(), 9 * 3);
    let row = |optimizer: Option<&str>, schedule: &str| {
        rows.iter()
            .find(|row| {
                row.optimizer.as_deref() == optimizer
                    && row.budget.is_none()
                    && row.schedule == schedule
            })
            .expect("a row")
    };
    let sgd = row(Some("sgd"), "b");
    assert!((sgd.regret - 0.05).abs() < 0.02, "{sgd:?}");
    assert!(sgd.regret_low < 0.05 && 0.05 < sgd.regret_high, "{sgd:?}");
    assert!(row(Some("sgd"), "a").p_best > 0.99);
    let adamw = row(Some("adamw"), "b");
    assert!(adamw.p_near_best > 0.7, "{adamw:?}");
    assert!((0.05..0.95).contains(&adamw.p_best), "{adamw:?}");
    let worst = row(None, "c");
    assert!((worst.regret - 0.2).abs() < 0.04, "{worst:?}");
    assert!(worst.p_best < 0.001);
    // On a new data set the best is another one now and then.
    let a = row(None, "a");
    assert!(a.regret_new_data > a.regret, "{a:?}");
    assert!(rows.iter().all(|row| row.r_hat < 1.05));
}

#[test]
fn the_rows_of_a_regime_begin_with_the_best() {
    let rows = of(6);
    for regime in rows.chunks(3) {
        assert!(regime[0].regret <= regime[1].regret);
        assert!(regime[1].regret <= regime[2].regret);
        let best: f64 = regime.iter().map(|row| row.p_best).sum();
        assert!((best - 1.0).abs() < 1e-9);
    }
}

#[test]
fn two_data_sets_are_too_few() {
    assert!(of(2).is_empty());
}

#[test]
fn nothing_is_said_from_the_prior_alone() {
    let (mut runs, traits) = runs(6, &mut stream(3, "runs"));
    for run in &mut runs {
        run.outcome = Outcome::Diverged;
    }
    let rows = posterior(&runs, "valid_loss", &Protocol::default(), &traits);
    assert!(rows.expect("runs that can be ranked").is_empty());
    // Nor in a unit that is not known.
    for run in &mut runs {
        (run.outcome, run.score) = (Outcome::Completed, Some(0.0));
    }
    let rows = posterior(&runs, "accuracy", &Protocol::default(), &traits);
    assert!(rows.expect("runs that can be ranked").is_empty());
}

/// `b` is 0.1 ahead of `a` under sgd at the high rate and under adamw at the
/// low one, and 0.1 behind it else: no optimizer and no rate alone shows it.
#[test]
fn a_schedule_may_need_another_rate_under_another_optimizer() {
    let rng = &mut stream(5, "runs");
    let (mut runs, mut traits) = (vec![], Traits::default());
    for data in 0..10 {
        for optimizer in ["sgd", "adamw"] {
            let workload = format!("{data}-{optimizer}");
            traits.optimizers.insert(workload.clone(), optimizer.to_owned());
            traits.kinds.insert(workload.clone(), format!("k{}", data % 2));
            for multiple in [0.25, 1.0, 4.0] {
                let ahead = match (optimizer, multiple) {
                    ("sgd", 4.0) | ("adamw", 0.25) => -0.1,
                    ("sgd", 0.25) | ("adamw", 4.0) => 0.1,
                    _ => 0.0,
                };
                for (schedule, log) in [("a", 0.0), ("b", ahead)] {
                    let noise: f64 = StandardNormal.sample(rng);
                    let score = (log + 0.01 * noise).exp();
                    let run = Observation::new(&workload, schedule, 0, score);
                    let run = run.cluster(&data.to_string());
                    runs.push(run.lr_multiple(multiple));
                }
            }
        }
    }
    let rows = posterior(&runs, "valid_loss", &Protocol::default(), &traits)
        .expect("runs that can be ranked");
    let regret = |optimizer: Option<&str>, rate: Option<&str>, schedule| {
        let row = rows.iter().find(|row| {
            row.optimizer.as_deref() == optimizer
                && row.lr_multiple.as_deref() == rate
                && row.kind.is_none()
                && row.schedule == schedule
        });
        row.expect("a row").regret
    };
    for (optimizer, good, bad) in [("sgd", "4", "0.25"), ("adamw", "0.25", "4")]
    {
        let at = |rate| {
            let both = ["a", "b"];
            both.map(|name| regret(Some(optimizer), Some(rate), name))
        };
        assert!(at(good)[0] > 0.08 && at(good)[1] < 0.01, "{:?}", at(good));
        assert!(at(bad)[1] > 0.08 && at(bad)[0] < 0.01, "{:?}", at(bad));
    }
    assert!(regret(Some("sgd"), None, "b") < 0.03);
    // Three of optimizers by four of rates; two kinds by three optimizers, at
    // the rate found and in the mean.
    assert_eq!(rows.len(), (12 + 2 * 3 * 2) * 2);
}
