//! What is no divergence, through the binary.

mod program;

use program::{folder_with, lrscout};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The rows of `runs.csv` after a run of the grid in `folder`.
fn rows(folder: &Path) -> Vec<String> {
    lrscout(folder).args(["run", "grid.toml", "--quiet"]).assert().success();
    let table = folder.join("results/grid/runs.csv");
    let table = fs::read_to_string(table).expect("a table");
    table.lines().skip(1).map(str::to_owned).collect()
}

/// Bug 01: one batch of four with a low loss says nothing about the level.
#[test]
fn a_low_loss_of_the_first_small_batch_makes_no_divergence() {
    let folder = folder_with(
        r#"
seeds = 20
budgets = [100]
lr_multiples = [0.1, 1]

[lr_find]
trainings = 5

[[workload]]
model = "mlp"
dataset = "teacher-student"
batch = 4

[[schedule]]
kind = ["constant", "linear"]
"#,
    );
    let rows = rows(folder.path());
    assert_eq!(rows.len(), 20 * 2 * 2);
    for row in rows {
        assert!(row.contains(",completed,"), "{row}");
    }
}

/// A weight that goes to 0; the loss is below 0 throughout.
const NEGATIVE: &str = r#"
import json, os, random, struct
task = json.load(open(os.environ["LRSCOUT_SPEC"]))
raw = open(task["lr_table"], "rb").read()
skip = 10 + struct.unpack("<H", raw[8:10])[0]
rates = struct.unpack(f"<{task['steps']}d", raw[skip:])
rng = random.Random(task["seed"])
w = 3.0
def level():
    return 0.1 + w * w - 30.0
def tell(event, **more):
    print(json.dumps({"event": event, **more}), flush=True)
tell("hello", protocol=1)
for t, lr in enumerate(rates):
    if t in task["eval_steps"]:
        tell("eval", step=t, loss=level())
    loss = level()
    w -= lr * (2 * w + 0.3 * rng.gauss(0, 1))
    w = max(-1e6, min(1e6, w))
    tell("train", step=t, loss=loss, lr=lr)
if task["steps"] in task["eval_steps"]:
    tell("eval", step=task["steps"], loss=level())
tell("done")
"#;

/// Bug 02: adding a constant to a loss changes no outcome.
#[test]
fn a_negative_loss_that_falls_does_not_diverge() {
    if Command::new("python3").arg("--version").output().is_err() {
        eprintln!("skipped: there is no python3");
        return;
    }
    let folder = folder_with(
        r#"
seeds = 4
budgets = [60]
control = "constant"

[lr_find]
trainings = 1.4

[[workload]]
name = "negative"
command = ["python3", "train.py"]
fingerprint = ["train.py"]
timeout = "1m"
dataset = "toy"
optimizer = "sgd"

[[schedule]]
kind = ["constant", "linear"]
"#,
    );
    fs::write(folder.path().join("train.py"), NEGATIVE).expect("writable");
    let rows = rows(folder.path());
    assert_eq!(rows.len(), 4 * 2);
    for row in rows {
        assert!(row.contains(",60,completed,"), "{row}");
    }
}
