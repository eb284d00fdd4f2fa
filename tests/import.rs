//! Tables in other people's forms, ranked through the binary.

mod program;

use program::{folder_with, lrscout};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const LOSS: &str = include_str!("tables/loss.csv");

fn ranked(folder: &Path, file: &str) -> Value {
    let mut rank = lrscout(folder);
    rank.args(["rank", file, "--score", "loss", "--format", "json"]);
    let rank = rank.assert().success();
    let text = String::from_utf8_lossy(&rank.get_output().stdout).into_owned();
    serde_json::from_str(&text).expect("JSON")
}

/// [`LOSS`] as an array of objects, as text.
fn as_json() -> String {
    let rows = LOSS.lines().skip(1).map(|line| {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |text: &str| text.parse::<f64>().expect("a number");
        json!({"workload": cells[0], "schedule": cells[1],
               "seed": number(cells[2]), "loss": number(cells[3])})
    });
    Value::Array(rows.collect()).to_string()
}

#[test]
fn a_table_has_one_ranking_in_every_form() {
    let folder = folder_with("");
    let german = LOSS.replace(',', ";").replace('.', ",");
    let json = as_json();
    let lines = json.trim_matches(['[', ']']).replace("},{", "}\n{");
    for (name, text) in [
        ("comma.csv", LOSS.to_owned()),
        ("semicolon.csv", LOSS.replace(',', ";")),
        ("german.csv", german.clone()),
        ("tab.tsv", LOSS.replace(',', "\t")),
        ("tab-german.tsv", german.replace(';', "\t")),
        ("sep.csv", format!("sep=,\n{LOSS}")),
        ("comment.csv", format!("# exported\n\n{LOSS}")),
        ("mark.csv", format!("\u{feff}{LOSS}")),
        ("rows.json", json),
        ("rows.jsonl", lines),
    ] {
        let path = folder.path().join(name);
        fs::write(path, text).expect("writable");
        let (this, other) =
            (ranked(folder.path(), name), ranked(folder.path(), "comma.csv"));
        assert_eq!(this, other, "{name}");
    }
}
