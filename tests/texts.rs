//! What the program says to its user, as transcripts. Each of these texts is
//! made without training, so it is the same on every machine.

mod program;

use program::{folder_with, lrscout};
use std::fs;
use std::path::Path;

const GRID: &str = r#"
title = "tiny"
seeds = 2
budgets = [20, 40]
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
[[schedule]]
kind = "step"
milestones = [30]
"#;

/// What is shown and how it ends when each of `commands` is given in `folder`.
fn transcript(folder: &Path, commands: &[&str]) -> String {
    let each = commands.iter().map(|command| {
        let run = lrscout(folder).args(words(command)).output();
        let run = run.expect("it starts");
        let said = [run.stdout, run.stderr].concat();
        let said = String::from_utf8(said).expect("UTF-8");
        let end = match run.status.code() {
            Some(0) => String::new(),
            code => format!("[exit {}]\n", code.expect("no signal")),
        };
        format!("$ {}\n{said}{end}", format!("lrscout {command}").trim_end())
    });
    each.collect::<Vec<_>>().join("\n")
}

/// The words of a command; those between single quotes are one.
fn words(command: &str) -> Vec<&str> {
    let parts = command.split('\'').enumerate();
    let words = parts.flat_map(|(i, part)| match i % 2 {
        0 => part.split_whitespace().collect(),
        _ => vec![part],
    });
    words.collect()
}

/// A folder with a grid and tables of other people's runs.
fn folder() -> tempfile::TempDir {
    let folder = folder_with(GRID);
    for (name, text) in [
        ("bad.toml", GRID.replace("batch", "batsch").as_str()),
        ("failed.csv", include_str!("tables/failed.csv")),
        ("loss.csv", include_str!("tables/loss.csv")),
        ("accuracy.csv", include_str!("tables/accuracy.csv")),
        ("odd.csv", "workload,schedule,seed,loss\nw,x,0,low\n"),
        ("short.csv", "workload,schedule,seed,loss\nw,x,0\n"),
        ("head.csv", "workload,schedule,seed,loss\n"),
        ("bare.csv", "workload,loss\nw,1\n"),
        ("one.csv", "workload,schedule,seed,loss\nw,x,0,1\n"),
        ("twice.csv", "workload,schedule,seed,loss\nw,x,0,1\nw,x,0,2\n"),
        ("word.csv", "workload,schedule,seed,outcome,loss\nw,x,0,perfect,1\n"),
        ("curve.csv", "lr,loss\n0.1,1\n0.2,much\n"),
    ] {
        fs::write(folder.path().join(name), text).expect("writable");
    }
    let failed = include_str!("tables/failed.csv");
    let numbered = |text: &str| {
        let rows = text.lines().enumerate().map(|(i, row)| match i {
            0 => format!("run_id,{row}\n"),
            i => format!("r{i},{row}\n"),
        });
        rows.collect::<String>()
    };
    for (name, text) in [
        ("a", numbered(failed)),
        ("b", numbered(&failed.replace("cosine,0,0.6", "cosine,0,0.7"))),
        ("foreign", failed.to_owned()),
    ] {
        let path = folder.path().join(name);
        fs::create_dir(&path).expect("writable");
        fs::write(path.join("runs.csv"), text).expect("writable");
    }
    folder
}

#[test]
fn errors() {
    let text = transcript(
        folder().path(),
        &[
            "",
            "fly",
            "run",
            "run none.toml",
            "run .",
            "run bad.toml",
            "run grid.toml --jobs 0",
            "run grid.toml --filter nonsense",
            "run grid.toml --filter 'color=red'",
            "run grid.toml --filter 'workload=letter'",
            "run grid.toml --max-time soon",
            "check bad.toml grid.toml --no-estimate",
            "find-lr",
            "find-lr grid.toml --workload letter",
            "find-lr --curve none.csv",
            "find-lr --curve curve.csv",
            "find-lr --curve curve.csv --rule steep",
            "auto grid.toml",
            "rank none.csv",
            "rank odd.csv --score loss",
            "rank short.csv --score loss",
            "rank head.csv --score loss",
            "rank bare.csv",
            "rank one.csv --score loss",
            "rank twice.csv --score loss",
            "rank word.csv --score loss",
            "rank loss.csv",
            "rank loss.csv --score loss --control rex",
            "rank loss.csv --score loss --budget 100",
            "rank loss.csv --score loss --higher --lower",
            "rank loss.csv --score loss --alpha 2",
            "recommend nowhere",
            "recommend .",
            "recommend --workload nothing",
            "recommend --budget 7",
            "report nowhere",
            "diff a nowhere",
            "diff a foreign",
            "schedules values '{ kind = \"cosin\" }' --peak 1 --steps 9",
            "schedules values '{ kind = \"linear\", warmup = 9 }' --peak 1 --steps 9",
            "schedules values '{ kind = \"linear\" }' --peak 0 --steps 9",
            "schedules values '{ kind = \"rex\" }' --peak 1 --steps 9 --compat torch",
            "schedules values Cosine --peak 1 --steps 9",
            "export '{ kind = \"plateau\" }' --peak 1 --steps 9 --target torch",
            "export '{ kind = \"wsd\" }' --peak 1 --steps 9 --target jax",
            "bench none.toml",
            "calibrate --studies 0",
        ],
    );
    insta::assert_snapshot!(text);
}

#[test]
fn plans_and_lists() {
    let text = transcript(
        folder().path(),
        &[
            "run grid.toml --dry-run",
            "run grid.toml --dry-run --filter 'workload=digits, seed<1'",
            "check grid.toml --no-estimate",
            "schedules list",
            "schedules values '{ kind = \"one-cycle\" }' --peak 0.1 --steps 5",
        ],
    );
    insta::assert_snapshot!(text);
}

#[test]
fn boards() {
    let text = transcript(
        folder().path(),
        &[
            "rank failed.csv",
            "rank failed.csv --format csv",
            "rank loss.csv --score loss",
            "rank accuracy.csv --score accuracy",
            "rank accuracy.csv --score accuracy --lower",
            "recommend a",
            "diff a b",
        ],
    );
    insta::assert_snapshot!(text);
}
