//! Several tests at once: p values adjusted for how many there are, in the
//! order given. A test rejects at level alpha where its adjusted p is below.

/// Holm's step-down adjustment of `p`.
///
/// Holds for any dependence between the tests: the chance of one false
/// rejection among all is at most alpha.
///
/// Source: Holm, *A simple sequentially rejective multiple test procedure*
/// (1979).
pub(crate) fn holm(p: &[f64]) -> Vec<f64> {
    let order = rising(p);
    let mut adjusted = vec![0.0; p.len()];
    let mut highest: f64 = 0.0;
    for (done, &i) in order.iter().enumerate() {
        let left = (p.len() - done) as f64;
        highest = highest.max((left * p[i]).min(1.0));
        adjusted[i] = highest;
    }
    adjusted
}

/// Hochberg's step-up adjustment of `p`.
///
/// Never larger than Holm's; the chance of one false rejection is at most
/// alpha if the tests are independent or positively dependent, as comparisons
/// with one control are.
///
/// Source: Hochberg, *A sharper Bonferroni procedure for multiple tests of
/// significance* (1988).
pub(crate) fn hochberg(p: &[f64]) -> Vec<f64> {
    step_up(p, |place| (p.len() - place) as f64)
}

/// The adjustment of Benjamini and Hochberg: the share of false rejections
/// among all rejections is at most alpha on average, under independence or
/// positive dependence.
///
/// Source: Benjamini & Hochberg, *Controlling the false discovery rate*
/// (1995).
pub(crate) fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    step_up(p, |place| p.len() as f64 / (place + 1) as f64)
}

/// Hommel's adjustment of `p`: the closed test that applies Simes' test to
/// every set of hypotheses. Never larger than Hochberg's, and valid where
/// that one is.
///
/// Of all sets of `m` that hold a hypothesis, the one with the largest other
/// p values has the largest Simes p, `min_j m p_(j) / j`, so one set a size
/// is enough.
///
/// Sources: Hommel, *A stagewise rejective multiple test procedure based on a
/// modified Bonferroni test* (1988); Simes (1986).
pub(crate) fn hommel(p: &[f64]) -> Vec<f64> {
    let order = rising(p);
    let mut adjusted = vec![0.0; p.len()];
    for (place, &i) in order.iter().enumerate() {
        adjusted[i] = (1..=p.len())
            .map(|size| {
                // The `size` largest, or this one and the largest others.
                let from = p.len() - size;
                let own = (place < from).then_some(i);
                let skip = from + usize::from(own.is_some());
                own.into_iter()
                    .chain(order[skip..].iter().copied())
                    .enumerate()
                    .map(|(j, i)| size as f64 * p[i] / (j + 1) as f64)
                    .fold(1.0, f64::min)
            })
            .fold(0.0, f64::max);
    }
    adjusted
}

/// `p` adjusted by `adjust` as part of `tests` tests; the others have p = 1.
pub(crate) fn among(
    p: &[f64],
    tests: usize,
    adjust: fn(&[f64]) -> Vec<f64>,
) -> Vec<f64> {
    let mut all = p.to_vec();
    all.resize(tests.max(p.len()), 1.0);
    let mut adjusted = adjust(&all);
    adjusted.truncate(p.len());
    adjusted
}

/// Indices of `p`, smallest first.
fn rising(p: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    order
}

/// Each p times the factor of its place, counted from 0; at most the adjusted
/// value of any larger p.
fn step_up(p: &[f64], factor: impl Fn(usize) -> f64) -> Vec<f64> {
    let mut adjusted = vec![0.0; p.len()];
    let mut lowest: f64 = 1.0;
    for (place, &i) in rising(p).iter().enumerate().rev() {
        lowest = lowest.min(factor(place) * p[i]);
        adjusted[i] = lowest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    type Adjust = fn(&[f64]) -> Vec<f64>;

    fn numbers(value: &Value) -> Vec<f64> {
        let list = value.as_array().expect("a list");
        list.iter().map(|v| v.as_f64().expect("a number")).collect()
    }

    #[test]
    fn statsmodels_numbers() {
        let golden: Value = serde_json::from_str(include_str!(
            "../../tests/golden/inference-oracles.json"
        ))
        .expect("valid JSON");
        let methods: [(&str, Adjust); 4] = [
            ("holm", holm),
            ("hochberg", hochberg),
            ("hommel", hommel),
            ("benjamini_hochberg", benjamini_hochberg),
        ];
        for case in golden["adjusted"].as_array().expect("cases") {
            for (name, adjust) in methods {
                let ours = adjust(&numbers(&case["p"]));
                for (a, b) in ours.iter().zip(numbers(&case[name])) {
                    assert!((a - b).abs() < 1e-12, "{name}: {ours:?}, {case}");
                }
            }
        }
    }

    #[test]
    fn two_tests_by_hand() {
        let p = [0.04, 0.03];
        assert_eq!(holm(&p), [0.06, 0.06]);
        assert_eq!(hochberg(&p), [0.04, 0.04]);
        assert_eq!(hommel(&p), [0.04, 0.04]);
        assert_eq!(benjamini_hochberg(&p), [0.04, 0.04]);
        assert_eq!(among(&p, 3, holm), [0.09, 0.09]);
        assert_eq!(among(&p, 2, holm), holm(&p));
        for adjust in [holm, hochberg, hommel, benjamini_hochberg] {
            assert!(adjust(&[]).is_empty());
        }
    }
}
