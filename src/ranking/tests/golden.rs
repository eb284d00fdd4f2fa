//! The same numbers as published studies and other libraries.

use super::*;

#[test]
fn demsars_study_of_four_trees() {
    let golden: Value = serde_json::from_str(include_str!(
        "../../../tests/golden/stats-oracles.json"
    ))
    .expect("valid JSON");
    let demsar = &golden["demsar2006"];
    let rows = demsar["scores"].as_array().expect("rows");
    let scores: Vec<Vec<f64>> = rows
        .iter()
        .map(|row| {
            let row = row.as_array().expect("scores");
            row.iter().map(|v| v.as_f64().expect("a score")).collect()
        })
        .collect();
    let names = ["a", "b", "c", "d"];
    let protocol = Protocol {
        direction: Some(Direction::Higher),
        scale: Some(Scale::Raw),
        rope: Some(0.01),
        control: Some("a".to_owned()),
        ..Protocol::default()
    };
    let runs = matrix(&names, &scores);
    let ranking =
        Ranking::of(&runs, "accuracy", &protocol).expect("a valid study");
    let json = json(&ranking);
    let close = |a: &Value, b: &Value, within: f64| {
        let (a, b) = (a.as_f64().expect("number"), b.as_f64().expect("number"));
        assert!((a - b).abs() < within, "{a} and {b}");
    };
    for (name, rank) in
        names.iter().zip(demsar["avg_ranks"].as_array().expect("ranks"))
    {
        close(&json["mean_ranks"][name], rank, 1e-12);
    }
    let friedman = &json["friedman"];
    close(&friedman["chi2"], &demsar["scipy_friedman_tie_corrected"], 1e-9);
    close(&friedman["chi2_uncorrected"], &demsar["chi2_no_ties"], 1e-9);
    let nemenyi = &json["nemenyi"];
    close(&nemenyi["critical_difference"], &demsar["cd_005"], 1e-9);
    let keys = ["a|b", "a|c", "a|d", "b|c", "b|d", "c|d"];
    for (key, p) in keys.iter().zip(demsar["nemenyi"].as_array().expect("p")) {
        close(&nemenyi["p"][key], p, 1e-9);
    }
    // C4.5 with m against C4.5: the first Bayesian and third Wilcoxon case.
    let pair = &json["pairs"][0];
    assert_eq!((&pair["a"], &pair["b"]), (&"b".into(), &"a".into()));
    close(&pair["bayes"]["left"], &golden["bayes"][0]["right"], 0.01);
    close(&pair["bayes"]["rope"], &golden["bayes"][0]["rope_p"], 0.01);
    close(&pair["p"], &golden["wilcoxon"][3]["p"], 1e-9);
    close(&pair["wilcoxon_w"], &golden["wilcoxon"][3]["w"], 1e-12);
    let mean = scores.iter().map(|row| row[1] - row[0]).sum::<f64>() / 14.0;
    close(&pair["mean_difference"], &mean.into(), 1e-12);
}

/// Whether every number of `golden`, however deep, stands in `ours` within
/// 1e-9.
fn assert_within(ours: &Value, golden: &Value, place: &str) {
    match golden {
        Value::Object(entries) => {
            for (key, golden) in entries {
                assert_within(&ours[key], golden, &format!("{place}/{key}"));
            }
        }
        Value::Array(entries) => {
            for (i, golden) in entries.iter().enumerate() {
                assert_within(&ours[i], golden, &format!("{place}/{i}"));
            }
        }
        Value::Number(golden) => {
            let golden = golden.as_f64().expect("a number");
            let ours = ours.as_f64().unwrap_or(f64::NAN);
            let most = 1e-9 * golden.abs().max(1.0);
            assert!(
                (ours - golden).abs() <= most,
                "{place}: {ours} and {golden}"
            );
        }
        other => assert_eq!(ours, other, "{place}"),
    }
}

#[test]
fn whole_studies_as_scipy_has_them() {
    let golden: Value = serde_json::from_str(include_str!(
        "../../../tests/golden/rank-oracles.json"
    ))
    .expect("valid JSON");
    for (i, study) in
        golden["studies"].as_array().expect("list").iter().enumerate()
    {
        let rows: Vec<(String, String, String, u64, u64, Option<f64>)> =
            serde_json::from_value(study["rows"].clone()).expect("rows");
        let runs: Vec<Observation> = rows
            .into_iter()
            .map(|(workload, cluster, schedule, budget, seed, score)| {
                let run = run(&workload, &schedule, seed, score);
                run.cluster(&cluster).budget(budget)
            })
            .collect();
        let control = study["control"].as_str().map(str::to_owned);
        let protocol = Protocol { control, ..Protocol::default() };
        let ours = json(&quick(&runs, &protocol));
        for key in ["n", "mean_ranks", "friedman", "pairs", "regret"] {
            assert_within(&ours[key], &study[key], &format!("{i}/{key}"));
        }
        let nemenyi = &ours["nemenyi"];
        assert_within(&nemenyi["p"], &study["nemenyi"], &format!("{i}/p"));
        assert_within(
            &nemenyi["critical_difference"],
            &study["critical_difference"],
            "critical difference",
        );
    }
}

#[test]
fn tables_as_autorank_ranks_them() {
    let golden: Value = serde_json::from_str(include_str!(
        "../../../tests/golden/rank-oracles.json"
    ))
    .expect("valid JSON");
    for case in golden["autorank"].as_array().expect("cases") {
        let of = |key: &str| case[key].clone();
        let scores: Vec<Vec<f64>> =
            serde_json::from_value(of("scores")).expect("scores");
        let names: Vec<String> =
            serde_json::from_value(of("names")).expect("names");
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let ours = json(&quick(&matrix(&names, &scores), &Protocol::default()));
        assert_within(&ours["mean_ranks"], &case["mean_ranks"], "ranks");
        assert_within(&ours["friedman"]["p"], &case["p"], "p");
        // autorank interpolates the studentized range (`qsturng`).
        let number = |value: &Value| value.as_f64().expect("a number");
        let theirs = number(&case["critical_difference"]);
        let ours = number(&ours["nemenyi"]["critical_difference"]);
        assert!((ours / theirs - 1.0).abs() < 2e-5, "{ours} and {theirs}");
    }
}
