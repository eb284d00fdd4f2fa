use super::*;
use serde_json::Value;

/// Recorded curves and what the tools answer, made by running the packages.
const GOLDEN: &str = include_str!("../../../tests/golden/lr-curves.json");

fn number(value: &Value) -> f64 {
    match value {
        Value::String(word) => word.parse().expect("nan or inf"),
        other => other.as_f64().expect("a number"),
    }
}

fn column(curve: &Value, name: &str) -> Vec<f64> {
    let rows = curve[name].as_array().expect("an array");
    rows.iter().map(number).collect()
}

#[test]
fn every_rule_answers_as_its_tool_on_the_golden_curves() {
    let golden: Value = serde_json::from_str(GOLDEN).expect("JSON");
    let mut compared = 0;
    for curve in golden["curves"].as_array().expect("curves") {
        let (lr, loss) = (column(curve, "lr"), column(curve, "loss"));
        let expect = curve["expect"].as_object().expect("a table");
        for (name, want) in expect {
            let rule: Rule = name.parse().expect("a known rule");
            let got = suggest(rule, &lr, &loss);
            let at = format!("{name} on {}: {got:?}", curve["id"]);
            compared += 1;
            let Some(index) = want["index"].as_u64() else {
                assert_eq!(got, None, "{at}");
                continue;
            };
            let got = got.unwrap_or_else(|| panic!("{at}"));
            assert_eq!(got.index as u64, index, "{at}");
            // As exact as the JSON is read.
            let off = got.lr / number(&want["lr"]) - 1.0;
            assert!(off.abs() < 1e-14, "{at}");
        }
    }
    assert_eq!(compared, 70);
}

#[test]
fn awkward_curves_make_no_rule_panic() {
    let ladder = |n: usize| -> Vec<f64> {
        (0..n).map(|i| 1e-7 * 1.2_f64.powf(i as f64)).collect()
    };
    let nan = f64::NAN;
    for n in [0, 1, 2, 3, 5, 6, 7, 10, 11, 15, 16, 17, 20, 33, 35, 100, 250] {
        let lr = ladder(n);
        let streams: [Vec<f64>; 9] = [
            vec![1.0; n],
            vec![0.0; n],
            vec![nan; n],
            vec![f64::INFINITY; n],
            vec![f64::NEG_INFINITY; n],
            (0..n).map(|i| -(i as f64)).collect(),
            (0..n).map(|i| 1.0 / (i as f64 + 1.0)).collect(),
            (0..n).map(|i| if i == n / 2 { nan } else { 1.0 }).collect(),
            (0..n).map(|i| if i > 0 { 1e300 } else { 1.0 }).collect(),
        ];
        for loss in &streams {
            for rule in Rule::ALL {
                for lr in [&lr, &vec![0.0; n], &vec![0.1; n]] {
                    if let Some(got) = suggest(rule, lr, loss) {
                        assert!(got.index < n, "{rule:?} {loss:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_valley_of_two_at_the_start_is_the_last_row_as_in_python() {
    // Of 18 rows the first and the last five are not shown. Of the rest only
    // the first step falls, smoothed or not.
    let mut loss = [3.3; 18];
    loss[..4].copy_from_slice(&[1.0, 3.0, 1.0, 6.0]);
    let lr: Vec<f64> = (1..=18).map(f64::from).collect();
    let got = suggest(Rule::FastaiValley, &lr, &loss).expect("an answer");
    assert_eq!((got.index, got.lr), (12, 13.0));
}

#[test]
fn the_stop_of_the_tutorial_is_where_the_mean_has_doubled() {
    let lr: Vec<f64> = (0..40).map(f64::from).collect();
    let mut loss = vec![1.0; 40];
    loss[3] = 50.0;
    loss[30..].fill(2.5);
    let got = suggest(Rule::MxnetStop, &lr, &loss).expect("it doubles");
    // 0.7 * 2.5 + 0.3 = 2.05 at once; the spike at row 3 comes before 20.
    assert_eq!((got.index, got.lr), (30, 30.0));
    assert_eq!(suggest(Rule::MxnetStop, &lr, &[1.0; 40]), None);
}

#[test]
fn lightning_before_2_5_3_is_the_steepest_step() {
    let golden: Value = serde_json::from_str(GOLDEN).expect("JSON");
    let curve = &golden["curves"][0];
    let (lr, loss) = (column(curve, "lr"), column(curve, "loss"));
    let old = suggest(Rule::Lightning252, &lr, &loss).expect("an answer");
    let new = suggest(Rule::Lightning, &lr, &loss).expect("an answer");
    assert!(new.lr < old.lr / 10.0, "{new:?} {old:?}");
}

#[test]
fn ktrain_points_32_rows_left_of_its_steepest() {
    let lr: Vec<f64> = (0..100).map(|i| 1e-7 * 1.2_f64.powi(i)).collect();
    let mut loss = vec![2.0; 100];
    loss[60..].fill(0.5);
    let got = suggest(Rule::KtrainGradient, &lr, &loss).expect("an answer");
    assert_eq!(got.index, 60 - 32);
}

#[test]
fn names_are_unique_and_read_back() {
    for rule in Rule::ALL {
        assert_eq!(rule.name().parse::<Rule>().expect("its name"), rule);
        let text = serde_json::to_string(&rule).expect("serializable");
        assert_eq!(text, format!("\"{}\"", rule.name()));
    }
}
