//! End to end, through the binary, as a user would.

mod program;

use program::{folder_with, lrscout};
use std::fs;
use std::path::Path;

const TINY: &str = r#"
title = "tiny"
seeds = 2
budgets = [20, 40]

[lr_find]
seeds = 1
steps = 40
verify = false

[[workload]]
name = "{dataset}"
model = { kind = "mlp", hidden = [16] }
dataset = ["digits", "satimage"]
batch = 32

[[schedule]]
kind = "constant"

[[schedule]]
kind = "linear"
warmup = 2
"#;

fn runs_of(folder: &Path) -> String {
    let path = folder.join("results/grid/runs.csv");
    fs::read_to_string(path).expect("runs.csv")
}

fn leaderboard(folder: &Path) -> String {
    let path = folder.join("results/grid/leaderboard.csv");
    fs::read_to_string(path).expect("leaderboard.csv")
}

#[test]
fn a_grid_becomes_a_leaderboard_and_a_second_run_does_nothing() {
    let folder = folder_with(TINY);
    let run = lrscout(folder.path())
        .args(["run", "grid.toml", "--jobs", "2"])
        .assert()
        .success();
    let shown = String::from_utf8_lossy(&run.get_output().stdout).into_owned();
    assert!(shown.contains("linear(warmup=2)"), "{shown}");

    let results = folder.path().join("results/grid");
    for name in [
        "runs.csv",
        "curves.csv",
        "lr_find.csv",
        "lr_find/digits.csv",
        "lr_find/digits.svg",
        "lr_find/digits-20.svg",
        "leaderboard.csv",
        "leaderboard-20-1.csv",
        "leaderboard-40-1.csv",
        "pairwise.csv",
        "workloads.csv",
        "experiment.toml",
        "environment.toml",
        "report.html",
        "report.md",
    ] {
        assert!(results.join(name).is_file(), "{name} is missing");
    }
    let rows = runs_of(folder.path());
    assert_eq!(rows.lines().count(), 1 + 2 * 2 * 2 * 2, "{rows}");
    assert!(
        rows.starts_with(
            "run_id,workload,cluster,optimizer,schedule,budget,lr_multiple,\
             seed,peak_lr,steps,outcome,train_loss,valid_loss,test_loss,\
             valid_metric,test_metric,metric"
        ),
        "{rows}"
    );

    let whole = fs::read(results.join("runs.csv")).expect("runs.csv");
    let again =
        lrscout(folder.path()).args(["run", "grid.toml"]).assert().success();
    let shown =
        String::from_utf8_lossy(&again.get_output().stdout).into_owned();
    assert!(shown.contains("nothing to do"), "{shown}");
    let after = fs::read(results.join("runs.csv")).expect("runs.csv");
    assert_eq!(whole, after, "not one byte changes");

    // What `run` ranked, `rank` ranks the same from the CSV alone.
    let ranked = lrscout(folder.path())
        .args(["rank", "results/grid/runs.csv", "--format", "json"])
        .assert()
        .success();
    let json: serde_json::Value =
        serde_json::from_slice(&ranked.get_output().stdout).expect("JSON");
    assert_eq!(json["k"], 2);
    assert_eq!(json["n"], 2);
}

#[test]
fn a_grid_with_every_kind_of_schedule_runs() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let list = lrscout(folder.path())
        .args(["schedules", "list", "--format", "json"])
        .assert()
        .success();
    let kinds: Vec<serde_json::Value> =
        serde_json::from_slice(&list.get_output().stdout).expect("JSON");
    assert!(kinds.len() >= 23, "{} kinds", kinds.len());
    let schedules = kinds.iter().map(|kind| {
        let kind = kind["kind"].as_str().expect("a name");
        let keys = match kind {
            "piecewise" => "points = [[0, 1], [0.8, 1], [1, 0]]\n",
            "table" => "file = \"factors.csv\"\n",
            "one-cycle" => "cycle_momentum = [0.85, 0.95]\n",
            _ => "warmup = 2\ncooldown = 0.2\n",
        };
        format!("[[schedule]]\nkind = \"{kind}\"\n{keys}")
    });
    let grid = format!(
        r#"
seeds = 2
budgets = [20]
control = "linear"

[lr_find]
seeds = 1
steps = 20
verify = false

[[workload]]
model = {{ kind = "mlp", hidden = [8] }}
dataset = "satimage"
optimizer = {{ kind = "adamw", lr_multipliers = {{ bias = 0.5 }} }}
batch = 16

[[schedule]]
join = [
    {{ kind = "rex", share = 0.5 }}, {{ kind = "cosine", share = 0.5 }},
]

{}"#,
        schedules.collect::<Vec<_>>().join("\n")
    );
    let factors: Vec<String> = (0..20)
        .map(|t| format!("{t},{}", 1.0 / (1.0 + f64::from(t))))
        .collect();
    let factors = format!("step,factor\n{}\n", factors.join("\n"));
    fs::write(folder.path().join("factors.csv"), factors).expect("writable");
    fs::write(folder.path().join("grid.toml"), grid).expect("writable");
    lrscout(folder.path())
        .args(["run", "grid.toml", "--quiet", "--jobs", "2"])
        .assert()
        .success();
    let rows = runs_of(folder.path());
    assert_eq!(rows.lines().count(), 1 + 2 * (kinds.len() + 1), "{rows}");
    assert!(!rows.contains("failed"), "{rows}");
    for kind in &kinds {
        let name = kind["kind"].as_str().expect("a name");
        // A label with a comma stands in quotes.
        let labels = [format!(",{name}("), format!(",\"{name}(")];
        let there = labels.iter().any(|label| rows.contains(label));
        assert!(there, "{name}: {rows}");
    }
    // What `refined` came to is there for whoever wants to use it.
    let file = "results/grid/refined/satimage-mlp-hidden-8--20-1-refined-\
                warmup-2-cooldown-0.2-.csv";
    let spec = format!("{{ kind = \"table\", file = \"{file}\" }}");
    lrscout(folder.path())
        .args(["export", &spec, "--peak", "0.1", "--steps", "20"])
        .args(["--target", "torch"])
        .assert()
        .success();
    // Its gradient norms are kept too.
    let again =
        lrscout(folder.path()).args(["run", "grid.toml"]).assert().success();
    let shown = String::from_utf8_lossy(&again.get_output().stdout);
    assert!(shown.contains("nothing to do"), "{shown}");
    assert_eq!(runs_of(folder.path()), rows);
}

#[test]
fn the_number_of_jobs_changes_no_byte() {
    let (one, two) = (folder_with(TINY), folder_with(TINY));
    for (folder, jobs) in [(&one, "1"), (&two, "3")] {
        lrscout(folder.path())
            .args(["run", "grid.toml", "--quiet", "--jobs", jobs])
            .assert()
            .success();
    }
    assert_eq!(runs_of(one.path()), runs_of(two.path()));
    assert_eq!(leaderboard(one.path()), leaderboard(two.path()));
}

#[test]
fn a_killed_run_goes_on_to_the_same_bytes() {
    let whole = folder_with(TINY);
    lrscout(whole.path())
        .args(["run", "grid.toml", "--quiet"])
        .assert()
        .success();
    let cut = folder_with(TINY);
    for milliseconds in [150, 300, 450] {
        let mut child =
            std::process::Command::new(assert_cmd::cargo::cargo_bin("lrscout"))
                .current_dir(cut.path())
                .args(["run", "grid.toml", "--quiet"])
                .spawn()
                .expect("starts");
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
        // It may have finished already: then the kill is none.
        let _ = child.kill();
        child.wait().expect("ends");
    }
    lrscout(cut.path())
        .args(["run", "grid.toml", "--quiet"])
        .assert()
        .success();
    assert_eq!(runs_of(whole.path()), runs_of(cut.path()));
    assert_eq!(leaderboard(whole.path()), leaderboard(cut.path()));
}

#[test]
fn adding_a_seed_runs_only_what_is_new() {
    let folder = folder_with(TINY);
    lrscout(folder.path())
        .args(["run", "grid.toml", "--quiet"])
        .assert()
        .success();
    let more = TINY.replace("seeds = 2\nbudgets", "seeds = 3\nbudgets");
    fs::write(folder.path().join("grid.toml"), more).expect("writable");
    let plan = lrscout(folder.path())
        .args(["run", "grid.toml", "--dry-run"])
        .assert()
        .success();
    let shown = String::from_utf8_lossy(&plan.get_output().stdout).into_owned();
    assert!(
        shown.contains("0 of 4 learning rates and 8 of 24 runs to compute"),
        "{shown}"
    );
}

#[test]
fn bad_grids_are_refused_with_place_and_remedy_and_nothing_is_written() {
    for (bad, place) in [
        ("seeds = 2", "seeds = 0"),
        ("kind = \"linear\"", "kind = \"liner\""),
        ("batch = 32", "batsch = 32"),
        ("\"satimage\"", "\"satimge\""),
        ("kind = \"mlp\"", "kind = \"mpl\""),
    ]
    .map(|(good, bad)| (TINY.replacen(good, bad, 1), bad))
    {
        let folder = folder_with(&bad);
        let run =
            lrscout(folder.path()).args(["run", "grid.toml"]).assert().code(65);
        let said = String::from_utf8_lossy(&run.get_output().stderr);
        assert!(said.contains("grid.toml:"), "{place}: {said}");
        assert!(!folder.path().join("results").exists(), "{place}");
    }
}

#[test]
fn wrong_usage_exits_with_2_and_a_missing_grid_with_65() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    lrscout(folder.path()).args(["run"]).assert().code(2);
    lrscout(folder.path()).args(["fly"]).assert().code(2);
    lrscout(folder.path()).args(["run", "none.toml"]).assert().code(65);
    lrscout(folder.path()).args(["rank", "none.csv"]).assert().code(65);
}

#[test]
fn check_counts_cells_and_says_what_is_missing() {
    let folder = folder_with(TINY);
    let check = lrscout(folder.path())
        .args(["check", "grid.toml", "--no-estimate", "--format", "json"])
        .assert()
        .success();
    let json: serde_json::Value =
        serde_json::from_slice(&check.get_output().stdout).expect("JSON");
    assert_eq!(json["runs"], 16);
    assert_eq!(json["cells"], 8);
    assert_eq!(json["steps"], 2 * 2 * 2 * (20 + 40));
    assert_eq!(json["smallest_p"], 0.5);
}

#[test]
fn a_diverging_run_is_a_result_and_ranks_last() {
    let wild = TINY.replace(
        "budgets = [20, 40]",
        "budgets = [40]\nlr_multiples = [1, 1e6]",
    );
    let folder = folder_with(&wild);
    lrscout(folder.path())
        .args(["run", "grid.toml", "--quiet"])
        .assert()
        .success();
    let rows = runs_of(folder.path());
    assert!(rows.contains("diverged"), "{rows}");
}

#[test]
fn find_lr_prints_a_row_for_every_workload_and_budget() {
    let folder = folder_with(TINY);
    let found = lrscout(folder.path())
        .args(["find-lr", "grid.toml", "--workload", "digits"])
        .args(["--plot", "curve.svg"])
        .assert()
        .success();
    let rows = String::from_utf8_lossy(&found.get_output().stdout).into_owned();
    let mut lines = rows.lines();
    assert_eq!(
        lines.next(),
        Some(
            "workload,optimizer,budget,lr,low,high,outcome,rule,cost_steps,\
             schedule"
        )
    );
    assert_eq!(lines.count(), 2, "{rows}");
    let svg = fs::read_to_string(folder.path().join("curve.svg"));
    assert!(svg.expect("the plot").contains("<svg"));
    assert!(!folder.path().join("results").exists());
}

#[test]
fn two_folders_of_results_are_compared() {
    let folder = folder_with(TINY);
    let run = |results: &str| {
        lrscout(folder.path())
            .args(["run", "grid.toml", "--quiet", "--results", results])
            .assert()
            .success();
    };
    run("before");
    let grid = folder.path().join("grid.toml");
    let other = TINY.replace("warmup = 2", "warmup = 3\nend_ratio = 0.1");
    fs::write(&grid, other.replace("seeds = 2", "seeds = 3"))
        .expect("writable");
    run("after");
    let diff = |args: &[&str]| {
        let diff = lrscout(folder.path())
            .args(["diff", "before/grid", "after/grid"])
            .args(args)
            .assert()
            .success();
        String::from_utf8_lossy(&diff.get_output().stdout).into_owned()
    };
    let shown = diff(&[]);
    assert!(shown.contains("seeds: 2 -> 3"), "{shown}");
    assert!(shown.contains("8 in both, all with the same numbers"), "{shown}");
    let json: serde_json::Value =
        serde_json::from_str(&diff(&["--format", "json"])).expect("JSON");
    let schedules = json["schedules"].as_array().expect("a list");
    let find = |label: &str| {
        let mut rows = schedules.iter();
        rows.find(|row| row["schedule"] == label).expect("a row")
    };
    // The constant runs are the same, the others are of another schedule.
    assert_eq!(find("constant")["common_runs"], 8);
    assert_eq!(find("constant")["mean_difference"], 0.0);
    assert!(find("linear(warmup=2)")["b"].is_null());
    assert!(find("linear(end_ratio=0.1,warmup=3)")["a"].is_null());
    lrscout(folder.path())
        .args(["diff", "before/grid", "nowhere"])
        .assert()
        .code(65);
}

#[test]
fn results_know_their_control_without_what_the_grid_names() {
    let table = TINY.replace(
        "dataset = [\"digits\", \"satimage\"]",
        "dataset = { kind = \"csv\", file = \"t.csv\", target = \"y\" }",
    );
    // Neither the first by name nor the usual one.
    let table = table.replace("kind = \"constant\"", "kind = \"rex\"");
    let folder = folder_with(&format!("control = \"rex\"\n{table}"));
    let rows = (0..200).map(|i| format!("{},{}", i % 7, i % 3));
    let rows = rows.collect::<Vec<_>>().join("\n");
    fs::write(folder.path().join("t.csv"), format!("x,y\n{rows}\n"))
        .expect("writable");
    lrscout(folder.path()).args(["run", "grid.toml"]).assert().success();
    let rank = lrscout(folder.path())
        .args(["rank", "results/grid/runs.csv", "--format", "json"])
        .assert()
        .success();
    let json: serde_json::Value =
        serde_json::from_slice(&rank.get_output().stdout).expect("JSON");
    assert_eq!(json["pairs"][0]["b"], "rex");
}

#[test]
fn names_in_compared_results_steer_no_terminal() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(&path).expect("writable");
        fs::write(path.join("runs.csv"), text).expect("writable");
    };
    let head = "run_id,workload,schedule,seed,outcome,train_loss,valid_loss,\
                test_loss\n";
    let rows = "a,w,\"x\u{1b}[31m\",0,completed,1,1,1\n\
                b,w,y,0,completed,2,2,2\n";
    put("a", &format!("{head}{rows}"));
    put("b", &format!("{head}{}", rows.replace("2,2,2", "3,3,")));
    let settings = "title = \"\\u001b]0;owned\"\n";
    fs::write(folder.path().join("b/experiment.toml"), settings)
        .expect("writable");
    let diff = lrscout(folder.path()).args(["diff", "a", "b"]).assert();
    let diff = diff.success();
    let shown = String::from_utf8_lossy(&diff.get_output().stdout);
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
    assert!(
        shown.contains("2 in both, 1 of them with other numbers"),
        "{shown}"
    );
    // A foreign table has no ids, so none of its runs is the same; an empty
    // one has nothing to rank.
    put("c", "workload,schedule,seed,valid_loss\nw,x,0,1\n");
    put("d", head);
    let diff = lrscout(folder.path()).args(["diff", "a", "c"]).assert();
    let diff = diff.success();
    let shown = String::from_utf8_lossy(&diff.get_output().stdout);
    assert!(shown.contains("none in both"), "{shown}");
    lrscout(folder.path()).args(["diff", "a", "d"]).assert().code(65);
}

#[test]
fn a_search_ends_in_a_leaderboard_and_continues_where_it_stopped() {
    let folder = folder_with(TINY);
    let search = |jobs: &str, results: &str| {
        let args = ["search", "grid.toml", "--max-trainings", "700"];
        lrscout(folder.path())
            .args(args)
            .args(["--jobs", jobs, "--results", results])
            .assert()
            .success()
    };
    let first = search("2", "results");
    let shown =
        String::from_utf8_lossy(&first.get_output().stdout).into_owned();
    assert!(shown.contains("Found by the search: "), "{shown}");
    let table = |results: &str, name: &str| {
        let path = format!("{results}/grid-search/{name}");
        fs::read_to_string(folder.path().join(path)).expect("a table")
    };
    let rungs = table("results", "search.csv");
    assert!(rungs.starts_with("schedule,rung,seeds,regret,goes_on\n"));
    let finalists: Vec<&str> =
        rungs.lines().skip(1).take(4).filter(|l| l.ends_with("true")).collect();
    assert_eq!(finalists.len(), 4, "{rungs}");
    // Both schedules of the grid are in the final.
    assert_eq!(table("results", "leaderboard.csv").lines().count(), 1 + 6);
    let again = search("1", "results");
    let said = String::from_utf8_lossy(&again.get_output().stdout).into_owned();
    assert!(said.contains("nothing to do"), "{said}");
    search("1", "other");
    for name in ["search.csv", "runs.csv", "leaderboard.csv"] {
        assert_eq!(table("results", name), table("other", name), "{name}");
    }
    let few = lrscout(folder.path())
        .args(["search", "grid.toml", "--max-trainings", "9"])
        .assert()
        .failure();
    let said = String::from_utf8_lossy(&few.get_output().stderr).into_owned();
    assert!(said.contains("the smallest search of this grid takes"), "{said}");
}
