use super::super::table_of;
use super::*;
use crate::error::Result;
use std::fmt::Write as _;

fn read(name: &str, text: &str, wishes: CurveWishes<'_>) -> Result<History> {
    history_of(&table_of(Path::new(name), text.as_bytes())?, wishes)
}

fn plain(text: &str) -> History {
    let read = read("curve.csv", text, CurveWishes::default());
    read.unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn refusal(name: &str, text: &str) -> String {
    let read = read(name, text, CurveWishes::default());
    read.expect_err("no curve").to_string()
}

#[test]
fn columns_stand_anywhere_and_losses_may_be_anything() {
    let curve = plain(
        "note, LOSS ,lr\r\n\"a, b\",1.5,1e-7\r\n\r\n,NaN,0.1\n\
         x,,1\n,-Inf,2\n,inf,\"3\"\n",
    );
    assert_eq!(curve.lr, [1e-7, 0.1, 1.0, 2.0, 3.0]);
    let losses = format!("{:?}", curve.loss);
    assert_eq!(losses, "[1.5, NaN, NaN, -inf, inf]");
    assert_eq!(curve.missing, [false, false, true, false, false]);
}

#[test]
fn every_usual_name_and_form_is_read() {
    let [lr, loss] = [[0.001, 0.01, 0.1], [2.5, 1.5, 9.0]];
    for text in [
        "lr\tloss\n0.001\t2.5\n0.01\t1.5\n0.1\t9\n",
        "sep=;\nlr;loss\n0,001;2,5\n0,01;1,5\n0,1;9\n",
        "# a finder\nlrs,losses\n0.001,2.5\n0.01,1.5\n0.1,9\n",
        "epoch,learning_rate,loss,val_loss\n0,.001,2.5,7\n1,.01,1.5,7\n\
         2,.1,9,7\n",
        "Step,run - lr-SGD,run - lr-SGD__MIN,run - train_loss\n0,.001,.001,2.5\
         \n1,.01,.01,1.5\n2,.1,.1,9\n",
        "train/learning_rate,train/loss,eval/loss\n.001,2.5,\n.01,1.5,\n\
         .1,9,3\n",
        "lr-Adam,lr-Adam-momentum,train_loss_step,train_loss_epoch\n\
         .001,.9,2.5,\n.01,.9,1.5,\n.1,.9,9,4\n",
        "{\"lr\": [0.001, 0.01, 0.1], \"loss\": [2.5, 1.5, 9.0]}",
        "{\"lrs\": {\"0\": 0.001, \"1\": 0.01, \"2\": 0.1}, \
         \"losses\": {\"0\": 2.5, \"1\": 1.5, \"2\": 9.0}}",
        "{\"lr\": 0.001, \"loss\": 2.5}\n{\"lr\": 0.01, \"loss\": 1.5}\n\
         {\"lr\": 0.1, \"loss\": 9}\n",
        "[{\"lr\": 0.001, \"loss\": 2.5}, {\"lr\": 0.01, \"loss\": 1.5}, \
         {\"lr\": 0.1, \"loss\": 9}]",
    ] {
        let curve = plain(text);
        assert_eq!((&curve.lr[..], &curve.loss[..]), (&lr[..], &loss[..]));
    }
}

#[test]
fn columns_may_be_named() {
    let text = "lr,rate,loss,error\n1,0.1,2,3\n2,0.2,4,5\n";
    let wishes = CurveWishes {
        lr: Some("rate"),
        loss: Some("Error"),
        ..CurveWishes::default()
    };
    let curve = read("curve.csv", text, wishes).expect("a curve");
    assert_eq!((curve.lr, curve.loss), (vec![0.1, 0.2], vec![3.0, 5.0]));
    let wishes = CurveWishes { lr: Some("speed"), ..CurveWishes::default() };
    let error = read("curve.csv", text, wishes).expect_err("no column");
    assert_eq!(
        error.to_string(),
        "curve.csv:1:1: there is no column `speed`; the columns are: lr, \
         rate, loss, error"
    );
}

#[test]
fn rates_and_losses_may_stand_in_rows_of_their_own() {
    // As Lightning's CSVLogger writes them.
    let curve = plain(
        "epoch,lr-SGD,step,train_loss\n,0.1,0,\n0,,0,2.5\n,0.2,1,\n0,,1,2.0\n\
         ,0.4,2,\n0,,2,1.5\n,0.8,3,\n0,,3,\n",
    );
    assert_eq!(curve.lr, [0.1, 0.2, 0.4]);
    assert_eq!(curve.loss, [2.5, 2.0, 1.5]);
    assert_eq!(curve.rows, [1, 3, 5]);
    assert_eq!(curve.tool, None);
}

#[test]
fn rows_may_stand_in_any_order() {
    for text in [
        "step,lr,loss\n2,4,9\n0,1,5\n1,2,7\n3,8,3\n",
        ",lr,loss\n2,4,9\n0,1,5\n1,2,7\n3,8,3\n",
        "lr,loss\n8,3\n4,9\n2,7\n1,5\n",
        "lr,loss\n4,9\n1,5\n8,3\n2,7\n",
        // Numbers of the shuffled rows.
        ",lr,loss\n0,4,9\n1,1,5\n2,8,3\n3,2,7\n",
    ] {
        let curve = plain(text);
        assert_eq!(curve.lr, [1.0, 2.0, 4.0, 8.0], "{text}");
        assert_eq!(curve.loss, [5.0, 7.0, 9.0, 3.0], "{text}");
        let first = curve.rows[0];
        assert!(text.lines().nth(first + 1).expect("a row").contains("1,5"));
    }
}

#[test]
fn losses_missing_at_the_end_are_a_divergence_if_they_are_many() {
    let rows = |losses: [&str; 6]| {
        let mut text = "lr,loss\n".to_owned();
        for (i, loss) in losses.iter().enumerate() {
            writeln!(text, "{},{loss}", 1 << i).expect("a string");
        }
        let curve = plain(&text);
        (curve.loss.len(), curve.missing.iter().filter(|m| **m).count())
    };
    assert_eq!(rows(["3", "NA", "2", "1", "", "null"]), (4, 1));
    assert_eq!(rows(["3", "2", "1", "", "", ""]), (6, 0));
    assert_eq!(rows(["3", "", "", "", "1", "2"]), (6, 3));
}

#[test]
fn rates_of_lightnings_loggers_are_told_from_those_of_its_finder() {
    for (names, monitored) in [
        ("lr,loss", false),
        ("lr-SGD,train_loss", true),
        ("lr-Adam/pg1,train_loss", true),
        ("run - lr-SGD,run - train_loss", true),
    ] {
        let curve = plain(&format!("{names}\n0.1,3\n0.2,2\n0.4,1\n"));
        assert_eq!(curve.monitored, monitored, "{names}");
        assert_eq!(curve.tool, None, "{names}");
    }
}

#[test]
fn rates_of_ignite_move_by_one_update() {
    let text = "{\"lr\": [1, 2, 4], \"loss\": [7, 8, 9]}";
    let from = Some(CurveTool::Ignite);
    let wishes = CurveWishes { from, ..CurveWishes::default() };
    let curve = read("curve.json", text, wishes).expect("a curve");
    assert_eq!(curve.lr, [1.0, 1.0, 2.0]);
}

#[test]
fn the_digits_of_losses_say_how_right_they_are() {
    let rounding = |losses: [&str; 3]| {
        let rows: Vec<String> = (losses.iter().enumerate())
            .map(|(i, loss)| format!("{},{loss}\n", 1 << i))
            .collect();
        plain(&format!("lr,loss\n{}", rows.concat())).rounding
    };
    let near = |a: f64, b: f64| (a / b - 1.0).abs() < 1e-9;
    assert!(near(rounding(["2.31", "2.30", "1.99"]), 0.005));
    assert!(near(rounding(["2.312e-3", "2.3e-3", "1.999e-3"]), 5e-7));
    assert_eq!(
        rounding(["2.3025851249694824", "2.25", "0.1234567890123456"]),
        0.0
    );
    assert_eq!(rounding(["1.5e-2147483648"; 3]), 0.0);
}

/// Broken and foreign files: what each is, its name and its text.
const BROKEN: [(&str, &str); 14] = [
    ("empty.csv", ""),
    ("header-only.csv", "lr,loss\n"),
    ("no-rate.csv", "epoch,loss\n0,1\n1,2\n"),
    ("no-loss.csv", "lr,val_accuracy\n0.1,1\n0.2,2\n"),
    ("two-runs.csv", "Step,a - lr,a - loss,b - lr,b - loss\n0,1,2,1,2\n"),
    ("groups.json", "{\"lr\": [[1e-5, 1e-4]], \"loss\": [2]}"),
    ("words.csv", "lr,loss\n0.1,2\n0.2,much\n"),
    ("negative.csv", "lr,loss\n-1,2\n"),
    ("unequal.json", "{\"lr\": [0.1, 0.2], \"loss\": [2]}"),
    ("cut-off.json", "{\"lr\": [0.1, 0.2], \"loss\": [2, 3"),
    (
        "cosine.csv",
        "step,lr,loss\n0,.1,3\n1,.09,2\n2,.05,2\n3,.01,1\n4,.02,1\n",
    ),
    ("constant.csv", "lr,loss\n0.1,3\n0.1,2\n0.1,1\n"),
    ("never-together.csv", "lr,loss\n0.1,\n,2\n0.2,\n,3\n"),
    ("page.html", "<!DOCTYPE html>\n<html><body>Sign in</body></html>\n"),
];

#[test]
fn broken_and_foreign_files_are_refused_with_place_and_remedy() {
    let mut said = String::new();
    for (name, text) in BROKEN {
        let message = refusal(name, text);
        assert!(message.starts_with(name), "{message}");
        assert!(message.len() <= name.len() + 200, "{message}");
        said.push_str(&message);
        said.push('\n');
    }
    // A file that is no text.
    let pickle = table_of(Path::new("history.pkl"), b"\x80\x04\x95lr");
    let message = pickle.err().expect("no table").to_string();
    said.push_str(&message);
    insta::assert_snapshot!(said);
}
