use super::{Cell, Event, Options, Results, execute, prepare};
use crate::data::Dataset;
use crate::grid::Experiment;
use crate::nn;
use crate::plan::NUMERICS_VERSION;
use crate::store::Store;
use crate::train::Fit;
use crate::workload::Registry;
use candle_core::Tensor;
use candle_nn::{Func, Module as _};
use std::io::{BufRead as _, Write as _};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Three schedules that share a warm-up, one of them its first half, too.
const GRID: &str = r#"
seeds = 2
budgets = [30]
control = "constant"

[lr_find]
seeds = 1
steps = 20
verify = false

[[workload]]
name = "MODEL"
model = ["mlp", "MODEL"]
dataset = "digits"

[[schedule]]
kind = "constant"
warmup = 5

[[schedule]]
kind = "wsd"
decay = 0.5
warmup = 5

[[schedule]]
kind = "linear"
warmup = 5
"#;

/// After so many updates in training, `odd` comes instead of the output.
fn odd(
    registry: Registry,
    name: &str,
    updates: usize,
    odd: impl Fn(Tensor) -> candle_core::Result<Tensor>
    + Clone
    + Send
    + Sync
    + 'static,
) -> Registry {
    registry.model(name, move |vb, data| {
        let layer = nn::linear(data.features(), data.outputs(), vb.pp("out"))?;
        let (seen, odd) = (Mutex::new(0), odd.clone());
        let model: Func<'static> = candle_nn::func(move |x| {
            let y = layer.forward(&x.flatten_from(1)?)?;
            let mut seen = seen.lock().expect("one thread");
            *seen += 1;
            if *seen > updates { odd(y) } else { Ok(y) }
        });
        Ok(model)
    })
}

fn registry() -> Registry {
    let builtin = Registry::builtin();
    let builtin = odd(builtin, "panics", 25, |_| panic!("out of luck"));
    let builtin = odd(builtin, "fails", 25, |y| y.reshape(1));
    let builtin = odd(builtin, "not-a-number", 25, |y| y.affine(f64::NAN, 0.0));
    let builtin = odd(builtin, "slow", 0, |y| {
        std::thread::sleep(Duration::from_millis(5));
        Ok(y)
    });
    odd(builtin, "even", usize::MAX, Ok)
}

fn experiment(model: &str, registry: &Registry) -> Experiment {
    parsed(GRID, model, registry)
}

fn parsed(grid: &str, model: &str, registry: &Registry) -> Experiment {
    let grid = grid
        .replace("name = \"MODEL\"", "name = \"{model}\"")
        .replace("MODEL", model);
    Experiment::parse(Path::new("odd.toml"), &grid, &registry.known())
        .expect("a right grid")
}

fn store(folder: &tempfile::TempDir) -> Store {
    Store::new(&folder.path().join("store"))
}

fn run(
    experiment: &Experiment,
    store: &Store,
    change: impl Fn(Options<'_>) -> Options<'_>,
) -> Results {
    run_on(&registry(), experiment, store, change)
}

fn run_on(
    registry: &Registry,
    experiment: &Experiment,
    store: &Store,
    change: impl Fn(Options<'_>) -> Options<'_>,
) -> Results {
    let prepared =
        prepare(experiment, registry, Path::new("")).expect("prepared");
    let (stop, tell) = (AtomicBool::new(false), |_: &Event<'_>| ());
    let options = Options { bars: false, ..Options::new(2, &stop, &tell) };
    execute(experiment, &prepared, store, &change(options)).expect("runs")
}

/// Each run by itself: the count of the odd models is no weight, so a fork
/// would begin it anew.
fn alone(options: Options<'_>) -> Options<'_> {
    Options { sharing: false, ..options }
}

/// What each run came to, without its wall time.
fn fits(results: &Results) -> Vec<Option<Fit>> {
    let fit = |cell: &Cell<_>| match cell {
        Cell::Done(run) => {
            let run: &super::RunResult = run;
            Some(Fit { train_seconds: 0.0, ..run.fit.clone() })
        }
        _ => None,
    };
    results.runs.iter().map(fit).collect()
}

#[test]
fn a_model_that_panics_or_fails_harms_no_other_run() {
    for (model, why) in [("panics", "out of luck"), ("fails", "Shape mismatch")]
    {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let experiment = experiment(model, &registry());
        let results = run(&experiment, &store(&folder), alone);
        let (good, bad) = results.runs.split_at(results.runs.len() / 2);
        assert!(good.iter().all(|cell| matches!(cell, Cell::Done(_))));
        for cell in bad {
            let Cell::Failed(message) = cell else {
                unreachable!("{model}: {cell:?}");
            };
            assert!(message.contains(why), "{message}");
        }
        // What failed is tried again, what succeeded is not.
        let again = run(&experiment, &store(&folder), alone);
        assert_eq!(again.computed, 0);
        assert_eq!(fits(&results), fits(&again));
        let shared = run(&experiment, &store(&folder), |options| options);
        assert_eq!(fits(&results)[..good.len()], fits(&shared)[..good.len()]);
    }
}

#[test]
fn a_model_that_gives_no_numbers_has_diverged() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let experiment = experiment("not-a-number", &registry());
    let results = run(&experiment, &store(&folder), alone);
    let fits = fits(&results);
    let (good, bad) = fits.split_at(fits.len() / 2);
    let outcome = |fit: &Option<Fit>| fit.as_ref().map(|fit| fit.outcome);
    let completed = Some(crate::Outcome::Completed);
    assert!(good.iter().all(|fit| outcome(fit) == completed));
    let diverged = Some(crate::Outcome::Diverged);
    assert!(bad.iter().all(|fit| outcome(fit) == diverged),);
}

#[test]
fn sharing_changes_no_bit() {
    let (one, two) = (tempfile::tempdir(), tempfile::tempdir());
    let (one, two) = (one.expect("a folder"), two.expect("a folder"));
    let experiment = experiment("even", &registry());
    let shared = run(&experiment, &store(&one), |options| options);
    let alone = run(&experiment, &store(&two), |options| Options {
        sharing: false,
        jobs: 1,
        ..options
    });
    assert_eq!(fits(&shared), fits(&alone));
    assert_eq!(shared.computed, alone.computed);
}

#[test]
fn failing_fast_leaves_the_rest() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let experiment = experiment("fails", &registry());
    let results = run(&experiment, &store(&folder), |options| Options {
        fail_fast: true,
        jobs: 1,
        ..options
    });
    let failed = |cell: &&Cell<_>| matches!(cell, Cell::Failed(_));
    let failures = results.runs.iter().filter(failed).count()
        + results.finds.iter().filter(|c| matches!(c, Cell::Failed(_))).count();
    assert_eq!(failures, 1);
}

#[test]
fn a_run_past_its_time_is_given_up_and_runs_again() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let experiment = experiment("even", &registry());
    let late = run(&experiment, &store(&folder), |options| Options {
        run_time: Some(Duration::ZERO),
        ..options
    });
    assert!(late.runs.iter().all(|cell| matches!(cell, Cell::TimedOut(_))));
    let again = run(&experiment, &store(&folder), |options| options);
    assert!(again.runs.iter().all(|cell| matches!(cell, Cell::Done(_))));
}

#[test]
fn a_stopped_run_goes_on_to_the_same_numbers() {
    let (one, two) = (tempfile::tempdir(), tempfile::tempdir());
    let (one, two) = (one.expect("a folder"), two.expect("a folder"));
    let experiment = experiment("even", &registry());
    let whole = run(&experiment, &store(&one), |options| options);
    let registry = registry();
    let prepared =
        prepare(&experiment, &registry, Path::new("")).expect("prepared");
    for left in [1, 3, 7] {
        let stop = AtomicBool::new(false);
        let heard = std::sync::atomic::AtomicUsize::new(0);
        let tell = |event: &Event<'_>| {
            let finished = matches!(event, Event::Finished { .. });
            if finished && heard.fetch_add(1, Ordering::Relaxed) + 1 == left {
                stop.store(true, Ordering::Relaxed);
            }
        };
        let options = Options {
            bars: false,
            every_cell: true,
            ..Options::new(2, &stop, &tell)
        };
        execute(&experiment, &prepared, &store(&two), &options).expect("runs");
    }
    let resumed = run(&experiment, &store(&two), |options| options);
    assert_eq!(fits(&whole), fits(&resumed));
}

#[test]
fn what_is_no_number_is_kept_and_read_again() {
    // As in a table one of whose last rows is out of all proportion.
    let registry = registry().dataset("outlier", |device| {
        let mut data = Dataset::builtin("satimage", device)?;
        let inputs = data.test.inputs.affine(1e38, 0.0);
        let inputs = inputs.and_then(|inputs| inputs.clamp(-3e38, 3e38));
        data.test.inputs = inputs.expect("numbers");
        Ok(data)
    });
    let refined = "\n[[schedule]]\nkind = \"refined\"\n";
    for (model, dataset) in [("even", "outlier"), ("not-a-number", "digits")] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let grid = GRID.replace("digits", dataset) + refined;
        let experiment = parsed(&grid, model, &registry);
        let store = store(&folder);
        let first = run_on(&registry, &experiment, &store, alone);
        let again = run_on(&registry, &experiment, &store, alone);
        assert_eq!(again.computed, 0, "{model} on {dataset}");
        assert_eq!(store.take_notes(), [""; 0]);
        assert_eq!(fits(&first), fits(&again));
        let odd =
            |fit: &Option<Fit>| fit.as_ref().is_some_and(|f| f.test.is_none());
        assert!(fits(&first).iter().any(odd), "{model} on {dataset}");
    }
}

#[test]
fn a_claim_on_one_run_keeps_others_that_begin_like_it_free() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let registry = registry();
    let experiment = experiment("even", &registry);
    let prepared =
        prepare(&experiment, &registry, Path::new("")).expect("prepared");
    // Of the runs that share a warm-up the second: not the one whose claim
    // their task begins with.
    let theirs = &prepared.plan.runs[2];
    assert_eq!((theirs.schedule, theirs.seed), (1, 0));
    // As if another runner had it.
    let claim = store(&folder).claim(&theirs.id).expect("writable");
    // A busy machine may need more than one try of five seconds.
    let others_are_done = (0..12).any(|_| {
        let results = run(&experiment, &store(&folder), |options| Options {
            deadline: Some(Instant::now() + Duration::from_secs(5)),
            ..options
        });
        let mut cells = prepared.plan.runs.iter().zip(&results.runs);
        let done = |result: &_| matches!(result, Cell::Done(_));
        assert!(cells.clone().all(|(c, r)| c.id != theirs.id || !done(r)));
        cells.all(|(cell, result)| cell.id == theirs.id || done(result))
    });
    assert!(others_are_done);
    drop(claim);
    let rest = run(&experiment, &store(&folder), |options| options);
    assert_eq!(rest.computed, 1);
}

#[test]
fn a_runner_that_sees_no_signal_ends_in_five_seconds() {
    const HERE: &str = "LRSCOUT_TEST_DEAF";
    if std::env::var_os(HERE).is_some() {
        // The child: as in an update that takes its time.
        super::stop_on_signals().expect("handlers");
        writeln!(std::io::stdout(), "ready").expect("a reader");
        std::thread::sleep(Duration::from_secs(60));
        return;
    }
    if !cfg!(unix) {
        return;
    }
    for (signal, times) in [("-INT", 1), ("-TERM", 1), ("-INT", 2)] {
        let program = std::env::current_exe().expect("this test");
        let name = "a_runner_that_sees_no_signal_ends_in_five_seconds";
        let mut child = std::process::Command::new(program)
            .args(["--nocapture", "--exact", &format!("runner::tests::{name}")])
            .env(HERE, "")
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("starts");
        let heard = child.stdout.take().expect("piped");
        let mut lines = std::io::BufReader::new(heard).lines();
        let ready = lines.any(|line| line.is_ok_and(|l| l.ends_with("ready")));
        assert!(ready);
        let began = Instant::now();
        for _ in 0..times {
            let pid = child.id().to_string();
            let kill = std::process::Command::new("kill")
                .args([signal, &pid])
                .status();
            assert!(kill.expect("kill is there").success());
            std::thread::sleep(Duration::from_millis(100));
        }
        let ended = child.wait().expect("ends");
        assert_eq!(ended.code(), Some(130), "{signal}");
        let most = if times > 1 { 1.0 } else { 5.0 };
        let took = began.elapsed().as_secs_f64();
        assert!(took < most, "{signal}: {took} s");
    }
}

#[test]
fn ten_thousand_finished_runs_are_planned_and_skipped_in_no_time() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let registry = registry();
    let few = GRID.replace("\"mlp\", ", "");
    let one = parsed(&few, "even", &registry);
    let store = store(&folder);
    let done = run(&one, &store, |options| options);
    let Cell::Done(result) = &done.runs[0] else { unreachable!("it is done") };
    let many = few.replace("seeds = 2", "seeds = 3334");
    let many = parsed(&many, "even", &registry);
    let plan = prepare(&many, &registry, Path::new("")).expect("prepared").plan;
    assert!(plan.runs.len() > 10_000);
    for cell in &plan.runs {
        store.fill(&cell.id, result);
    }
    let began = Instant::now();
    let results = run(&many, &store, |options| options);
    let took = began.elapsed();
    assert_eq!(results.computed, 0);
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn a_long_run_goes_on_from_its_snapshot() {
    let (one, two) = (tempfile::tempdir(), tempfile::tempdir());
    let (one, two) = (one.expect("a folder"), two.expect("a folder"));
    let experiment = experiment("slow", &registry());
    let whole = run(&experiment, &store(&one), |options| options);
    let snapshots = two.path().join("store/snapshots");
    let mut kept = 0;
    for attempt in 1..50 {
        // Longer each time: it gets to its end on a slow machine, too.
        let time = attempt * Duration::from_millis(40);
        let deadline = Some(Instant::now() + time);
        let part = run(&experiment, &store(&two), |options| Options {
            snapshot_every: Duration::from_millis(10),
            deadline,
            ..options
        });
        kept += std::fs::read_dir(&snapshots).map_or(0, Iterator::count);
        if part.runs.iter().all(|cell| matches!(cell, Cell::Done(_))) {
            break;
        }
    }
    assert!(kept > 0, "no snapshot was ever there");
    let resumed = run(&experiment, &store(&two), |options| options);
    assert_eq!(resumed.computed, 0, "it never got to its end");
    assert_eq!(fits(&whole), fits(&resumed));
    let left = std::fs::read_dir(&snapshots).map_or(0, Iterator::count);
    assert_eq!(left, 0, "finished runs need none");
}

#[test]
fn numbers_change_with_their_version_only() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let experiment = experiment("even", &registry());
    let results = run(&experiment, &store(&folder), |options| options);
    let numbers = |cell: &Cell<super::RunResult>| match cell {
        Cell::Done(run) => {
            let valid = run.fit.valid.expect("it completed");
            [run.peak_lr, run.fit.train_loss.unwrap_or(f64::NAN), valid.loss]
        }
        other => unreachable!("{other:?}"),
    };
    let expected = [
        [0.181_853_159, 0.499_552_955, 0.283_604_264],
        [0.479_483_296, 0.074_554_332, 0.223_961_718],
    ];
    assert_eq!(NUMERICS_VERSION, 6, "with it, the numbers below change");
    let (first, last) = (&results.runs[0], results.runs.last());
    let got = [numbers(first), numbers(last.expect("runs"))];
    if crate::kernels::path() != "avx512" {
        // Other kernels round differently.
        return;
    }
    for (got, expected) in got.iter().flatten().zip(expected.iter().flatten()) {
        let close = (got - expected).abs() < 1e-6 * expected.abs();
        assert!(close, "raise NUMERICS_VERSION: {got} was {expected}");
    }
}
