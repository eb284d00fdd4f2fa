use super::*;
use crate::record::Observation;

fn statement(relation: Relation, size: f64, multiple: &str) -> Statement {
    Statement {
        claim: "a against b".to_owned(),
        measure: Measure::Difference,
        a: "a".to_owned(),
        b: "b".to_owned(),
        optimizer: None,
        budget: Budgets::All,
        lr_multiple: Some(multiple.to_owned()).filter(|m| !m.is_empty()),
        relation,
        size,
    }
}

/// `a` is 5 % behind `b` on twelve data sets, give or take a little.
fn runs() -> Runs {
    let mut observations = vec![];
    for data in 0..12 {
        let off = 0.001 * f64::from(data % 4);
        for (schedule, log) in [("a", 0.05 + off), ("b", 0.0)] {
            let name = format!("w{data}");
            let run = Observation::new(&name, schedule, 0, log.exp());
            observations.push(run.lr_multiple(1.0));
        }
    }
    let column = "valid_loss".to_owned();
    Runs { observations, column, ..Runs::default() }
}

fn stand(relation: Relation, size: f64) -> Stand {
    let statement = statement(relation, size, "1");
    let rows = claims(&runs(), &[], &[statement], &Protocol::default());
    rows.expect("runs of both")[0].stand
}

#[test]
fn planted_effects_confirm_and_refute() {
    assert_eq!(stand(Relation::Above, 0.0), Stand::Confirmed);
    assert_eq!(stand(Relation::Above, 0.05), Stand::Confirmed);
    assert_eq!(stand(Relation::Above, 0.06), Stand::Refuted);
    assert_eq!(stand(Relation::Above, 0.0518), Stand::NotDecided);
    assert_eq!(stand(Relation::Below, 0.06), Stand::Confirmed);
    assert_eq!(stand(Relation::Below, 0.04), Stand::Refuted);
    assert_eq!(stand(Relation::Within, 0.06), Stand::Confirmed);
    assert_eq!(stand(Relation::Within, 0.02), Stand::Refuted);
}

#[test]
fn the_numbers_stand_beside() {
    let statement = statement(Relation::Above, 0.02, "");
    let both = [statement.clone(), statement];
    let rows = claims(&runs(), &[], &both, &Protocol::default());
    let rows = rows.expect("runs of both");
    assert_eq!(rows[0].clusters, 12);
    let effect = rows[0].effect.expect("finite");
    assert!((effect - 0.0515).abs() < 1e-12, "{effect}");
    // Twelve of one sign, exact and two-sided, twice.
    assert_eq!(rows[0].p, Some(2.0 / 4096.0));
    assert_eq!(rows[0].p_holm, Some(4.0 / 4096.0));
}

/// Five schedules at two budgets: at 100 their order is that of the
/// letters on every data set, at 400 `a` and `b` change places. What `a`
/// loses falls from 5 % to 1 %.
fn at_two_budgets() -> Runs {
    let mut observations = vec![];
    for data in 0..12 {
        for (budget, logs) in [
            (100, [0.05, 0.06, 0.07, 0.08, 0.0]),
            (400, [0.01, 0.005, 0.07, 0.08, 0.0]),
        ] {
            let name = format!("w{data}");
            for (schedule, log) in ["a", "b", "c", "d", "z"].iter().zip(logs) {
                let log: f64 = log + 0.0001 * f64::from(data);
                let run = Observation::new(&name, schedule, 0, log.exp());
                observations.push(run.budget(budget).lr_multiple(1.0));
            }
        }
    }
    let column = "valid_loss".to_owned();
    Runs { observations, column, ..Runs::default() }
}

#[test]
fn a_change_between_budgets_is_a_difference_of_differences() {
    let mut change = statement(Relation::Above, 0.03, "1");
    change.budget = Budgets::Two(100, 400);
    change.b = "z".to_owned();
    let mut alias = change.clone();
    alias.a = "none | a".to_owned();
    let rows =
        claims(&at_two_budgets(), &[], &[change, alias], &Protocol::default());
    for row in rows.expect("both budgets are there") {
        let effect = row.effect.expect("finite");
        assert!((effect - 0.04).abs() < 1e-12, "{effect}");
        assert_eq!((row.clusters, row.stand), (12, Stand::Confirmed));
    }
}

#[test]
fn orders_are_decided_by_their_intervals() {
    let mut order = statement(Relation::Above, 0.8, "1");
    order.measure = Measure::BudgetOrder;
    (order.a, order.b) = (String::new(), String::new());
    order.budget = Budgets::Two(100, 400);
    let high = Statement { size: 0.95, ..order.clone() };
    let bounds = Statement {
        measure: Measure::BoundOrder,
        budget: Budgets::One(100),
        ..order.clone()
    };
    let alone = Statement { budget: Budgets::All, ..order.clone() };
    let test = |statements: &[Statement]| {
        let runs = at_two_budgets();
        claims(&runs, &[], statements, &Protocol::default())
    };
    // Two neighbours of five change places: 1 - 6 * 2 / (5 * 24).
    let rows = test(&[order, high]).expect("two orders");
    let effect = rows[0].effect.expect("finite");
    assert!((effect - 0.9).abs() < 1e-12, "{effect}");
    assert_eq!((rows[0].p, rows[0].stand), (None, Stand::Confirmed));
    assert_eq!(rows[1].stand, Stand::Refuted);
    let errors = [bounds, alone]
        .map(|claim| test(&[claim]).expect_err("no such order").to_string());
    insta::assert_snapshot!(errors.join("\n"), @r"
    claim `a against b`: an order needs three schedules on a common data set, and those of the bound need the grid (`experiment.toml`) beside the runs
    claim `a against b`: `budget` must name two budgets, such as `250 - 1000`
    ");
}

#[test]
fn parts_of_a_study_may_share_runs() {
    let mut both = runs();
    both.extend(runs());
    assert_eq!(both.observations.len(), runs().observations.len());
    let mut other = runs();
    other.observations[0].score = Some(7.0);
    both.extend(other);
    let statement = statement(Relation::Above, 0.0, "1");
    let error = claims(&both, &[], &[statement], &Protocol::default())
        .expect_err("two scores of one run")
        .to_string();
    assert!(error.contains("w0"), "{error}");
}

#[test]
fn the_convex_bound_is_compared_with_mean_ranks() {
    let schedules = ["linear", "cosine", "constant", "step"]
        .map(|kind| format!("{{ kind = \"{kind}\" }}"))
        .map(|text| crate::grid::parse_schedule(&text).expect("a schedule"));
    let worst = |spec: &ScheduleSpec| {
        let rates = spec.rates(1.0, 100).expect("rates");
        crate::schedule::bound(&rates).expect("a bound").omega
    };
    let mut observations = vec![];
    for data in 0..6 {
        for spec in &schedules {
            // Losses in the order of the bounds.
            let name = format!("w{data}");
            let (label, loss) = (spec.label(), worst(spec));
            let run = Observation::new(&name, &label, 0, loss);
            observations.push(run.budget(100));
        }
    }
    let column = "valid_loss".to_owned();
    let runs = Runs { observations, column, ..Runs::default() };
    let mut claim = statement(Relation::Above, 0.6, "");
    claim.measure = Measure::BoundOrder;
    (claim.a, claim.b) = (String::new(), String::new());
    let rows = claims(&runs, &schedules, &[claim], &Protocol::default());
    let rows = rows.expect("four schedules with bounds");
    assert_eq!(rows[0].effect, Some(1.0));
    assert_eq!(rows[0].stand, Stand::Confirmed);
}

#[test]
fn what_cannot_be_tested_is_an_error_that_names_the_claim() {
    let mut unknown = statement(Relation::Above, 0.0, "1");
    unknown.b = "c".to_owned();
    let tuned = statement(Relation::Above, 0.0, "tuned");
    let word = statement(Relation::Above, 0.0, "best");
    let size = statement(Relation::Above, f64::NAN, "1");
    let empty = statement(Relation::Within, 0.0, "1");
    let mut itself = statement(Relation::Above, 0.0, "1");
    itself.b = "a".to_owned();
    let all = [unknown, tuned, word, size, empty, itself];
    let errors = all.map(|statement| {
        claims(&runs(), &[], &[statement], &Protocol::default())
            .expect_err("no such runs")
            .to_string()
    });
    insta::assert_snapshot!(errors.join("\n"), @r"
    claim `a against b`: there are no such runs of `c`
    claim `a against b`: nothing can be tuned; that takes several multiples, two seeds and a test loss
    claim `a against b`: `lr_multiple` is a number or `tuned`, not `best`
    claim `a against b`: `size` is a finite number, for `within` above 0
    claim `a against b`: `size` is a finite number, for `within` above 0
    claim `a against b`: `a` and `b` are the same schedule
    ");
}
