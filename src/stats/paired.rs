//! Two schedules on one workload, seed by seed.
//!
//! A claim of these tests holds for that workload alone: seeds show the noise
//! within the workload, not what other workloads would show.

use super::bootstrap::Interval;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Student's test of paired differences.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Paired {
    /// Mean difference.
    pub(crate) mean: f64,
    /// 95 % interval of the mean.
    pub(crate) interval: Interval,
    /// Student's statistic.
    pub(crate) t: f64,
    /// Its two-sided p.
    pub(crate) p: f64,
    /// Mean over standard deviation, `d_z`: what the number of seeds needed
    /// depends on.
    pub(crate) effect: f64,
}

/// Student's paired test of finite `differences`; `None` for fewer than two,
/// or without spread.
///
/// Source: Student, *The probable error of a mean* (1908).
pub(crate) fn student(differences: &[f64]) -> Option<Paired> {
    let n = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / n;
    let squares: f64 = differences.iter().map(|d| (d - mean).powi(2)).sum();
    let sd = (squares / (n - 1.0)).sqrt();
    if !(differences.len() > 1 && sd > 0.0 && sd.is_finite()) {
        return None;
    }
    let student = StudentsT::new(0.0, 1.0, n - 1.0).ok()?;
    let error = sd / n.sqrt();
    let t = mean / error;
    let half = error * student.inverse_cdf(0.975);
    Some(Paired {
        mean,
        interval: Interval { low: mean - half, high: mean + half },
        t,
        p: (2.0 * student.sf(t.abs())).min(1.0),
        effect: mean / sd,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn scipys_numbers() {
        let golden: Value = serde_json::from_str(include_str!(
            "../../tests/golden/inference-oracles.json"
        ))
        .expect("valid JSON");
        for case in golden["paired"].as_array().expect("cases") {
            let d: Vec<f64> = case["d"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|v| v.as_f64().expect("a number"))
                .collect();
            let ours = student(&d).expect("enough, with spread");
            for (key, value) in [
                ("mean", ours.mean),
                ("t", ours.t),
                ("p", ours.p),
                ("low", ours.interval.low),
                ("high", ours.interval.high),
                ("effect", ours.effect),
            ] {
                let golden = case[key].as_f64().expect("a number");
                assert!(
                    (value - golden).abs() < 1e-9,
                    "{key}: {value}, {case}"
                );
            }
        }
    }

    #[test]
    fn four_differences_by_hand() {
        // Mean 2, deviation sqrt(2 / 3), t = 2 / sqrt(1 / 6).
        let test = student(&[1.0, 2.0, 2.0, 3.0]).expect("has spread");
        assert!((test.t - 24.0_f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn without_spread_there_is_no_statistic() {
        assert_eq!(student(&[]), None);
        assert_eq!(student(&[1.0]), None);
        assert_eq!(student(&[0.5, 0.5]), None);
    }
}
