use super::*;

/// `rex` leads everywhere; under sgd on texts the chains do not agree.
fn stages() -> Vec<Stage> {
    let mut rows = vec![];
    for optimizer in [None, Some("adamw"), Some("sgd")] {
        for rate in [None, Some("1")] {
            for kind in [None, Some("table"), Some("text")] {
                let agree = (optimizer, kind) != (Some("sgd"), Some("text"));
                for (schedule, p, regret) in [
                    ("rex", 0.7, 0.001),
                    ("linear", 0.3, 0.01),
                    ("step", 0.0, 0.2),
                ] {
                    rows.push(PosteriorRow {
                        optimizer: optimizer.map(str::to_owned),
                        budget: None,
                        lr_multiple: rate.map(str::to_owned),
                        kind: kind.map(str::to_owned),
                        schedule: schedule.to_owned(),
                        p_best: p,
                        p_near_best: p,
                        regret,
                        regret_low: 0.0,
                        regret_high: 2.0 * regret,
                        regret_new_data: regret + 0.03,
                        r_hat: if agree { 1.0 } else { 1.2 },
                    });
                }
            }
        }
    }
    [("results/short", 250), ("results/long", 1000)]
        .map(|(name, budget)| Stage {
            name,
            budget,
            rows: rows.clone(),
            largest: 50_000,
        })
        .to_vec()
}

fn case(steps: u64, optimizer: &str, kind: &str) -> Case {
    Case {
        steps: Some(steps),
        optimizer: Some(optimizer.to_owned()),
        kind: Some(kind.to_owned()),
        parameters: None,
        is_rate_trusted: true,
    }
}

#[test]
fn a_case_inside_of_the_study() {
    let (case, stages) = (case(1000, "adamw", "text"), stages());
    let advice = CaseAdvice::new(&case, &stages).expect("a case of the study");
    insta::assert_snapshot!(advice.text());
}

#[test]
fn what_lies_outside_is_said() {
    let mut case = case(90_000, "lion", "table");
    case.parameters = Some(1_000_000);
    case.is_rate_trusted = false;
    let stages = stages();
    let advice = CaseAdvice::new(&case, &stages).expect("a case");
    insta::assert_snapshot!(advice.text());
}

#[test]
fn numbers_that_the_model_is_not_sure_of_are_not_quoted() {
    let (case, stages) = (case(300, "sgd", "text"), stages());
    let advice = CaseAdvice::new(&case, &stages).expect("a case");
    assert_eq!(advice.study, "results/short");
    insta::assert_snapshot!(advice.limits.join("\n"), @r"
    The model is not sure enough about this kind of task alone: the numbers are for all kinds.
    The study has 250 and 1000 updates: the numbers are those of 250.
    Its models have at most 50000 parameters: for larger ones, this extrapolates.
    ");
}

#[test]
fn chains_that_do_not_agree_are_not_quoted_at_all() {
    let (case, mut stages) = (case(300, "sgd", "text"), stages());
    for row in stages.iter_mut().flat_map(|stage| &mut stage.rows) {
        row.r_hat = 1.4;
    }
    let error = CaseAdvice::new(&case, &stages).expect_err("no numbers");
    assert!(error.to_string().contains("do not agree"), "{error}");
}

#[test]
fn an_unknown_kind_is_an_error() {
    let (case, stages) = (case(300, "sgd", "txt"), stages());
    let error = CaseAdvice::new(&case, &stages).expect_err("no such kind");
    insta::assert_snapshot!(error.to_string(), @"unknown kind of task `txt`, did you mean `text`?");
}
