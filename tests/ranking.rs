//! Tables of other people's runs, ranked through the binary.

mod program;

use program::{folder_with, lrscout};
use serde_json::Value;
use std::fs;
use std::path::Path;

const FAILED: &str = include_str!("tables/failed.csv");
const ACCURACY: &str = include_str!("tables/accuracy.csv");
const LOSS: &str = include_str!("tables/loss.csv");

/// `runs.csv` of a folder of its own.
fn table(text: &str) -> tempfile::TempDir {
    let folder = folder_with("");
    fs::write(folder.path().join("runs.csv"), text).expect("writable");
    folder
}

fn rank(folder: &Path, more: &[&str]) -> String {
    let rank = lrscout(folder).args(["rank", "runs.csv"]).args(more).assert();
    let rank = rank.success();
    String::from_utf8_lossy(&rank.get_output().stdout).into_owned()
}

fn json(folder: &Path, more: &[&str]) -> Value {
    let text = rank(folder, &[more, &["--format", "json"]].concat());
    serde_json::from_str(&text).expect("JSON")
}

fn p_of(ranked: &Value, schedule: &str) -> f64 {
    let pairs = ranked["pairs"].as_array().expect("pairs");
    let pair = pairs.iter().find(|pair| pair["a"] == schedule);
    pair.expect("a pair")["p_holm"].as_f64().expect("a number")
}

#[test]
fn a_failed_run_is_no_divergence() {
    let folder = table(FAILED);
    let ranked = json(folder.path(), &[]);
    assert_eq!(ranked["mean_ranks"]["cosine"], 1.0);
    assert_eq!(ranked["diverged"]["cosine"], 0);
    assert_eq!(ranked["failed"]["cosine"], 3);
    assert_eq!(ranked["verdicts"]["cosine"], "recommended");
    assert_eq!(p_of(&ranked, "cosine"), 0.03125);
    let csv = rank(folder.path(), &["--format", "csv"]);
    let head = csv.lines().next().expect("a header");
    assert!(head.ends_with(",diverged,runs,verdict,failed"), "{head}");
    let best = csv.lines().nth(1).expect("a row");
    assert!(best.ends_with(",0,21,recommended,3"), "{best}");

    // The same numbers without these rows, whatever they say.
    let without: Vec<&str> =
        FAILED.lines().filter(|line| !line.ends_with(",failed")).collect();
    let without = json(table(&without.join("\n")).path(), &[]);
    for word in
        ["failed", "timed-out", "KILLED", "CRASHED", "pruned", "running"]
    {
        let text = FAILED.replace(",failed", &format!(",{word}"));
        let ranked = json(table(&text).path(), &[]);
        for key in ["mean_ranks", "pairs", "regret", "verdicts"] {
            assert_eq!(ranked[key], without[key], "{word}: {key}");
        }
    }

    let said = lrscout(folder.path()).args(["recommend", "."]).assert();
    let said = said.success();
    let said = String::from_utf8_lossy(&said.get_output().stdout);
    insta::assert_snapshot!(said);
    lrscout(folder.path()).args(["report", "."]).assert().success();
    let report = fs::read_to_string(folder.path().join("report.md"));
    let report = report.expect("report.md");
    // The title is the name of the folder.
    insta::assert_snapshot!(report.split_once('\n').expect("a title").1);
}

#[test]
fn outcomes_in_the_words_of_other_tools() {
    let whole = FAILED.replace(",failed", ",completed");
    let bare = whole.replace(",outcome", "").replace(",completed", "");
    let bare = json(table(&bare).path(), &[]);
    assert_eq!(bare["verdicts"]["cosine"], "recommended");
    assert_eq!(bare["verdicts"]["constant"], "dominated");
    for word in ["finished", "FINISHED", "COMPLETE", "done", ""] {
        let text = whole.replace(",completed", &format!(",{word}"));
        assert_eq!(json(table(&text).path(), &[]), bare, "{word}");
    }
}

#[test]
fn higher_accuracies_are_better() {
    let folder = table(ACCURACY);
    let score = ["--score", "accuracy"];
    let ranked = json(folder.path(), &score);
    assert_eq!(ranked["verdicts"]["cosine"], "recommended");
    assert_eq!(ranked["verdicts"]["constant"], "dominated");
    assert_eq!(ranked["score"]["better"], "higher");
    assert_eq!(ranked["score"]["scale"], "raw");
    // Asked for, the name is overruled, and that is the first line.
    let turned = rank(folder.path(), &[&score[..], &["--lower"]].concat());
    assert!(
        turned.starts_with("Lower `accuracy` counts as better"),
        "{turned}"
    );
    // A name that says nothing.
    let folder = table(&ACCURACY.replace(",accuracy", ",score"));
    let guessed = rank(folder.path(), &[]);
    assert!(guessed.starts_with("Lower `score` counts as better"), "{guessed}");
    let told = rank(folder.path(), &["--higher"]);
    assert!(!told.contains("counts as better"), "{told}");
    lrscout(folder.path())
        .args(["rank", "runs.csv", "--higher", "--lower"])
        .assert()
        .code(2);
}

#[test]
fn a_loss_is_one_under_any_name() {
    for name in ["loss", "val_loss", "val/loss", "eval/loss", "validation_loss"]
    {
        let folder = table(&LOSS.replacen("loss", name, 1));
        let ranked = json(folder.path(), &["--score", name]);
        let p = p_of(&ranked, "cosine");
        assert!((p - 0.064).abs() < 5e-4, "{name}: {p}");
        assert_eq!(ranked["score"]["scale"], "relative");
    }
}

#[test]
fn a_metric_brings_its_direction_and_is_never_mixed() {
    let rows = |workload: &str, metric: &str, scores: [f64; 2]| {
        format!(
            "{workload},linear,0,{metric},{}\n{workload},cosine,0,{metric},{}\n",
            scores[0], scores[1]
        )
    };
    let head = "workload,schedule,seed,metric,valid_metric\n";
    let accuracy = rows("a", "accuracy", [0.7, 0.8]);
    let rmse = rows("b", "rmse", [0.7, 0.8]);
    let score = ["--score", "valid_metric"];
    let folder = table(&format!("{head}{accuracy}"));
    let ranked = json(folder.path(), &score);
    assert_eq!(ranked["verdicts"]["cosine"], "recommended");
    assert_eq!(ranked["score"]["column"], "accuracy");
    let folder = table(&format!("{head}{accuracy}{rmse}"));
    let mixed =
        lrscout(folder.path()).args(["rank", "runs.csv"]).args(score).assert();
    let mixed = mixed.code(65);
    let said = String::from_utf8_lossy(&mixed.get_output().stderr);
    assert_eq!(
        said,
        "error: runs.csv:4:12: `metric` is `rmse`; above it is `accuracy`: \
         different metrics are not ranked together, take one with `--metric`\n"
    );
    let ranked =
        json(folder.path(), &[&score[..], &["--metric", "rmse"]].concat());
    assert_eq!(ranked["verdicts"]["linear"], "recommended");
    assert_eq!(ranked["score"]["better"], "lower");
}

#[test]
fn a_missing_workload_is_named_and_the_rest_is_ranked() {
    let text: Vec<&str> = FAILED
        .lines()
        .filter(|line| !line.starts_with("set3,cosine"))
        .collect();
    let folder = table(&text.join("\n"));
    let ranked = json(folder.path(), &[]);
    assert_eq!(ranked["n"], 6);
    assert_eq!(ranked["skillings_mack"], Value::Null);
    let shown = rank(folder.path(), &[]);
    insta::assert_snapshot!(shown);
    let ranked = json(folder.path(), &["--allow-missing"]);
    assert_eq!(ranked["n"], 7);
    assert_eq!(ranked["mean_ranks"]["cosine"], 1.0);
    assert_eq!(ranked["skillings_mack"]["df"], 2);
    let p = ranked["skillings_mack"]["p"].as_f64().expect("a number");
    assert!(p < 0.001, "{p}");
    let n = |schedule: &str| {
        let pairs = ranked["pairs"].as_array().expect("pairs");
        let pair = pairs.iter().find(|pair| pair["a"] == schedule);
        pair.expect("a pair")["n"].clone()
    };
    assert_eq!((n("constant"), n("cosine")), (7.into(), 6.into()));
}
