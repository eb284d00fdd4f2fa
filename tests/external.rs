//! Programs as trainers, end to end: the example in plain Python where there
//! is a Python, and programs for `sh` that do what they should not.

mod program;

use program::{folder_with, lrscout};
use std::cell::{Cell, RefCell};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The example's folder; `None`, and a word, without a Python to run it.
fn example() -> Option<TempDir> {
    let version = Command::new("python3").arg("--version").output();
    if version.is_err() {
        eprintln!("skipped: there is no python3");
        return None;
    }
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/external");
    let folder = tempfile::tempdir().expect("a temporary folder");
    for file in ["toy.toml", "toy.py"] {
        let from = Path::new(root).join(file);
        fs::copy(from, folder.path().join(file)).expect("copied");
    }
    Some(folder)
}

fn table(folder: &Path, name: &str) -> String {
    let path = folder.join(name);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn runs(results: &Path) -> Vec<String> {
    table(results, "toy/runs.csv").lines().map(str::to_owned).collect()
}

#[test]
fn a_training_in_plain_python_is_found_trained_and_ranked() {
    let Some(folder) = example() else { return };
    let run = |jobs: &str, results: &str| {
        lrscout(folder.path())
            .args(["run", "toy.toml", "--jobs", jobs, "--results", results])
            .assert()
            .success()
    };
    run("2", "two");
    let two = folder.path().join("two");
    assert!(!two.join("toy/failures.csv").exists());
    let rows = runs(&two);
    assert_eq!(rows.len(), 1 + 6 * 3);
    assert!(rows.iter().skip(1).all(|row| row.contains(",completed,")));
    assert!(rows.iter().skip(1).all(|row| row.ends_with(",rmse")));
    // The noise of its targets is the lowest error that there is.
    for row in &rows[1..] {
        let error = row.rsplit(',').nth(1).expect("test_metric");
        let error: f64 = error.parse().expect("a number");
        assert!((0.4..0.8).contains(&error), "{row}");
    }
    // plateau is the one schedule whose rates are not known before: the
    // program was told them, and every one of them was checked.
    let plateau = rows.iter().find(|row| row.contains(",plateau,"));
    let id = plateau.and_then(|row| row.split(',').next()).expect("its id");
    let curves = table(&two, "toy/curves.csv");
    let rates: Vec<&str> = curves
        .lines()
        .filter(|line| line.starts_with(id))
        .map(|line| line.split(',').nth(2).expect("lr"))
        .collect();
    assert_eq!(rates.len(), 5);
    assert_ne!(rates[0], rates[4], "it has reacted");

    run("1", "one");
    assert_eq!(runs(&folder.path().join("one")), rows, "for any jobs");
    let again = run("2", "two");
    let shown =
        String::from_utf8_lossy(&again.get_output().stdout).into_owned();
    assert!(shown.contains("nothing to do"), "{shown}");

    // What is in the fingerprint counts, what is not does not.
    let toy = folder.path().join("toy.toml");
    let grid = fs::read_to_string(&toy).expect("readable");
    fs::write(&toy, grid.replace("1m", "2m")).expect("writable");
    let planned = || {
        let run = lrscout(folder.path())
            .args(["run", "toy.toml", "--results", "two", "--dry-run"])
            .assert()
            .success();
        String::from_utf8_lossy(&run.get_output().stdout).into_owned()
    };
    assert!(planned().contains("0 of 18 runs"), "{}", planned());
    let script = folder.path().join("toy.py");
    let text = fs::read_to_string(&script).expect("readable");
    fs::write(&script, text + "\n").expect("writable");
    assert!(planned().contains("18 of 18 runs"), "{}", planned());
    assert!(planned().contains("(0 of "), "nothing is shared: {}", planned());
}

#[test]
fn every_verb_takes_a_program() {
    let Some(folder) = example() else { return };
    let said = |verb: &str, args: &[&str]| {
        let run = lrscout(folder.path())
            .args([verb, "toy.toml"])
            .args(args)
            .assert()
            .success();
        String::from_utf8_lossy(&run.get_output().stdout).into_owned()
    };
    assert!(said("check", &[]).contains("18 runs"));
    let found = said("find-lr", &["--trainings", "1.4"]);
    let row = found.lines().nth(1).expect("a row");
    let lr: f64 = row.split(',').nth(3).expect("lr").parse().expect("a rate");
    assert!(row.starts_with("toy-sgd,sgd,120,"), "{row}");
    assert!((0.003..1.0).contains(&lr), "{row}");
    assert!(said("bench", &["--jobs", "1"]).contains("toy-sgd,sgd,16,"));
    // One loss before the other on the validation part.
    let toy = folder.path().join("toy.toml");
    let grid = fs::read_to_string(&toy).expect("readable");
    let grid = grid.replace("[[schedule]]\nkind = \"refined\"", "");
    let on_valid = "control = \"linear\"\nlr_find = { on = \"valid\" }";
    let grid = grid.replace("control = \"linear\"", on_valid);
    fs::write(&toy, grid).expect("writable");
    assert!(said("find-lr", &[]).contains(",found,"));
    assert!(said("auto", &["--format", "json"]).contains("\"why\""));
}

#[test]
fn a_training_that_crashes_is_not_ranked_as_one_that_diverges() {
    let Some(folder) = example() else { return };
    let path = folder.path().join("toy.py");
    let toy = fs::read_to_string(&path).expect("readable");
    // Only a constant rate ends at its peak.
    let crash = "rates = [task.lr(t) for t in range(task.steps)]\n\
                 if min(rates) == max(rates) and task.seed == 1:\n\
                 \u{20}   raise SystemExit(3)\ntask.done()";
    fs::write(path, toy.replace("task.done()", crash)).expect("writable");
    lrscout(folder.path()).args(["run", "toy.toml"]).assert().code(1);
    let board = table(folder.path(), "results/toy/leaderboard.csv");
    let constant = board.lines().find(|row| row.contains(",constant,"));
    let constant = constant.expect("a row");
    assert!(constant.ends_with(",0,3,undecided,1"), "{constant}");
    let report = table(folder.path(), "results/toy/report.md");
    assert!(report.contains("`constant` 1 failed, of 3 runs"), "{report}");
}

/// A grid with a program for `sh` that says `hello`, then does `script`.
fn odd(script: &str) -> TempDir {
    let folder = folder_with(
        r#"
seeds = 1
budgets = [10]
lr_find = { verify = false, seeds = 1, steps = 20, to = 1 }
[[workload]]
name = "odd"
command = ["sh", "odd.sh"]
timeout = "2s"
[[schedule]]
kind = "linear"
"#,
    );
    let hello = r#"echo '{"event":"hello","protocol":1}'"#;
    let script = format!("{hello}\n{script}\n");
    fs::write(folder.path().join("odd.sh"), script).expect("writable");
    folder
}

#[test]
fn a_program_that_fails_says_why_and_with_which_status() {
    for (script, code, words) in [
        (
            "echo no such column >&2; exit 3",
            1,
            "exit_code: `odd`: ended with exit code 3; its last output: no such column",
        ),
        ("", 1, "no_done: `odd`: ended without the event `done`"),
        (
            r#"echo '{"event":"train","step":0,"loss":1,"lr":0.5}'"#,
            1,
            "invalid_lr: `odd`: update 0 has `lr` 0.5",
        ),
        (r#"echo '{"event":"train"'"#, 1, "bad_event: "),
        (
            "echo waiting >&2; sleep 60",
            1,
            "timed_out: took longer than 2 s; `odd`: its last output: waiting",
        ),
    ] {
        let folder = odd(script);
        let began = Instant::now();
        let run = lrscout(folder.path())
            .args(["run", "grid.toml"])
            .assert()
            .code(code);
        assert!(began.elapsed() < Duration::from_secs(20), "{script}");
        let said =
            String::from_utf8_lossy(&run.get_output().stderr).into_owned();
        assert!(said.contains("failures.csv"), "{said}");
        let failures = table(folder.path(), "results/grid/failures.csv");
        assert!(failures.contains(words), "{script}: {failures}");
    }
    let folder = odd("");
    let grid = folder.path().join("grid.toml");
    let text = fs::read_to_string(&grid).expect("readable");
    fs::write(&grid, text.replace("\"sh\"", "\"no-such-program\""))
        .expect("writable");
    let run = lrscout(folder.path()).args(["run", "grid.toml"]).assert();
    let run = run.code(65);
    let said = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
    assert!(said.contains("there is no program `no-such-program`"), "{said}");
    assert!(!folder.path().join("results").exists(), "nothing is written");
}

/// Whether a process is there, by its number.
fn send(signal: &str, number: &str) -> bool {
    let kill = Command::new("kill").args([signal, number]).output();
    kill.expect("kill").status.success()
}

fn wait_for(what: impl Fn() -> bool) {
    let began = Instant::now();
    while !what() {
        assert!(began.elapsed() < Duration::from_secs(20), "in vain");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether the end of the terminal is heard here: it is not where these tests
/// themselves run under `nohup`, nor where the system does not tell.
fn hears_hangups() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|l| l.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|m| u64::from_str_radix(m.trim(), 16).ok());
    ignored.is_some_and(|mask| mask & 1 == 0)
}

#[test]
fn however_it_is_stopped_no_program_is_left_behind() {
    // Once; by the end of the terminal; twice, with a program that is deaf.
    for (verb, signals) in [
        ("run", vec!["-INT"]),
        ("run", vec!["-HUP"]),
        ("run", vec!["-INT", "-INT"]),
        ("check", vec!["-INT"]),
        ("bench", vec!["-TERM"]),
    ] {
        if signals == ["-HUP"] && !hears_hangups() {
            continue;
        }
        let twice = signals.len() > 1;
        let trap = if twice { "trap '' TERM\n" } else { "" };
        let hang = "echo $$ >> numbers; while :; do sleep 1; done";
        let folder = odd(&format!("{trap}{hang}"));
        let grid = folder.path().join("grid.toml");
        let text = fs::read_to_string(&grid).expect("readable");
        fs::write(&grid, text.replace("\"2s\"", "\"1h\"")).expect("writable");
        let run = Command::new(env!("CARGO_BIN_EXE_lrscout"))
            .current_dir(folder.path())
            .args([verb, "grid.toml", "--jobs", "1"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("started");
        let numbers = folder.path().join("numbers");
        let number = || fs::read_to_string(&numbers).unwrap_or_default();
        wait_for(|| number().ends_with('\n'));
        let began = Instant::now();
        for signal in signals {
            assert!(send(signal, &run.id().to_string()));
            std::thread::sleep(Duration::from_millis(200));
        }
        let (run, ended) = (RefCell::new(run), Cell::new(None));
        wait_for(|| {
            ended.set(run.borrow_mut().try_wait().expect("its state"));
            ended.get().is_some()
        });
        let code = ended.get().and_then(|status| status.code());
        assert_eq!(code, Some(130), "{verb}");
        let most = if twice { 2 } else { 5 };
        assert!(began.elapsed() < Duration::from_secs(most), "{verb}");
        for number in number().lines() {
            wait_for(|| !send("-0", number));
        }
    }
}

#[test]
fn under_nohup_the_end_of_the_terminal_stops_nothing() {
    let folder = odd("echo $$ >> numbers; sleep 3; exit 5");
    let run = format!(
        "trap '' HUP; exec {} run grid.toml",
        env!("CARGO_BIN_EXE_lrscout")
    );
    let grid = folder.path().join("grid.toml");
    let text = fs::read_to_string(&grid).expect("readable");
    fs::write(&grid, text.replace("\"2s\"", "\"1h\"")).expect("writable");
    let mut run = Command::new("sh")
        .current_dir(folder.path())
        .args(["-c", &run])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("started");
    let numbers = folder.path().join("numbers");
    wait_for(|| fs::read_to_string(&numbers).is_ok_and(|n| n.ends_with('\n')));
    assert!(send("-HUP", &run.id().to_string()));
    let status = run.wait().expect("an end");
    assert_eq!(status.code(), Some(1), "it went on to the program's own end");
}
