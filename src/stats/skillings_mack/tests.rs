use super::super::friedman::friedman;
use super::super::ranks::average_ranks;
use super::*;
use crate::seed::stream;
use rand::RngExt as _;
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!(
        "../../../tests/golden/incomplete-oracles.json"
    ))
    .expect("valid JSON")
}

fn blocks(case: &Value) -> Vec<Vec<f64>> {
    let rows: Vec<Vec<Option<f64>>> =
        serde_json::from_value(case["ranks"].clone()).expect("ranks");
    let row = |row: Vec<Option<f64>>| {
        row.into_iter().map(|r| r.unwrap_or(f64::NAN)).collect()
    };
    rows.into_iter().map(row).collect()
}

fn test_of(blocks: &[Vec<f64>]) -> SkillingsMack {
    skillings_mack(blocks, &mut stream(0, "arrangements"))
}

fn close(a: Option<f64>, b: &Value, digits: f64) {
    let (a, b) = (a.expect("exists"), b.as_f64().expect("a number"));
    assert!((a - b).abs() <= digits * b.abs().max(1e-3), "{a} and {b}");
}

fn chi2_p(test: &SkillingsMack) -> Option<f64> {
    let chi2 = ChiSquared::new(test.df as f64).ok()?;
    test.statistic.map(|statistic| chi2.sf(statistic))
}

/// Ranks of random scores on `n` blocks of `k`, where `there` of four
/// are there.
fn at_random(
    n: usize,
    k: usize,
    there: u8,
    rng: &mut impl Rng,
) -> Vec<Vec<f64>> {
    let block = |rng: &mut dyn Rng| {
        let mut row = vec![f64::NAN; k];
        let has: Vec<usize> =
            (0..k).filter(|_| rng.random_range(0..4) < there).collect();
        let scores: Vec<f64> = has.iter().map(|_| rng.random()).collect();
        for (&j, rank) in has.iter().zip(average_ranks(&scores)) {
            row[j] = rank;
        }
        row
    };
    (0..n).map(|_| block(rng)).collect()
}

#[test]
fn the_example_of_skillings_and_mack() {
    let case = &golden()["published"];
    let test = test_of(&blocks(case));
    assert_eq!(test.df, 3);
    close(test.statistic, &case["statistic"], 1e-7);
    close(chi2_p(&test), &case["chi2_p"], 1e-9);
    // 9 blocks of up to 4: too many arrangements to count.
    assert_eq!(test.method, Some(Method::MonteCarlo));
    assert!(test.p.is_some_and(|p| p < 0.001), "{test:?}");
}

#[test]
fn durbin_and_friedman_are_special_cases() {
    for case in golden()["durbin"].as_array().expect("cases") {
        let blocks = blocks(case);
        let test = test_of(&blocks);
        assert_eq!(Some(test.df as u64), case["df"].as_u64());
        close(test.statistic, &case["statistic"], 1e-9);
        close(chi2_p(&test), &case["p"], 1e-9);
        if blocks.iter().flatten().all(|rank| !rank.is_nan()) {
            let of_friedman = friedman(&blocks).chi2.expect("exists");
            let ours = test.statistic.expect("exists");
            assert!((ours - of_friedman).abs() < 1e-9);
        }
    }
}

#[test]
fn holes_ties_and_groups_apart_as_restated() {
    let mut counted = 0;
    for case in golden()["designs"].as_array().expect("cases") {
        let test = test_of(&blocks(case));
        assert_eq!(Some(test.df as u64), case["df"].as_u64());
        close(test.statistic, &case["statistic"], 1e-9);
        match (test.method.expect("exists"), case["exact"].as_f64()) {
            (Method::Exact, Some(_)) => {
                close(test.p, &case["exact"], 1e-9);
                counted += 1;
            }
            (Method::ChiSquare, None) => {
                close(test.p, &case["chi2_p"], 1e-9);
            }
            (Method::MonteCarlo, None) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(counted, 4);
}

#[test]
fn a_chain_of_two_pairs_by_hand() {
    // A = (-1, 0, 1), V = ((1, -1, 0), (-1, 2, -1), (0, -1, 1)); each of
    // the four arrangements has the statistic 2.
    let none = f64::NAN;
    let test = test_of(&[vec![1.0, 2.0, none], vec![none, 1.0, 2.0]]);
    assert!((test.statistic.expect("exists") - 2.0).abs() < 1e-12);
    assert_eq!((test.df, test.p), (2, Some(1.0)));
    // Two schedules: 5 wins of 5, p = 2 / 2^5.
    let test = test_of(&vec![vec![1.0, 2.0]; 5]);
    assert_eq!((test.df, test.p), (1, Some(0.0625)));
    assert!((test.statistic.expect("exists") - 5.0).abs() < 1e-12);
}

#[test]
fn blocks_that_compare_nothing_count_nothing() {
    let none = f64::NAN;
    let pairs = vec![vec![1.0, 2.0, none]; 6];
    let mut more = pairs.clone();
    more.extend([vec![none; 3], vec![none, none, 1.0], vec![2.0; 3]]);
    assert_eq!(test_of(&pairs), test_of(&more));
    for nothing in [vec![], vec![vec![]], vec![vec![1.5, 1.5, none]]] {
        assert_eq!(test_of(&nothing), SkillingsMack::default());
    }
}

#[test]
fn a_random_p_is_near_the_exact_one() {
    // 15 wins of 20: twice the chance of at most 5 heads in 20 tosses.
    let mut blocks = vec![vec![1.0, 2.0]; 15];
    blocks.extend(vec![vec![2.0, 1.0]; 5]);
    let test = test_of(&blocks);
    assert_eq!(test.method, Some(Method::MonteCarlo));
    assert_eq!(test, test_of(&blocks), "one seed, one p");
    let exact = 2.0 * 21_700.0 / 1_048_576.0;
    let error = (exact * (1.0 - exact) / f64::from(DRAWS)).sqrt();
    for seed in 0..5 {
        let mut rng = stream(seed, "arrangements");
        let p = skillings_mack(&blocks, &mut rng).p.expect("exists");
        assert!((p - exact).abs() < 4.0 * error, "{p} and {exact}");
    }
}

#[test]
fn equal_schedules_are_told_apart_in_a_share_of_alpha() {
    // Exact, and chi² for many blocks; 5 % of 2000 is 100, give or
    // take 10. Exact p values have steps, so they reject less often.
    let mut rng = stream(11, "blocks");
    for (n, k, low, high) in [(4, 3, 40, 130), (70, 4, 70, 130)] {
        let rejected = (0..2_000)
            .filter(|_| {
                let blocks = at_random(n, k, 3, &mut rng);
                test_of(&blocks).p.is_some_and(|p| p < 0.05)
            })
            .count();
        assert!((low..=high).contains(&rejected), "{n}: {rejected}");
    }
}
