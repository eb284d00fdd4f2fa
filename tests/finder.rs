//! The finder through the binary: formats, replay, budget, given weights.

mod program;

use program::{folder_with, lrscout};
use serde_json::Value;
use std::fs;
use std::path::Path;

const GRID: &str = r#"
seeds = 1
budgets = [40]

[[workload]]
name = "letter"
model = { kind = "mlp", hidden = [64, 32] }
dataset = "letter"
optimizer = "adamw"

[[schedule]]
kind = "linear"
"#;

fn found(folder: &Path, more: &[&str]) -> Value {
    let run = lrscout(folder)
        .args(["find-lr", "grid.toml", "--format", "json"])
        .args(more)
        .assert()
        .success();
    let mut all: Value =
        serde_json::from_slice(&run.get_output().stdout).expect("JSON");
    all[0].take()
}

#[test]
fn everything_known_about_a_rate_is_in_the_json_and_repeats() {
    let folder = folder_with(GRID);
    let first = found(folder.path(), &["--save", "curve.csv"]);
    for jobs in ["1", "2", "5"] {
        assert_eq!(first, found(folder.path(), &["--jobs", jobs]));
    }
    let lr = first["lr"].as_f64().expect("a rate");
    assert!(first["low"].as_f64() <= Some(lr));
    assert!(first["high"].as_f64() >= Some(lr));
    let found = &first["found"];
    for key in ["curve", "verification", "opinions"] {
        let rows = found[key].as_array().map_or(0, Vec::len);
        assert!(rows > 0, "{key} is empty: {found}");
    }
    for key in ["confidence", "basin", "horizon", "reason"] {
        assert!(!found[key].is_null(), "{key} is missing: {found}");
    }

    let replay = lrscout(folder.path())
        .args(["find-lr", "--curve", "curve.csv"])
        .assert()
        .success();
    let rules = String::from_utf8_lossy(&replay.get_output().stdout);
    for rule in ["lrscout", "fastai-valley", "lightning", "mxnet-stop"] {
        assert!(rules.contains(rule), "{rule} is missing: {rules}");
    }
}

#[test]
fn a_rate_costs_no_more_than_asked() {
    for budget in ["[200]", "[250]", "[400]"] {
        let folder = folder_with(&GRID.replace("[40]", budget));
        for trainings in ["1.3", "1.4", "5"] {
            let found = found(folder.path(), &["--trainings", trainings]);
            let cost = found["cost_trainings"].as_f64().expect("a cost");
            let most: f64 = trainings.parse().expect("a number");
            assert!(cost > 0.5 && cost <= most, "{cost} of {most}");
        }
    }
}

#[test]
fn given_weights_are_where_training_starts() {
    let folder = folder_with(GRID);
    let weights =
        concat!(env!("CARGO_MANIFEST_DIR"), "/benches/letter.safetensors");
    fs::copy(weights, folder.path().join("start.safetensors")).expect("a copy");
    let given = GRID
        .replace("optimizer =", "weights = \"start.safetensors\"\noptimizer =");
    let start = |grid: &str| {
        fs::write(folder.path().join("grid.toml"), grid).expect("writable");
        let found = found(folder.path(), &[]);
        found["found"]["curve"][0]["loss"].as_f64().expect("a loss")
    };
    let (fresh, tuned) = (start(GRID), start(&given));
    assert!(tuned < 0.7 * fresh, "{tuned} is no better than {fresh}");

    let other = given.replace("[64, 32]", "[64, 33]");
    fs::write(folder.path().join("grid.toml"), other).expect("writable");
    let refused = lrscout(folder.path())
        .args(["find-lr", "grid.toml"])
        .assert()
        .failure();
    let why = String::from_utf8_lossy(&refused.get_output().stderr);
    let want = "failed: letter, 40 steps: building the model of `letter`: weight \
                `hidden1.bias` is [32] in the file and [33] in the model";
    assert_eq!(why.lines().next(), Some(want), "{why}");

    fs::write(folder.path().join("start.safetensors"), "no tensors")
        .expect("writable");
    let refused = lrscout(folder.path())
        .args(["find-lr", "grid.toml"])
        .assert()
        .failure();
    let why = String::from_utf8_lossy(&refused.get_output().stderr);
    assert_eq!(
        why.lines().next(),
        Some("error: start.safetensors: header too large")
    );
}

/// Bug 21: an example an update, and a budget of 250.
#[test]
fn at_batch_1_the_interval_holds_the_best_rate() {
    let grid = r#"
budgets = [250]

[lr_find]
trainings = 1.4

[[workload]]
model = "mlp"
dataset = "letter"
batch = 1

[[schedule]]
kind = "linear"
"#;
    let folder = folder_with(grid);
    let found = found(folder.path(), &[]);
    let found = &found["found"];
    let (low, high) = (&found["interval"][0], &found["interval"][1]);
    let holds = low.as_f64() < Some(0.014) && high.as_f64() > Some(0.014);
    let is_near = found["lr"].as_f64().is_some_and(|lr| lr < 0.045);
    assert!(holds, "{found}");
    assert!(is_near || found["confidence"] == "low", "{found}");
}
