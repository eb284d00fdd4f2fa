//! Several tests at once.

/// Holm's step-down adjustment of `p`, in the order given.
///
/// Holds for any dependence between the tests: the chance of one false
/// rejection among all is at most alpha.
///
/// Source: Holm, *A simple sequentially rejective multiple test procedure*
/// (1979).
pub(crate) fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut adjusted = vec![0.0; p.len()];
    let mut highest: f64 = 0.0;
    for (done, &i) in order.iter().enumerate() {
        let left = (p.len() - done) as f64;
        highest = highest.max((left * p[i]).min(1.0));
        adjusted[i] = highest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::holm;
    use serde_json::Value;

    fn numbers(value: &Value) -> Vec<f64> {
        let list = value.as_array().expect("a list");
        list.iter().map(|v| v.as_f64().expect("a number")).collect()
    }

    #[test]
    fn statsmodels_numbers() {
        let golden: Value = serde_json::from_str(include_str!(
            "../../tests/golden/stats-oracles.json"
        ))
        .expect("valid JSON");
        for case in golden["holm"].as_array().expect("cases") {
            let ours = holm(&numbers(&case["p"]));
            for (a, b) in ours.iter().zip(numbers(&case["holm"])) {
                assert!((a - b).abs() < 1e-12, "{ours:?}");
            }
        }
        assert!(holm(&[]).is_empty());
    }
}
