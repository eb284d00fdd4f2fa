//! What must survive anything: kills, other runners, full disks, odd limits.
//! `cargo test` does a little of it, `make torture` much.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const GRID: &str = r#"
seeds = 3
budgets = [60, 150]

[lr_find]
seeds = 1
steps = 40
verify = false

[[workload]]
name = "{dataset}"
model = { kind = "mlp", hidden = [64] }
dataset = ["digits", "satimage"]
batch = 32

[[schedule]]
kind = "constant"
warmup = 5

[[schedule]]
kind = "linear"
warmup = 5

[[schedule]]
kind = "wsd"
warmup = 5

[[schedule]]
kind = "refined"
"#;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("grid.toml"), GRID).expect("writable");
    folder
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_lrscout");

fn command(folder: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.current_dir(folder).args(["run", "grid.toml"]);
    command
}

fn start(folder: &Path, more: &[&str]) -> Child {
    command(folder)
        .arg("--quiet")
        .args(more)
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts")
}

fn run(folder: &Path, more: &[&str]) {
    let done = start(folder, more).wait_with_output().expect("ends");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
}

/// All tables but that of wall times.
fn tables(folder: &Path) -> BTreeMap<String, String> {
    let results = folder.join("results/grid");
    let mut tables = BTreeMap::new();
    for entry in fs::read_dir(results).expect("results") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy();
        if !name.ends_with(".csv") || name == "times.csv" {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a table");
        tables.insert(name.into_owned(), text);
    }
    assert!(tables.contains_key("leaderboard.csv"), "{tables:?}");
    tables
}

fn count(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}

/// Kills at so many instants, from soon after the start to late, and goes on
/// each time.
fn survives(kills: u64) {
    let whole = folder();
    let began = std::time::Instant::now();
    run(whole.path(), &[]);
    let undisturbed = began.elapsed();
    let expected = tables(whole.path());
    let mut cut = folder();
    let (mut done, mut killed) = (0, 0);
    for kill in 0..kills {
        let mut child = start(cut.path(), &[]);
        // The golden ratio spreads them evenly, in no order.
        let share = (kill as f64 * 0.618_033_988_75).fract();
        std::thread::sleep(undisturbed.mul_f64(share));
        // Where it has finished already, the kill is none.
        let _ = child.kill();
        let ended = child.wait().expect("ends");
        killed += u64::from(ended.code().is_none());
        if ended.success() {
            assert_eq!(tables(cut.path()), expected);
            cut = folder();
            done += 1;
        }
    }
    run(cut.path(), &[]);
    assert_eq!(tables(cut.path()), expected);
    let store = cut.path().join("results/.store");
    assert_eq!(count(&store.join("quarantine")), 0);
    assert_eq!(count(&store.join("conflicts")), 0);
    assert!(killed >= kills / 5, "only {killed} of {kills} hit a run");
    eprintln!("{killed} of {kills} kills hit, {done} whole runs between them");
}

#[test]
fn twenty_kills_leave_no_trace() {
    survives(20);
}

#[test]
#[ignore = "takes minutes: make torture"]
fn two_hundred_kills_leave_no_trace() {
    survives(200);
}

#[test]
fn two_and_eight_runners_on_one_store_agree() {
    let alone = folder();
    run(alone.path(), &["--jobs", "1"]);
    let expected = tables(alone.path());
    for runners in [2, 8] {
        let shared = folder();
        let children: Vec<Child> = (0..runners)
            .map(|i| start(shared.path(), &["--jobs", ["1", "2"][i % 2]]))
            .collect();
        for child in children {
            let done = child.wait_with_output().expect("ends");
            let said = String::from_utf8_lossy(&done.stderr);
            assert!(done.status.success(), "{said}");
        }
        assert_eq!(tables(shared.path()), expected);
        let store = shared.path().join("results/.store");
        assert_eq!(count(&store.join("conflicts")), 0);
        assert_eq!(count(&store.join("claims")), 0);
    }
}

#[test]
fn one_two_and_four_jobs_agree_sharing_or_not() {
    let first = folder();
    run(first.path(), &["--jobs", "1"]);
    let expected = tables(first.path());
    for more in [
        &["--jobs", "2", "--no-sharing"][..],
        &["--jobs", "4"],
        &["--jobs", "4", "--no-sharing"],
    ] {
        let folder = folder();
        run(folder.path(), more);
        assert_eq!(tables(folder.path()), expected, "{more:?}");
    }
}

#[test]
fn damaged_results_are_computed_again_and_told() {
    let folder = folder();
    run(folder.path(), &[]);
    let expected = tables(folder.path());
    let objects = folder.path().join("results/.store/objects");
    let mut damaged = 0;
    for shelf in fs::read_dir(objects).expect("shelves") {
        let shelf = shelf.expect("a shelf").path();
        for (i, file) in fs::read_dir(shelf).expect("a shelf").enumerate() {
            let path = file.expect("an object").path();
            let mut bytes = fs::read(&path).expect("readable");
            if i % 2 == 0 {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
            } else {
                bytes.truncate(bytes.len() / 2);
            }
            fs::write(&path, bytes).expect("writable");
            damaged += 1;
        }
    }
    let again = command(folder.path()).output().expect("runs");
    let said = String::from_utf8_lossy(&again.stderr);
    assert_eq!(
        said.matches("a damaged result is computed again").count(),
        damaged,
        "{said}"
    );
    assert_eq!(tables(folder.path()), expected);
}

#[test]
fn a_stop_is_clean_and_goes_on() {
    let whole = folder();
    run(whole.path(), &[]);
    let cut = folder();
    let late =
        command(cut.path()).args(["--max-time", "0s"]).output().expect("runs");
    assert_eq!(late.status.code(), Some(75));
    let said = String::from_utf8_lossy(&late.stderr).into_owned();
    assert!(said.contains("run it again"), "{said}");
    if cfg!(unix) {
        let mut stopped = 0;
        for (signal, milliseconds) in [("-INT", 60), ("-TERM", 120)] {
            let child = start(cut.path(), &[]);
            std::thread::sleep(Duration::from_millis(milliseconds));
            let pid = child.id().to_string();
            let kill = Command::new("kill").args([signal, &pid]).status();
            kill.expect("kill is there");
            let ended = child.wait_with_output().expect("ends").status;
            assert!(
                matches!(ended.code(), Some(0 | 130)),
                "{signal}: {ended:?}"
            );
            stopped += usize::from(ended.code() == Some(130));
        }
        assert!(stopped > 0, "both runs ended before they were asked to");
        let claims = cut.path().join("results/.store/claims");
        assert_eq!(count(&claims), 0, "no claim outlives its runner");
    }
    run(cut.path(), &[]);
    assert_eq!(tables(cut.path()), tables(whole.path()));
}

#[test]
fn a_rate_that_is_still_missing_is_no_success() {
    let folder = folder();
    run(folder.path(), &[]);
    let expected = tables(folder.path());
    let rates = files(&folder.path().join("results/.store/objects"));
    let rates = rates.into_iter().filter(|(_, bytes)| {
        String::from_utf8_lossy(bytes).contains("\"found\":")
    });
    let rates: Vec<_> = rates.map(|(path, _)| path).collect();
    assert_eq!(rates.len(), 4);
    for path in rates {
        fs::remove_file(path).expect("removable");
    }
    let late = start(folder.path(), &["--max-time", "0s"]);
    let late = late.wait_with_output().expect("ends");
    assert_eq!(late.status.code(), Some(75), "all runs are there, no rate is");
    run(folder.path(), &[]);
    assert_eq!(tables(folder.path()), expected);
}

#[test]
fn a_full_disk_is_a_clear_error_and_a_later_success() {
    if !cfg!(unix) {
        return;
    }
    let cut = folder();
    // Files may have no bytes; the signal that says so is ignored, so that
    // the write fails as on a full disk.
    let full = Command::new("sh")
        .current_dir(cut.path())
        .args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" run grid.toml"])
        .arg(PROGRAM)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .expect("sh is there");
    assert_eq!(full.status.code(), Some(75));
    let said = String::from_utf8_lossy(&full.stderr).into_owned();
    assert!(said.contains(".store"), "{said}");
    run(cut.path(), &[]);
    let whole = folder();
    run(whole.path(), &[]);
    assert_eq!(tables(cut.path()), tables(whole.path()));
}

#[test]
fn a_place_where_nothing_can_be_written_is_a_clear_error() {
    let folder = folder();
    fs::write(folder.path().join("results"), "in the way").expect("writable");
    let refused = start(folder.path(), &[]).wait_with_output().expect("ends");
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("results"), "{said}");
    fs::remove_file(folder.path().join("results")).expect("removable");
    run(folder.path(), &[]);
}

/// A workload that cannot be trained beside one that can: the weights that
/// it starts from are another model's.
const HALF_WRONG: &str = r#"
budgets = [20]
seeds = 2

[lr_find]
seeds = 1
steps = 20
verify = false

[[workload]]
name = "wrong"
model = "mlp"
dataset = "digits"
weights = "WEIGHTS"

[[workload]]
name = "right"
model = "mlp"
dataset = "digits"

[[schedule]]
kind = "linear"

[[schedule]]
kind = "constant"
"#;

#[test]
fn what_fails_is_told_and_leaves_the_rest_ranked() {
    let folder = folder();
    let weights =
        concat!(env!("CARGO_MANIFEST_DIR"), "/benches/letter.safetensors");
    let grid = HALF_WRONG.replace("WEIGHTS", weights);
    fs::write(folder.path().join("grid.toml"), grid).expect("writable");
    let results = folder.path().join("results/grid");
    for (more, ranked) in [(&["--fail-fast"][..], false), (&[], true)] {
        let failed = start(folder.path(), &[&["--jobs", "1"], more].concat());
        let failed = failed.wait_with_output().expect("ends");
        assert_eq!(failed.status.code(), Some(1), "{more:?}");
        let said = String::from_utf8_lossy(&failed.stderr).into_owned();
        assert!(said.contains("results/grid/failures.csv"), "{said}");
        let why = fs::read_to_string(results.join("failures.csv"));
        assert!(why.expect("reasons").contains("hidden0.bias"));
        assert_eq!(results.join("report.html").exists(), ranked, "{more:?}");
    }
    let runs = fs::read_to_string(results.join("runs.csv")).expect("runs");
    assert_eq!(runs.matches(",completed,").count(), 4, "{runs}");
    assert_eq!(runs.matches(",failed,").count(), 4, "{runs}");
}

#[test]
fn a_reader_that_has_gone_stops_nothing() {
    if !cfg!(unix) {
        return;
    }
    let whole = folder();
    run(whole.path(), &[]);
    let expected = tables(whole.path());
    for shell in [
        "\"$0\" run grid.toml 2>&1 >out | :",
        "\"$0\" run grid.toml --format json 2>err | :",
        "{ \"$0\" run grid.toml --format json; } 2>&1 | :",
        "\"$0\" run grid.toml 2>err | :",
    ] {
        let folder = folder();
        // What the program ends with, not the reader.
        let shell = format!("set -o pipefail; {shell}");
        let done = Command::new("bash")
            .current_dir(folder.path())
            .args(["-c", &shell])
            .arg(PROGRAM)
            .output()
            .expect("bash is there");
        assert!(done.status.success(), "{shell}: {done:?}");
        assert_eq!(tables(folder.path()), expected, "{shell}");
    }
}

/// Path and content of every file.
fn files(folder: &Path) -> BTreeMap<std::path::PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            let bytes = fs::read(&path).expect("readable");
            all.insert(path, bytes);
        }
    }
    all
}

#[test]
fn a_dry_run_changes_nothing_not_even_what_is_damaged() {
    let folder = folder();
    let planned = |more: &[&str]| {
        let done = command(folder.path())
            .arg("--dry-run")
            .args(more)
            .output()
            .expect("runs");
        assert!(done.status.success());
        String::from_utf8(done.stdout).expect("UTF-8")
    };
    assert!(planned(&[]).contains("4 of 4 learning rates and 48 of 48 runs"));
    assert!(!folder.path().join("results").exists());
    run(folder.path(), &[]);
    let before = files(folder.path());
    let object = before
        .keys()
        .find(|path| path.to_string_lossy().contains(".store/objects"));
    let object = object.expect("an object");
    fs::write(object, "damaged").expect("writable");
    let before = files(folder.path());
    let json = planned(&["--format", "json"]);
    let line: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(line["event"], "planned");
    let missing = ["runs", "learning_rates", "steps"];
    let missing = missing.map(|name| line[name].as_u64().expect("a number"));
    assert!(missing.iter().sum::<u64>() > 0, "{line}");
    assert_eq!(files(folder.path()), before);
}

#[test]
fn odd_numbers_of_workers_and_times_are_taken_as_they_are() {
    let folder = folder();
    for (more, code) in [
        (&["--jobs", "0"][..], 2),
        (&["--jobs", "1000000", "--max-time", "18446744073709551615s"], 0),
        (&["--max-time", "1d"], 2),
        (&["--keep-going"], 2),
        (&["--filter", "layers=3"], 2),
        (&["--filter", "seed<3,"], 2),
        (&["--filter", "seed=nan"], 65),
    ] {
        let done = start(folder.path(), more).wait_with_output();
        let done = done.expect("ends");
        assert_eq!(done.status.code(), Some(code), "{more:?}: {done:?}");
    }
}

#[test]
fn a_filter_runs_its_part_and_no_more() {
    let part = folder();
    run(
        part.path(),
        &["--filter", "dataset=digits, seed<2, schedule!=refined"],
    );
    let runs = fs::read_to_string(part.path().join("results/grid/runs.csv"));
    let runs = runs.expect("runs.csv");
    // Header; 2 budgets, 3 schedules, 2 seeds.
    assert_eq!(runs.lines().count(), 1 + 2 * 3 * 2, "{runs}");
    assert!(!part.path().join("results/grid/leaderboard.csv").exists());
    run(part.path(), &[]);
    let whole = folder();
    run(whole.path(), &[]);
    assert_eq!(tables(part.path()), tables(whole.path()));

    let none = start(part.path(), &["--filter", "seed>9"]);
    let none = none.wait_with_output().expect("ends");
    assert_eq!(none.status.code(), Some(65));
}

#[test]
fn events_are_an_object_a_line() {
    let folder = folder();
    let run = command(folder.path())
        .args(["--format", "json"])
        .output()
        .expect("runs");
    assert!(run.status.success());
    let text = String::from_utf8(run.stdout).expect("UTF-8");
    let mut kinds = BTreeMap::new();
    for line in text.lines() {
        let event: serde_json::Value =
            serde_json::from_str(line).expect("an object");
        assert_eq!(event["grid"], "grid");
        let kind = event["event"].as_str().expect("a kind").to_owned();
        *kinds.entry(kind).or_insert(0) += 1;
    }
    // Rates, gradient norms, runs; and every cell of them.
    assert_eq!(kinds["began"], 3, "{kinds:?}");
    assert_eq!(kinds["ended"], 3, "{kinds:?}");
    assert_eq!(kinds["finished"], 4 + 4 + 2 * 2 * 4 * 3, "{kinds:?}");
}
