//! Races, recommendations and their calibration through the binary.

mod program;

use program::{folder_with, lrscout};
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let done = lrscout(folder).args(arguments).assert().success();
    serde_json::from_slice(&done.get_output().stdout).expect("JSON")
}

/// Eight workloads that count as eight clusters. `step` and the user's own
/// schedule stop learning at once.
fn raced() -> String {
    let mut grid = String::from(
        "race = true\nseeds = 4\nbudgets = [20]\ncontrol = \"linear\"\n\
         [lr_find]\nseeds = 1\nsteps = 40\nverify = false\n",
    );
    for i in 0..8 {
        // Writing to a String cannot fail.
        let _ = write!(
            grid,
            "[[workload]]\nname = \"w{i}\"\ncluster = \"c{i}\"\n\
             model = {{ kind = \"mlp\", hidden = [{}] }}\n\
             dataset = \"digits\"\nbatch = 32\n",
            12 + i
        );
    }
    grid + "[[schedule]]\nkind = \"linear\"\n\
            [[schedule]]\nkind = \"step\"\nmilestones = [0.05]\ngamma = 1e-6\n\
            [[schedule]]\nkind = \"piecewise\"\n\
            points = [[0, 1e-6], [1, 1e-6]]\n"
}

/// Schedule, seed and outcome of every run.
fn outcomes(folder: &Path, results: &str) -> Vec<String> {
    let path = folder.join(results).join("grid/runs.csv");
    let text = fs::read_to_string(path).expect("runs.csv");
    let mut rows: Vec<String> = text
        .lines()
        .skip(1)
        .map(|line| {
            // Labels with commas stand between quotes.
            let plain = line.replace("milestones=[0.05],", "");
            let cells: Vec<&str> = plain.split(',').collect();
            format!("{} {} {}", cells[4], cells[7], cells[10])
        })
        .collect();
    rows.sort();
    rows
}

#[test]
fn a_race_spares_runs_of_the_worst_whatever_the_number_of_jobs() {
    let folder = folder_with(&raced());
    for (jobs, results) in [("1", "one"), ("3", "three")] {
        lrscout(folder.path())
            .args(["run", "grid.toml", "--quiet"])
            .args(["--jobs", jobs, "--results", results])
            .assert()
            .success();
    }
    let one = outcomes(folder.path(), "one");
    assert_eq!(one, outcomes(folder.path(), "three"));
    assert_eq!(one.len(), 8 * 3 * 4);
    let stopped: Vec<&String> =
        one.iter().filter(|row| row.ends_with("stopped")).collect();
    assert_eq!(stopped.len(), 8 * 2, "two seeds are enough: {one:?}");
    assert!(stopped.iter().all(|row| row.contains("step(")), "{stopped:?}");

    let ranked =
        json(folder.path(), &["rank", "one/grid/runs.csv", "--format", "json"]);
    let verdicts = ranked["verdicts"].as_object().expect("verdicts");
    let step = verdicts.keys().find(|name| name.starts_with("step"));
    let step = step.expect("the stopped schedule is ranked");
    assert_eq!(verdicts[step], "dominated");
    assert_eq!(ranked["diverged"][step], 0);
    let board = folder.path().join("one/grid/leaderboard.csv");
    let board = fs::read_to_string(board).expect("leaderboard.csv");
    let last = board.lines().last().expect("rows");
    assert!(last.contains("step(") && last.ends_with(",0,16,dominated,0"));
    let report = folder.path().join("one/grid/report.md");
    let report = fs::read_to_string(report).expect("report.md");
    assert!(report.contains("The race stopped `step("), "{report}");
    assert!(report.contains("after 2 of 4 seeds"), "{report}");
    for note in
        ["The control compared with itself under other seeds", "noise floor"]
    {
        assert!(report.contains(note), "{note}: {report}");
    }
}

#[test]
fn names_cannot_steer_a_terminal() {
    let folder = folder_with("");
    let csv = "workload,schedule,seed,valid_loss\na,x\u{1b}[31m,0,1\na,y,0,2\n";
    fs::write(folder.path().join("runs.csv"), csv).expect("writable");
    let rank = |more: &[&str]| {
        let mut rank = lrscout(folder.path());
        rank.args(["rank", "runs.csv"]).args(more).output().expect("runs")
    };
    let (fine, wrong) = (rank(&[]), rank(&["--control", "z"]));
    assert!(fine.status.success() && wrong.status.code() == Some(65));
    for text in [fine.stdout, wrong.stderr] {
        assert!(text.contains(&b'x') && !text.contains(&0x1b), "{text:?}");
    }
}

#[test]
fn recommend_says_what_to_use_and_what_for() {
    let folder = folder_with("");
    let advice = json(folder.path(), &["recommend", "--format", "json"]);
    let best = advice["recommended"]["schedule"].as_str();
    assert!(best.is_some(), "{advice}");
    assert_eq!(
        advice["recommended"]["evidence"].as_array().map(Vec::len),
        Some(2)
    );
    assert!(advice["rates"].as_array().is_some_and(|r| r.len() > 1));
}

#[test]
fn auto_gives_rate_schedule_and_reasons() {
    let grid = "seeds = 3\nbudgets = [30]\n\
        [lr_find]\nseeds = 1\nsteps = 40\nverify = false\n\
        [[workload]]\nname = \"a\"\n\
        model = { kind = \"mlp\", hidden = [16] }\ndataset = \"digits\"\n\
        batch = 32\n\
        [[workload]]\nname = \"b\"\n\
        model = { kind = \"mlp\", hidden = [16] }\ndataset = \"digits\"\n\
        batch = 64\n\
        [[schedule]]\nkind = \"linear\"\n[[schedule]]\nkind = \"cosine\"\n\
        [[schedule]]\nkind = \"step\"\nmilestones = [0.05]\ngamma = 1e-6\n";
    let folder = folder_with(grid);
    let of = |jobs| {
        json(
            folder.path(),
            &[
                "auto",
                "grid.toml",
                "--workload",
                "a",
                "--jobs",
                jobs,
                "--format",
                "json",
            ],
        )
    };
    let auto = of("1");
    assert_eq!(auto, of("3"));
    assert!(auto["lr"].as_f64().is_some_and(|lr| lr > 0.0));
    let label = auto["label"].as_str().expect("a schedule");
    assert!(["linear", "cosine"].contains(&label), "{label}");
    assert_eq!(auto["candidates"].as_array().map(Vec::len), Some(3));
    assert!(auto["why"].as_array().is_some_and(|why| why.len() >= 3));
}

#[test]
fn calibrate_keeps_its_promises_whatever_the_number_of_jobs() {
    let folder = folder_with("");
    let table = |jobs| {
        let done = lrscout(folder.path())
            .args(["calibrate", "--studies", "20", "--format", "csv"])
            .args(["--jobs", jobs])
            .assert()
            .success();
        done.get_output().stdout.clone()
    };
    assert_eq!(table("1"), table("2"));
}

#[test]
fn runs_of_another_tool_are_ranked() {
    let folder = folder_with("");
    let mut csv = String::from("schedule,task,workload,seed,score,notes\n");
    for workload in 0..9 {
        for (schedule, better) in [("ours", 0.05), ("theirs", 0.0)] {
            for seed in ["0", "1.0"] {
                let score = 0.5 + 0.01 * f64::from(workload) + better;
                // Writing to a String cannot fail.
                let _ = writeln!(
                    csv,
                    "{schedule},x,task {workload},{seed},{score},\"a, b\""
                );
            }
        }
    }
    fs::write(folder.path().join("theirs.csv"), csv).expect("writable");
    let ranked = json(
        folder.path(),
        &[
            "rank",
            "theirs.csv",
            "--higher",
            "--control",
            "theirs",
            "--format",
            "json",
        ],
    );
    assert_eq!(ranked["verdicts"]["ours"], "recommended");
    assert_eq!(ranked["n"], 9);
    assert!(ranked["pairs"][0]["p_holm"].as_f64().is_some_and(|p| p < 0.05));
}
