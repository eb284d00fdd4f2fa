use super::*;
use crate::record::Shown;
use std::fs;

fn table(text: &str) -> Result<Sheet> {
    Sheet::parse(Path::new("runs.csv"), text)
}

fn read(text: &str) -> Vec<Observation> {
    let sheet = table(text).expect("a table");
    read_all(&[sheet], Wanted::default()).expect("a valid table").0
}

/// `line:column: message` of a table that cannot be read.
fn failure(text: &str, score: Option<&str>) -> String {
    let wanted = Wanted { score, metric: None };
    match table(text).and_then(|sheet| read_all(&[sheet], wanted)) {
        Err(Error::Input { line, column, message, .. }) => {
            format!("{line}:{column}: {message}")
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn four_columns_are_enough() {
    let runs = read("schedule,seed,score,workload\ncosine,3,0.25,letter\n");
    assert_eq!(
        runs,
        [Observation {
            workload: "letter".to_owned(),
            cluster: "letter".to_owned(),
            schedule: "cosine".to_owned(),
            seed: 3,
            budget: None,
            lr_multiple: None,
            score: Some(0.25),
            outcome: Outcome::Completed,
            line: 2,
        }]
    );
}

#[test]
fn further_columns_are_read_where_they_stand() {
    let runs = read(
        "\u{feff}workload,note,cluster,schedule,seed,budget,lr_multiple,\
         outcome,valid_loss,score\r\n\
         w,\"a, \"\"b\"\"\",c,linear,1.0,1000,0.25,completed,0.5,9\r\n\
         \r\n\
         v,,,\"x,y\",2,,,completed, 1e-3 ,9\r\n",
    );
    assert_eq!(runs.len(), 2);
    let first = &runs[0];
    assert_eq!((first.cluster.as_str(), first.seed), ("c", 1));
    assert_eq!((first.budget, first.lr_multiple), (Some(1000), Some(0.25)));
    assert_eq!((first.score, first.line), (Some(0.5), 2));
    let second = &runs[1];
    assert_eq!((second.cluster.as_str(), second.line), ("v", 4));
    assert_eq!((second.budget, second.lr_multiple), (None, None));
    assert_eq!(second.schedule, "x,y");
    assert_eq!(second.score, Some(0.001));
}

#[test]
fn a_run_has_a_score_diverged_or_shows_nothing() {
    for (outcome, score, shown) in [
        ("completed", "0.5", Shown::Score(0.5)),
        ("", "0.5", Shown::Score(0.5)),
        ("FINISHED", "0.5", Shown::Score(0.5)),
        ("completed", "nan", Shown::Divergence),
        ("", "inf", Shown::Divergence),
        ("COMPLETE", "-Inf", Shown::Divergence),
        ("diverged", "0.5", Shown::Divergence),
        ("diverged", "", Shown::Divergence),
        ("completed", "", Shown::Nothing),
        ("", "", Shown::Nothing),
        ("failed", "", Shown::Nothing),
        ("CRASHED", "0.5", Shown::Nothing),
        ("timed-out", "nan", Shown::Nothing),
        ("running", "0.5", Shown::Nothing),
        ("stopped", "", Shown::Nothing),
        ("PRUNED", "0.7", Shown::Nothing),
    ] {
        let head = "workload,schedule,seed,outcome,score";
        let runs = read(&format!("{head}\nw,s,1,{outcome},{score}\n"));
        assert_eq!(runs[0].shown(), shown, "{outcome},{score}");
    }
    let odd = "workload,schedule,seed,outcome,score\nw,s,1,perfect,1\n";
    let message = failure(odd, None);
    assert!(message.starts_with("2:7: `outcome` is `perfect`; the known"));
    assert!(message.contains("finished") && message.contains("crashed"));
}

#[test]
fn scores_of_a_metric_have_its_name() {
    let head = "workload,schedule,seed,metric,valid_metric,valid_loss\n";
    let wanted = |score, metric| Wanted { score: Some(score), metric };
    let of = |rows: &str, wanted: Wanted<'_>| {
        let sheet = table(&format!("{head}{rows}")).expect("a table");
        let read = read_all(&[sheet], wanted);
        read.map(|(runs, name)| {
            (runs.iter().map(|run| run.seed).collect::<Vec<_>>(), name)
        })
        .map_err(|e| e.to_string())
    };
    let one = "w,s,1,accuracy,0.5,1\nw,s,2,,,1\n";
    let both = format!("{one}v,s,3,rmse,0.5,1\n");
    let metric = of(one, wanted("valid_metric", None));
    assert_eq!(metric, Ok((vec![1, 2], "accuracy".to_owned())));
    let loss = of(&both, wanted("valid_loss", None));
    assert_eq!(loss, Ok((vec![1, 2, 3], "valid_loss".to_owned())));
    let mixed = of(&both, wanted("valid_metric", None)).expect_err("two");
    assert!(mixed.contains(":4:7: `metric` is `rmse`; above it is `accuracy`"));
    let picked = of(&both, wanted("valid_metric", Some("rmse")));
    assert_eq!(picked, Ok((vec![3], "rmse".to_owned())));
    let none = of(&both, wanted("valid_metric", Some("f1"))).expect_err("none");
    assert!(none.contains("expected `accuracy` or `rmse`"), "{none}");
    let loss = of(&both, wanted("valid_loss", Some("rmse"))).expect_err("no");
    assert!(loss.contains("the score here is `valid_loss`"), "{loss}");
}

#[test]
fn a_bad_cell_is_found_by_line_and_column() {
    let head = "workload,schedule,seed,score\n";
    for (row, wanted) in [
        ("w,é,x,1\n", "2:5: `seed` is `x`"),
        ("w,\"a,b\",-1,1\n", "2:9: `seed` is `-1`"),
        ("w,s,1.5,1\n", "2:5: `seed` is `1.5`"),
        ("w,s,,1\n", "2:5: `seed` is empty"),
        ("w,s,1,good\n", "2:7: `score` is `good`"),
        (",s,1,2\n", "2:1: `workload` is empty"),
        ("w,s,1,2\n\nw,s,2\n", "4:1: this row has 3 fields"),
        ("w,s,1,2\r\nw,s,q,2\r\n", "3:5: `seed` is `q`"),
        ("w,s,1,2\nw,s,1,3\n", "3:1: schedule `s` with seed 1"),
        ("", "1:29: there are no rows"),
    ] {
        let message = failure(&format!("{head}{row}"), None);
        assert!(message.starts_with(wanted), "{message}");
    }
    let duplicate = failure(&format!("{head}w,s,1,2\nw,s,1,3\n"), None);
    assert!(duplicate.contains("already in line 2"), "{duplicate}");
    for (text, score, wanted) in [
        ("", None, "1:1: the file is empty"),
        (
            "workload,seed,score\nw,1,2\n",
            None,
            "1:1: there is no column `schedule`",
        ),
        (
            "workload,schedule,seed,loss\nw,s,1,2\n",
            None,
            "1:1: there is no column `valid_loss` or `score`",
        ),
        (
            "workload,schedule,seed,loss\nw,s,1,2\n",
            Some("l"),
            "1:1: there is no column `l`",
        ),
        (
            "workload,schedule,seed,score,budget\nw,s,1,2,x\n",
            None,
            "2:9: `budget` is `x`",
        ),
        (
            "workload,schedule,seed,score,lr_multiple\nw,s,1,2,0\n",
            None,
            "2:9: `lr_multiple` is `0`",
        ),
    ] {
        let message = failure(text, score);
        assert!(message.starts_with(wanted), "{message}");
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("runs.csv");
    fs::write(&path, b"workload,\xff\n").expect("writable");
    let error = Sheet::read(&path).err().expect("not UTF-8");
    assert!(error.to_string().ends_with("1:10: not UTF-8; save it as UTF-8"));
    let none = Sheet::read(&path.with_extension("none")).err();
    assert!(matches!(none, Some(Error::Io { .. })));
}

#[test]
fn several_files_are_one_table() {
    let head = "workload,schedule,seed,score\n";
    let first = || table(&format!("{head}w,s,1,2\n")).expect("a table");
    let second = table(&format!("{head}w,s,2,2\n")).expect("a table");
    let (runs, column) =
        read_all(&[first(), second], Wanted::default()).expect("valid tables");
    assert_eq!((runs.len(), column.as_str()), (2, "score"));
    let error = read_all(&[first(), first()], Wanted::default());
    let error = error.expect_err("the same run twice").to_string();
    assert!(error.contains(":2:1: "), "{error}");
    let loss = table("workload,schedule,seed,valid_loss\nw,s,3,1\n");
    let loss = loss.expect("a table");
    let error = read_all(&[first(), loss], Wanted::default());
    let error = error.expect_err("two columns").to_string();
    assert!(error.contains("name one with `--score`"), "{error}");
}

#[test]
fn a_schedule_named_like_a_formula_keeps_its_name() {
    let runs = read("workload,schedule,seed,score\nw,'=x,1,2\n");
    assert_eq!(runs[0].schedule, "=x");
}
