//! `find-lr --curve` through the binary, as a user would.

mod program;

use program::{folder_with, lrscout};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// A range test of 80 updates up to a rate of 10, whose loss is `loss` of the
/// share of the range so far, with noise.
fn curve(folder: &Path, loss: impl Fn(f64) -> f64) {
    let mut text = "lr,loss\n".to_owned();
    for i in 0..80 {
        let lr = 10.0_f64.powf(-6.0 + 7.0 * f64::from(i) / 79.0);
        // Noise that can be seen, and is the same every time.
        let noise = 0.02 * (f64::from(i * i % 31) / 15.0 - 1.0);
        let loss = loss(f64::from(i) / 79.0) + noise;
        writeln!(text, "{lr:e},{loss:.4}").expect("a string");
    }
    fs::write(folder.join("curve.csv"), text).expect("writable");
}

fn valley(x: f64) -> f64 {
    2.3 - 1.5 / (1.0 + (20.0 * (0.5 - x)).exp()) + (40.0 * (x - 0.85)).exp()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn options_do_what_they_say_or_are_refused() {
    let folder = folder_with("");
    let path = folder.path();
    curve(path, valley);
    let run = |args: &[&str]| {
        let mut command = lrscout(path);
        command.args(["find-lr", "--curve", "curve.csv"]).args(args);
        command.assert()
    };
    let all = run(&["--plot", "p.svg", "--save", "s.csv", "--format", "json"]);
    let all = all.success();
    let json: serde_json::Value =
        serde_json::from_slice(&all.get_output().stdout).expect("JSON");
    assert_eq!(json["outcome"], "found");
    assert_eq!(json["confidence"], "medium");
    assert_eq!(json["rules"].as_array().expect("rules").len(), 13);
    assert_eq!(json["curve"].as_array().expect("rows").len(), 80);
    let (lr, low) = (json["lr"].as_f64(), json["interval"][0].as_f64());
    assert!(low <= lr && lr <= json["interval"][1].as_f64(), "{json}");
    let svg = fs::read_to_string(path.join("p.svg")).expect("the plot");
    assert!(svg.contains("<svg"));
    // What was saved reads as the same.
    let args = ["--rule", "lrscout"];
    let rows = text(&run(&args).success().get_output().stdout);
    fs::rename(path.join("s.csv"), path.join("curve.csv")).expect("saved");
    assert_eq!(text(&run(&args).success().get_output().stdout), rows);
    for (args, flag) in [
        (["--workload", "x"], "--workload"),
        (["--trainings", "3"], "--trainings"),
        (["--jobs", "2"], "--jobs"),
    ] {
        let refused = run(&args).code(2);
        let said = text(&refused.get_output().stderr);
        assert!(said.contains("cannot be used with"), "{flag}: {said}");
    }
}

#[test]
fn a_folder_or_a_pattern_stands_for_the_one_file_in_it() {
    let folder = folder_with("");
    let made = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/import");
    let run = |curve: &str| {
        let mut command = lrscout(folder.path());
        command.args(["find-lr", "--format", "json", "--curve", curve]);
        command.assert()
    };
    let rate = |curve: &str| {
        let run = run(curve).success();
        let answer: serde_json::Value =
            serde_json::from_slice(&run.get_output().stdout).expect("JSON");
        let rate = answer["lr"].as_f64().expect("a rate");
        format!("{rate:.6e}")
    };
    // Event files of TensorBoard, and the numbers that they were made of.
    let right = rate(&format!("{made}/tensorboard/range-test.csv"));
    let events = format!("{made}/tensorboard/range-test");
    let event = format!("{events}/events.out.tfevents.1700000000.host");
    assert_eq!(rate(&event), right);
    assert_eq!(rate(&events), right);
    assert_eq!(rate(&format!("{events}/events*")), right);
    let refused = run(&format!("{made}/wandb/raw")).code(65);
    let said = text(&refused.get_output().stderr);
    assert!(said.contains("stands for 3 files, `"), "{said}");
    assert!(said.trim_end().ends_with("and others; name one"), "{said}");
    let refused = run("none.csv").failure();
    let said = text(&refused.get_output().stderr);
    assert!(said.contains("none.csv: No such file"), "{said}");
}

#[test]
fn options_of_curves_are_refused_with_a_grid() {
    let folder = folder_with("");
    for args in [
        ["--from", "keras"],
        ["--lr", "lr"],
        ["--loss", "loss"],
        ["--smoothed", "none"],
    ] {
        let mut command = lrscout(folder.path());
        command.args(["find-lr", "grid.toml"]).args(args);
        let refused = command.assert().code(2);
        let said = text(&refused.get_output().stderr);
        assert!(said.contains("cannot be used with"), "{said}");
    }
}

#[test]
fn outcome_and_reason_stand_beside_the_rate() {
    let folder = folder_with("");
    let path = folder.path();
    let run = || {
        let mut command = lrscout(path);
        command.args(["find-lr", "--curve", "curve.csv"]);
        let run = command.args(["--rule", "lrscout"]).assert().success();
        let (out, said) = (&run.get_output().stdout, &run.get_output().stderr);
        let row = text(out).lines().nth(1).expect("a row").to_owned();
        (row, text(said))
    };
    curve(path, |x| 2.3 - 1.5 / (1.0 + (20.0 * (0.8 - x)).exp()));
    let (row, said) = run();
    assert!(row.ends_with(",never-diverged,low"), "{row}");
    assert!(
        said.contains(
            "the loss never rose again up to 1.00e1: repeat the range test \
             with a maximum rate of 1e3"
        ),
        "{said}"
    );
    curve(path, |_| 1.4);
    let (row, said) = run();
    assert_eq!(row, "lrscout,,,,,no-descent,low");
    assert!(said.contains("the loss fell at no rate up to 1.00e1"), "{said}");
}

#[test]
fn the_losses_of_lightnings_loggers_are_read_as_raw() {
    let folder = folder_with("");
    let path = folder.path();
    let mut log = "step,lr-SGD,train_loss\n".to_owned();
    for i in 0..80 {
        let x = f64::from(i) / 79.0;
        let (lr, loss) = (10.0_f64.powf(-6.0 + 7.0 * x), valley(x));
        writeln!(log, "{i},{lr:e},{loss:.4}").expect("a string");
    }
    fs::write(path.join("metrics.csv"), log).expect("writable");
    let rate = |args: &[&str]| {
        let mut command = lrscout(path);
        command.args(["find-lr", "--curve", "metrics.csv"]).args(args);
        let run = command.args(["--rule", "lrscout"]).assert().success();
        let said = text(&run.get_output().stderr);
        assert!(!said.contains("undone exactly"), "{said}");
        assert!(!said.contains("undone, accurate"), "{said}");
        let rows = text(&run.get_output().stdout);
        let row = rows.lines().nth(1).expect("a row");
        row.split(',').nth(1).expect("a rate").to_owned()
    };
    let raw = rate(&["--smoothed", "none"]);
    assert!(raw.starts_with("0.037"), "{raw}");
    assert_eq!(rate(&[]), raw);
    assert_eq!(rate(&["--from", "lightning"]), raw);
}

#[test]
fn a_rule_may_be_named_with_a_grid() {
    let folder = folder_with(
        r#"
title = "rules"
seeds = 1
budgets = [20]

[lr_find]
seeds = 1
steps = 40
verify = false

[[workload]]
model = { kind = "mlp", hidden = [16] }
dataset = "digits"

[[schedule]]
kind = "constant"
"#,
    );
    let mut command = lrscout(folder.path());
    command.args(["find-lr", "grid.toml", "--rule", "fastai-minimum"]);
    let run = command.assert().success();
    let rows = text(&run.get_output().stdout);
    let row = rows.lines().nth(1).expect("a row");
    assert!(row.contains(",fastai-minimum,"), "{row}");
}
