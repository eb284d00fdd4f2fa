//! Training scripts under the launcher, end to end, where there is a Python.
//! They use a small stand-in for torch, which has the hooks that the launcher
//! uses; the tests of the Python package use torch itself.

mod program;

use program::{folder_with, lrscout};
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// Whether there is a Python; without one, says so.
fn has_python() -> bool {
    let version = Command::new("python3").arg("--version").output();
    if version.is_err() {
        eprintln!("skipped: there is no python3");
    }
    version.is_ok()
}

const GRID: &str = "\
title = \"A script\"
seeds = 2
budgets = [40]
lr_find = { trainings = 1.4 }

[[workload]]
script = \"train.py\"
optimizer = \"sgd\"

[[schedule]]
kind = \"linear\"

[[schedule]]
kind = \"cosine\"
";

/// A folder with the script, its module, and `grid`.
fn scripts(grid: &str) -> TempDir {
    let folder = folder_with(grid);
    let put = |name: &str, text: &str| {
        fs::write(folder.path().join(name), text).expect("writable");
    };
    put("train.py", include_str!("program/train.py"));
    put("model.py", include_str!("program/model.py"));
    folder
}

fn table(folder: &Path, name: &str) -> String {
    let path = folder.join("results/grid").join(name);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn table_of(folder: &Path, name: &str) -> String {
    let path = folder.join("results/auto-train").join(name);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn entries(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("readable");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.sort_unstable();
    names
}

#[test]
fn a_script_is_trained_without_a_change_and_leaves_nothing_behind() {
    if !has_python() {
        return;
    }
    let folder = scripts(GRID);
    lrscout(folder.path()).args(["run", "grid.toml"]).assert().success();
    let runs = table(folder.path(), "runs.csv");
    let rows: Vec<&str> = runs.lines().skip(1).collect();
    assert_eq!(rows.len(), 4, "{runs}");
    for row in &rows {
        assert!(row.contains(",train,train,sgd,"), "{row}");
        assert!(row.contains(",40,completed,"), "{row}");
        assert!(row.ends_with(",loss"), "validated by itself: {row}");
    }
    // It evaluates after 20 and 40 updates.
    let curves = table(folder.path(), "curves.csv");
    let steps: Vec<&str> =
        curves.lines().skip(1).filter_map(|l| l.split(',').nth(1)).collect();
    assert_eq!(steps, ["20", "40"].repeat(4));
    let left = ["grid.toml", "model.py", "results", "train.py"];
    assert_eq!(entries(folder.path()), left, "checkpoints stay apart");

    // A module that it imports counts.
    let planned = || {
        let run = lrscout(folder.path())
            .args(["run", "grid.toml", "--dry-run"])
            .assert()
            .success();
        String::from_utf8_lossy(&run.get_output().stdout).into_owned()
    };
    assert!(planned().contains("0 of 4 runs"), "{}", planned());
    let model = include_str!("program/model.py").to_owned() + "\n";
    fs::write(folder.path().join("model.py"), model).expect("writable");
    assert!(planned().contains("4 of 4 runs"), "{}", planned());
}

#[test]
fn without_an_evaluation_at_the_end_the_tables_say_so() {
    if !has_python() {
        return;
    }
    let silent = "script = \"train.py\"\nargs = [\"--silent\"]\ncwd = \"grid\"";
    let folder = scripts(&GRID.replace("script = \"train.py\"", silent));
    lrscout(folder.path()).args(["run", "grid.toml"]).assert().success();
    let runs = table(folder.path(), "runs.csv");
    for row in runs.lines().skip(1) {
        assert!(row.ends_with(",training loss (last tenth)"), "{row}");
        let cells: Vec<&str> = row.split(',').collect();
        assert!(!cells[11].is_empty() && cells[11] == cells[12], "{row}");
    }
    for name in ["report.md", "report.html", "notes.csv"] {
        let text = table(folder.path(), name);
        assert!(text.contains("mean training loss over the last"), "{name}");
    }
    assert!(folder.path().join("checkpoints").exists(), "`cwd = \"grid\"`");
}

#[test]
fn faults_of_a_script_are_failed_trainings_with_their_reason() {
    if !has_python() {
        return;
    }
    for (fault, wanted) in [
        ("none", "no_optimizer: `train`: the script ended, and no optimizer"),
        ("rate", "invalid_lr: `train`: update 5 has `lr`"),
        (
            "crash",
            "exit_code: `train`: ended with exit code 1: the data are gone; \
             its last output: the data are gone",
        ),
    ] {
        let args = format!(
            "script = \"train.py\"\nlr = 0.1\nargs = [\"--fault\", \"{fault}\"]"
        );
        let folder = scripts(&GRID.replace("script = \"train.py\"", &args));
        lrscout(folder.path()).args(["run", "grid.toml"]).assert().code(1);
        let failures = table(folder.path(), "failures.csv");
        assert!(failures.contains(wanted), "{fault}: {failures}");
    }
    // Two epochs of 20 updates are too short.
    let args = "script = \"train.py\"\nlr = 0.1\nargs = [\"--epochs\", \"1\"]";
    let folder = scripts(&GRID.replace("script = \"train.py\"", args));
    lrscout(folder.path()).args(["run", "grid.toml"]).assert().code(1);
    let failures = table(folder.path(), "failures.csv");
    let wanted = "early_end: `train`: the script ended after 20 of 40 updates";
    assert!(failures.contains(wanted), "{failures}");
}

/// What `check` prints of `grid`, to both streams, how often it started the
/// script, and its exit code.
fn checked(grid: &str, options: &[&str]) -> (String, usize, Option<i32>) {
    let folder = scripts(grid);
    let run = lrscout(folder.path())
        .env("STARTS", folder.path().join("starts"))
        .args(["check", "grid.toml"])
        .args(options)
        .output()
        .expect("it starts");
    let said = [run.stdout, run.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    (said, starts(folder.path()), run.status.code())
}

#[test]
fn check_starts_a_script_once_and_says_what_it_costs_and_shows() {
    if !has_python() {
        return;
    }
    let (said, starts, code) = checked(GRID, &[]);
    assert_eq!((starts, code), (1, Some(0)), "{said}");
    for part in [
        "41 updates or more by itself; the score is",
        "the score is its validation (report)",
        "6 trainings, as `--max-trainings` counts; with 2 seeds, it takes an \
         improvement of",
        "warning: `train` changes its rate itself (from 0.02 to 0.005 in its \
         first 41 updates): this is overruled",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("not known after"), "{said}");
    assert!(!said.contains("training loss"), "{said}");
    let (said, starts, _) = checked(GRID, &["--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    let script = &json["scripts"][0];
    assert_eq!((starts, &script["evaluates"]), (1, &"report".into()));
    assert!(script["step_seconds"].as_f64().is_some_and(|x| x > 0.0));
    assert_eq!(json["trainings"], 6);
    let (said, starts, _) = checked(GRID, &["--no-estimate"]);
    assert_eq!(starts, 0, "{said}");
    // One that is started at two rates is started once.
    let twice = GRID.replace(
        "optimizer =",
        "name = \"{lr}\"\nlr = [0.1, 0.2]\noptimizer =",
    );
    let (said, starts, code) = checked(&twice, &[]);
    assert_eq!((starts, code), (1, Some(0)), "{said}");
}

#[test]
fn a_cold_first_start_is_no_part_of_the_estimate() {
    if !has_python() {
        return;
    }
    let cold = "script = \"train.py\"\nargs = [\"--cold\", \"6\"]";
    let grid = GRID.replace("script = \"train.py\"", cold);
    let (said, starts, _) = checked(&grid, &["--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    let seconds = json["scripts"][0]["start_seconds"].as_f64();
    assert!(seconds.is_some_and(|seconds| seconds < 6.0), "{said}");
    assert_eq!(starts, 2);
}

#[test]
fn check_finds_what_does_not_suit_a_script() {
    if !has_python() {
        return;
    }
    let with = |keys: &str| {
        let keys = format!("script = \"train.py\"\n{keys}");
        GRID.replace("script = \"train.py\"", &keys)
    };
    let slow = with("timeout = \"1s\"\nargs = [\"--pause\", \"0.1\"]");
    for (grid, place) in [
        (
            GRID.replace("[40]", "[40, 100]"),
            "grid.toml:3:11: `train` makes 60 updates by itself and would end \
             before 100",
        ),
        (slow, "grid.toml:8:11: one training of `train` with 40 updates takes"),
        (
            with("args = [\"--fault\", \"none\"]"),
            "grid.toml:7:10: no_optimizer: `train`: the script ended",
        ),
        (
            with("args = [\"--fault\", \"crash\"]"),
            "grid.toml:7:10: exit_code: `train`: ended with exit code 1: the \
             data are gone; its last output: the data are gone",
        ),
    ] {
        let (said, starts, code) = checked(&grid, &[]);
        assert!(said.contains(place), "{place}: {said}");
        assert!(starts <= 1 && code == Some(65), "{said}");
    }
    for (grid, note) in [
        (
            with("args = [\"--silent\"]"),
            "`train` makes no evaluation: the score is the mean training loss",
        ),
        (
            GRID.replace("[40]", "[50]"),
            "reports a validation loss every 20 updates, and 50 are no \
             multiple of it: the score would be the training loss; take 40 \
             or 60",
        ),
        (
            with("args = [\"--warmup\", \"45\"]").replace("[40]", "[30]"),
            "rises for 31 updates or more by itself, longer than a budget of \
             30",
        ),
        (
            with("timeout = \"3s\"\nargs = [\"--pause\", \"0.05\"]"),
            "its `timeout` of 3.0 s may be too short",
        ),
    ] {
        let (said, _, code) = checked(&grid, &[]);
        assert!(said.contains(note), "{note}: {said}");
        assert_eq!(code, Some(0), "{said}");
    }
}

/// Starts of the script so far.
fn starts(folder: &Path) -> usize {
    let text = fs::read_to_string(folder.join("starts")).unwrap_or_default();
    text.lines().count()
}

/// The answer of `auto` with `options`.
fn auto(folder: &Path, options: &[&str]) -> String {
    let run = lrscout(folder)
        .env("STARTS", folder.join("starts"))
        .arg("auto")
        .args(options)
        .args(["--", "python3", "train.py", "--epochs", "3"])
        .assert()
        .success();
    String::from_utf8_lossy(&run.get_output().stdout).into_owned()
}

#[test]
fn auto_answers_within_its_trainings_and_knows_the_answer_again() {
    if !has_python() {
        return;
    }
    for most in [3, 9, 12] {
        let folder = scripts(GRID);
        let limit = most.to_string();
        let options = ["--max-trainings", limit.as_str()];
        let said = auto(folder.path(), &options);
        let made = starts(folder.path());
        assert!(made <= most && made + 2 > most, "{made} of {most}");
        let first = said.lines().next().expect("a line");
        assert!(first.contains("yours") && first.contains("% interval"));
        assert!(first.contains("probability"), "{first}");
        assert!(said.contains("Prior of the difference of log-losses"));
        assert_eq!(auto(folder.path(), &options), said, "the same again");
        assert_eq!(starts(folder.path()), made, "nothing was trained again");
        let results = folder.path().join("results/auto-train");
        for name in ["runs.csv", "leaderboard.csv", "report.html"] {
            assert!(results.join(name).exists(), "{name}");
        }
        let left = ["grid.toml", "model.py", "results", "starts", "train.py"];
        assert_eq!(entries(folder.path()), left);
    }
}

#[test]
fn auto_says_what_is_known_before_it_starts_and_calls_the_own_choice_baseline()
{
    if !has_python() {
        return;
    }
    let folder = scripts(GRID);
    let run = lrscout(folder.path())
        .args(["auto", "--max-trainings", "4", "--max-time", "1h", "--"])
        .args(["python3", "train.py"])
        .assert()
        .success();
    let said = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
    let place = |part: &str| {
        said.find(part).unwrap_or_else(|| panic!("{part}: {said}"))
    };
    let places = [
        "train: python3 train.py",
        "at most 4 trainings: the recorded one, none for the rate, which is \
         yours, 3 schedules x 1 seed; it stops after 60 minutes",
        "with 1 seed, it takes an improvement of",
        "one undisturbed start",
        "60 updates in ",
        "all about a minute with",
    ]
    .map(place);
    assert!(places.is_sorted(), "{said}");
    assert!(table_of(folder.path(), "runs.csv").contains(",baseline,"));
    assert!(table_of(folder.path(), "report.md").contains("| `baseline` |"));
    for name in entries(&folder.path().join("results/auto-train")) {
        let path = folder.path().join("results/auto-train").join(&name);
        let text = fs::read_to_string(path).unwrap_or_default();
        assert!(!text.contains("table(file"), "{name}: {text}");
    }
    // The report made again from the tables says the same.
    let report = table_of(folder.path(), "report.md");
    lrscout(folder.path())
        .args(["report", "results/auto-train"])
        .assert()
        .success();
    assert_eq!(table_of(folder.path(), "report.md"), report);
}

#[test]
fn a_killed_auto_goes_on_with_the_same_answer() {
    if !has_python() {
        return;
    }
    let options = ["--max-trainings", "12"];
    let whole = auto(scripts(GRID).path(), &options);
    let folder = scripts(GRID);
    let program = assert_cmd::cargo::cargo_bin("lrscout");
    for milliseconds in [150, 400, 900, 1500, 300] {
        let mut running = Command::new(&program)
            .current_dir(folder.path())
            .args(["auto", options[0], options[1], "--"])
            .args(["python3", "train.py", "--epochs", "3"])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("started");
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
        // It may be done by now.
        let _ = running.kill();
        running.wait().expect("waited for");
    }
    assert_eq!(auto(folder.path(), &options), whole);
}

#[test]
fn auto_says_what_it_cannot_start() {
    let folder = scripts(GRID);
    for (words, part) in [
        (&["--", "python3", "gone.py"][..], "python train.py --epochs 3"),
        (&["--", "sh", "train.sh"], "a shell script cannot be launched"),
        (&["--", "no-such-python", "train.py"], "there is no program"),
        (&["--", "python3", "train.py", "--lr={lr}"], "own rate"),
    ] {
        let run = lrscout(folder.path()).arg("auto").args(words).assert();
        let run = run.code(65);
        let said = String::from_utf8_lossy(&run.get_output().stderr);
        assert!(said.contains(part), "{words:?}: {said}");
    }
    if has_python() {
        let run = lrscout(folder.path())
            .args(["auto", "--", "python3", "train.py", "--fault", "none"])
            .assert()
            .code(1);
        let said = String::from_utf8_lossy(&run.get_output().stderr);
        assert!(said.contains("no_optimizer: `train`"), "{said}");
    }
}

#[test]
fn run_keeps_to_its_trainings_and_goes_on_with_more() {
    if !has_python() {
        return;
    }
    let folder = scripts(GRID);
    let rows = |most: &str| {
        lrscout(folder.path())
            .args(["run", "grid.toml", "--max-trainings", most])
            .assert()
            .success();
        table(folder.path(), "runs.csv").lines().count() - 1
    };
    // Two for the rate (1.4, rounded up), then both schedules of a seed.
    assert_eq!(rows("4"), 2);
    let seeds = table(folder.path(), "runs.csv");
    assert!(seeds.lines().skip(1).all(|row| row.contains(",1.0,0,")));
    assert_eq!(rows("4"), 2, "those that are there count");
    assert_eq!(rows("6"), 4);
    assert!(folder.path().join("results/grid/report.md").exists());
}

#[test]
fn a_baseline_is_trained_beside_the_schedules_and_compared_first() {
    if !has_python() {
        return;
    }
    let with = |keys: &str| {
        let keys = format!("script = \"train.py\"\n{keys}");
        GRID.replace("script = \"train.py\"", &keys)
    };
    let run = |folder: &Path| {
        let run = lrscout(folder)
            .env("STARTS", folder.join("starts"))
            .args(["run", "grid.toml"])
            .assert()
            .success();
        String::from_utf8_lossy(&run.get_output().stdout).into_owned()
    };
    let baselines = |runs: &str| -> Vec<String> {
        let rows = runs.lines().filter(|row| row.contains(",baseline,"));
        rows.map(str::to_owned).collect()
    };
    // Its own rates, recorded once.
    let folder = scripts(&with("baseline = \"recorded\""));
    let said = run(folder.path());
    let first = said.lines().next().expect("a line");
    assert!(first.starts_with("`train`, 40 updates: `"), "{said}");
    for part in ["yours", "% interval", "probability", "2 seeds"] {
        assert!(first.contains(part), "{part}: {first}");
    }
    assert!(said.contains("`baseline` is your own choice"), "{said}");
    assert!(said.contains("Prior of the difference of log-losses"));
    let rows = baselines(&table(folder.path(), "runs.csv"));
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row.contains(",40,1.0,")));
    assert!(rows.iter().all(|row| row.contains(",0.02,40,completed,")));
    let curves = table(folder.path(), "curves.csv");
    let id = rows[0].split(',').next().expect("an id");
    // Of update 19 and of update 39, as the script steps once an epoch.
    let rates: Vec<f64> = curves
        .lines()
        .filter(|row| row.starts_with(id))
        .map(|row| row.split(',').nth(2).and_then(|lr| lr.parse().ok()))
        .map(|lr| lr.expect("a rate"))
        .collect();
    assert!((rates[0] - 0.02).abs() < 1e-9, "{rates:?}");
    assert!((rates[1] - 0.015).abs() < 1e-9, "{rates:?}");
    for name in ["report.md", "report.html", "leaderboard.csv"] {
        let text = table(folder.path(), name);
        assert!(text.contains("baseline"), "{name}");
    }
    let report = table(folder.path(), "report.md");
    assert!(report.lines().nth(2).is_some_and(|line| line.contains("yours")));
    let made = starts(folder.path());
    assert_eq!(
        run(folder.path()),
        said.replace("done;", "nothing to do: all results were there;")
    );
    assert_eq!(starts(folder.path()), made, "nothing is trained again");
    lrscout(folder.path()).args(["report", "results/grid"]).assert().success();
    assert_eq!(table(folder.path(), "report.md"), report, "from the tables");

    // A rate and a schedule.
    let own = "baseline = { lr = 0.005, schedule = \"constant\" }";
    let folder = scripts(&with(own));
    let said = run(folder.path());
    assert!(said.lines().next().is_some_and(|line| line.contains("yours")));
    let rows = baselines(&table(folder.path(), "runs.csv"));
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row.contains(",0.005,40,completed,")));

    // Starts that record count.
    let folder = scripts(&with("baseline = \"recorded\""));
    lrscout(folder.path())
        .env("STARTS", folder.path().join("starts"))
        .args(["run", "grid.toml", "--max-trainings", "6"])
        .assert()
        .success();
    let runs = table(folder.path(), "runs.csv");
    // One recorded, two for the rate, then the three of the first seed.
    assert_eq!(runs.lines().count(), 1 + 3, "{runs}");
    let said = lrscout(folder.path())
        .args(["run", "grid.toml", "--filter", "schedule=baseline"])
        .args(["--dry-run"])
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("1 of 6 runs to compute"), "{said}");

    // `auto` of a grid compares with it, too.
    let folder = scripts(&with(own));
    let said = lrscout(folder.path())
        .args(["auto", "grid.toml", "--max-trainings", "12"])
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let first = said.lines().next().expect("an answer");
    assert!(first.contains("yours") && first.contains("2 seeds"), "{said}");
}

#[test]
fn a_baseline_has_no_rate_to_find_and_no_place_in_the_rungs_of_a_search() {
    if !has_python() {
        return;
    }
    let keys = "script = \"train.py\"\nbaseline = \"recorded\"";
    let folder = scripts(&GRID.replace("script = \"train.py\"", keys));
    let said = |words: &[&str]| {
        let run = lrscout(folder.path()).args(words).output();
        let said = run.expect("it starts").stdout;
        String::from_utf8_lossy(&said).into_owned()
    };
    let found = said(&["find-lr", "grid.toml"]);
    assert_eq!(found.lines().count(), 2, "{found}");
    let search = ["search", "grid.toml", "--max-trainings", "60", "--dry-run"];
    let with_own = said(&search);
    fs::write(folder.path().join("grid.toml"), GRID).expect("writable");
    let without = said(&search);
    let trainings = |text: &str| -> usize {
        let (_, rest) = text.split_once("at most ").expect("a number");
        let (number, _) = rest.split_once(' ').expect("a number");
        number.parse().expect("a number")
    };
    // One recorded, and its two seeds.
    assert_eq!(trainings(&with_own), trainings(&without) + 1 + 2);
}

#[test]
fn a_baseline_that_cannot_be_compared_is_refused() {
    let workload = |keys: &str| {
        let keys = format!("script = \"train.py\"\n{keys}");
        GRID.replace("script = \"train.py\"", &keys)
    };
    let second = "[[workload]]\nname = \"b\"\nscript = \"train.py\"\n\n\
                  [[schedule]]\nkind = \"linear\"";
    let recorded = workload("baseline = \"recorded\"");
    for (grid, part) in [
        (workload("baseline = \"mine\""), "8:12: `baseline` must be"),
        (
            workload("baseline = { lr = 0.1 }"),
            "8:12: `baseline` has no `schedule`",
        ),
        (
            workload("baseline = { lr = 0, schedule = \"linear\" }"),
            "8:19: `lr` must be",
        ),
        (
            workload("baseline = { lr = 0.1, schedule = \"linaer\" }"),
            "`linaer`",
        ),
        (
            workload("baseline = { lr = 0.1, schedule = \"plateau\" }"),
            "8:12: a baseline cannot be `plateau`",
        ),
        (
            workload("args = [\"--lr={lr}\"]\nbaseline = \"recorded\""),
            "9:12: `--lr={lr}` asks for the rate",
        ),
        (
            format!("lr_multiples = [0.5, 1]\n{recorded}"),
            "9:12: a baseline is trained at its own rate and at no multiple",
        ),
        (
            recorded.replacen(
                "[[schedule]]\nkind = \"linear\"",
                second,
                1,
            ),
            "11:1: `b` has no `baseline`",
        ),
        (
            GRID.replace(
                "script = \"train.py\"",
                "command = [\"python3\", \"train.py\"]\nbaseline = \"recorded\"",
            ),
            "8:1: `baseline` goes with `script`",
        ),
    ] {
        let folder = scripts(&grid);
        let run = lrscout(folder.path())
            .args(["check", "--no-estimate", "grid.toml"])
            .assert()
            .code(65);
        let said = String::from_utf8_lossy(&run.get_output().stderr);
        assert!(said.contains(part), "{part}: {said}");
    }
    if has_python() {
        let args = "args = [\"--epochs\", \"1\"]\nbaseline = \"recorded\"";
        let folder = scripts(&workload(args));
        let run =
            lrscout(folder.path()).args(["run", "grid.toml"]).assert().code(65);
        let said = String::from_utf8_lossy(&run.get_output().stderr);
        assert!(said.contains("makes 20 updates by itself"), "{said}");
    }
}

#[test]
fn a_momentum_that_the_script_cycles_is_replayed_in_its_baseline() {
    if !has_python() {
        return;
    }
    let keys = "script = \"train.py\"\nlr = 0.01\nargs = [\"--cycle\"]\n\
                baseline = \"recorded\"";
    let folder = scripts(&GRID.replace("script = \"train.py\"", keys));
    let of = |folder: &Path| -> Vec<String> {
        let text = fs::read_to_string(folder.join("momenta"));
        let text = text.expect("written");
        text.lines().map(str::to_owned).collect()
    };
    lrscout(folder.path())
        .env("MOMENTA", folder.path().join("momenta"))
        .args(["run", "grid.toml", "--jobs", "1"])
        .assert()
        .success();
    // One start is recorded, then both schedules and the baseline have two
    // seeds.
    let momenta = of(folder.path());
    assert_eq!(momenta.len(), 1 + 4 + 2, "{momenta:?}");
    let falling = &momenta[0];
    assert!(falling.starts_with("[0.9, 0.89, 0.88, "), "{falling}");
    let replayed = momenta.iter().filter(|row| *row == falling).count();
    let held = momenta.iter().filter(|row| row.starts_with("[0.9, 0.9, "));
    assert_eq!((replayed, held.count()), (1 + 2, 4), "{momenta:?}");

    let folder = scripts(GRID);
    lrscout(folder.path())
        .env("MOMENTA", folder.path().join("momenta"))
        .args(["auto", "--steps", "40", "--max-trainings", "5", "--"])
        .args(["python3", "train.py", "--cycle"])
        .assert()
        .success();
    let momenta = of(folder.path());
    let replayed = momenta.iter().filter(|row| *row == falling).count();
    assert_eq!((momenta.len(), replayed), (5, 3), "{momenta:?}");
    let own = folder.path().join("results/auto-train/baseline.csv");
    let own = fs::read_to_string(own).expect("written");
    assert!(own.starts_with("step,factor,momentum\n0,1.0,0.9\n"), "{own}");
    lrscout(folder.path())
        .args(["report", "results/auto-train"])
        .assert()
        .success();
}
