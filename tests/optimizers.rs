//! Every optimizer in a grid, through the binary.

mod program;

use program::{folder_with, lrscout};
use std::fs;
use std::path::Path;

const GRID: &str = r#"
seeds = 2
budgets = [24]

[lr_find]
seeds = 1
steps = 30
verify = false

[[workload]]
name = "{model}-{optimizer}"
model = { kind = "transformer", width = 8, layers = 1, heads = 2 }
dataset = "words"
batch = 8
optimizer = [
    "sgd",
    "adamw",
    { kind = "adam", weight_decay = 0.01 },
    { kind = "rmsprop", momentum = 0.5, clip_norm = 1.0 },
    { kind = "lion", lr_multipliers = { bias = 0.5 } },
    "muon",
    { kind = "muon", adjust_lr_fn = "match-rms-adamw", adamw_for = ["head"] },
]

[[schedule]]
kind = "linear"
warmup = 8

[[schedule]]
kind = "cosine"
warmup = 8

[[schedule]]
kind = "one-cycle"
cycle_momentum = [0.85, 0.95]

[[schedule]]
kind = "refined"
"#;

fn run(folder: &Path, more: &[&str]) -> String {
    lrscout(folder)
        .args(["run", "grid.toml", "--quiet"])
        .args(more)
        .assert()
        .success();
    let rows = folder.join("results/grid/runs.csv");
    fs::read_to_string(rows).expect("a table")
}

#[test]
fn every_optimizer_runs_shares_and_goes_on() {
    let (whole, alone, parts) =
        (folder_with(GRID), folder_with(GRID), folder_with(GRID));
    let rows = run(whole.path(), &[]);
    assert_eq!(rows.lines().count(), 1 + 7 * 4 * 2, "{rows}");
    assert_eq!(rows.matches(",completed,").count(), 7 * 4 * 2, "{rows}");
    for label in [
        "adam(weight_decay=0.01)",
        "rmsprop(momentum=0.5,clip_norm=1)",
        "lion(lr_multipliers=bias=0.5)",
        "muon(adjust_lr_fn=match-rms-adamw,adamw_for=head)",
    ] {
        assert!(rows.contains(label), "{label}: {rows}");
    }
    assert_eq!(run(alone.path(), &["--no-sharing"]), rows);
    run(parts.path(), &["--filter", "schedule=cosine"]);
    assert_eq!(run(parts.path(), &[]), rows);
}

#[test]
fn a_name_of_no_weight_is_refused_before_any_training() {
    let grid = GRID.replace("[\"head\"]", "[\"tail\"]");
    let folder = folder_with(&grid);
    let refused = lrscout(folder.path())
        .args(["check", "grid.toml", "--no-estimate"])
        .assert()
        .failure();
    let why = String::from_utf8_lossy(&refused.get_output().stderr);
    assert!(why.contains("`adamw_for` has `tail`"), "{why}");
}
