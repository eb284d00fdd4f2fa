//! Friedman's test: do the schedules differ at all?

use serde::Serialize;
use statrs::distribution::{ChiSquared, ContinuousCDF, FisherSnedecor};

/// Friedman's chi² and Iman and Davenport's F; `None` where a statistic does
/// not exist or is infinite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Friedman {
    /// Corrected for ties.
    pub(crate) chi2: Option<f64>,
    /// As in Demšar (2006), without the correction.
    pub(crate) chi2_uncorrected: Option<f64>,
    /// Degrees of freedom, `k - 1`.
    pub(crate) df: usize,
    /// p of `chi2`.
    pub(crate) p: Option<f64>,
    /// F of Iman and Davenport (1980), from the corrected chi²; `None` where
    /// all blocks agree, for then it is infinite.
    pub(crate) iman_davenport: Option<f64>,
    /// p of `iman_davenport`.
    pub(crate) iman_davenport_p: Option<f64>,
}

/// Friedman's test of `n` blocks of `k` ranks each.
///
/// The corrected chi² is the general permutation form
/// `(k - 1) Σ_j (R_j - n m)² / Σ_ij (r_ij - m)²` with `m = (k + 1) / 2`: for
/// midranks it is the tie-corrected statistic (Conover 1999, eq. 5.8.3), and
/// it holds as well where the ranks of a block are means over the workloads
/// of one cluster.
///
/// Sources: Demšar, *Statistical comparisons of classifiers over multiple
/// data sets* (2006), section 3.2.2; Iman & Davenport (1980).
pub(crate) fn friedman(blocks: &[Vec<f64>]) -> Friedman {
    let n = blocks.len() as f64;
    let k = blocks.first().map_or(0, Vec::len);
    if k < 2 {
        return Friedman::default();
    }
    let df = k - 1;
    let middle = (k as f64 + 1.0) / 2.0;
    let between: f64 = (0..k)
        .map(|j| {
            let sum: f64 = blocks.iter().map(|ranks| ranks[j] - middle).sum();
            sum * sum
        })
        .sum();
    let total: f64 = blocks
        .iter()
        .flatten()
        .map(|rank| (rank - middle) * (rank - middle))
        .sum();
    let uncorrected = 12.0 * between / (n * k as f64 * (k as f64 + 1.0));
    let mut test = Friedman {
        chi2_uncorrected: Some(uncorrected),
        df,
        ..Friedman::default()
    };
    // All tied in every block: no variance, no statistic.
    if total <= 0.0 {
        return test;
    }
    let chi2 = df as f64 * between / total;
    test.chi2 = Some(chi2);
    test.p = ChiSquared::new(df as f64).ok().map(|dist| dist.sf(chi2));
    // n (k - 1) is the largest value chi² can take; the distance to it is a
    // difference of rounded numbers, so "zero" needs a tolerance.
    let most = n * df as f64;
    if blocks.len() > 1 && most - chi2 > 1e-9 * most {
        let f = (n - 1.0) * chi2 / (most - chi2);
        test.iman_davenport = Some(f);
        test.iman_davenport_p =
            FisherSnedecor::new(df as f64, df as f64 * (n - 1.0))
                .ok()
                .map(|dist| dist.sf(f));
    }
    test
}

#[cfg(test)]
mod tests {
    use super::super::ranks::average_ranks;
    use super::*;
    use serde_json::Value;

    fn ranked(scores: &Value, higher: bool) -> Vec<Vec<f64>> {
        let sign = if higher { -1.0 } else { 1.0 };
        let rows = scores.as_array().expect("rows");
        rows.iter()
            .map(|row| {
                let row = row.as_array().expect("scores");
                let row: Vec<f64> = row
                    .iter()
                    .map(|v| sign * v.as_f64().expect("a score"))
                    .collect();
                average_ranks(&row)
            })
            .collect()
    }

    fn golden() -> Value {
        serde_json::from_str(include_str!(
            "../../tests/golden/stats-oracles.json"
        ))
        .expect("valid JSON")
    }

    fn close(a: f64, b: &Value) {
        let b = b.as_f64().expect("a number");
        assert!((a - b).abs() <= 1e-9 * b.abs().max(1.0), "{a} and {b}");
    }

    #[test]
    fn demsars_example() {
        let demsar = &golden()["demsar2006"];
        let test = friedman(&ranked(&demsar["scores"], true));
        assert_eq!(test.df, 3);
        close(
            test.chi2.expect("exists"),
            &demsar["scipy_friedman_tie_corrected"],
        );
        close(test.chi2_uncorrected.expect("exists"), &demsar["chi2_no_ties"]);
        // The golden F is Demšar's, from the uncorrected chi².
        let (n, k) = (14.0, 4.0);
        let chi2 = test.chi2_uncorrected.expect("exists");
        let f = (n - 1.0) * chi2 / (n * (k - 1.0) - chi2);
        close(f, &demsar["FF"]);
        let dist = FisherSnedecor::new(3.0, 39.0).expect("valid");
        close(dist.sf(f), &demsar["p_FF"]);
    }

    #[test]
    fn scipys_numbers_with_and_without_ties() {
        for case in golden()["friedman"].as_array().expect("cases") {
            let test = friedman(&ranked(&case["scores"], false));
            close(test.chi2.expect("exists"), &case["chi2"]);
            close(test.p.expect("exists"), &case["p"]);
            close(test.chi2_uncorrected.expect("exists"), &case["uncorrected"]);
            close(test.iman_davenport.expect("finite"), &case["f"]);
            close(test.iman_davenport_p.expect("finite"), &case["f_p"]);
        }
    }

    #[test]
    fn statistics_that_do_not_exist_are_none() {
        let agreed = vec![vec![1.0, 2.0, 3.0]; 5];
        let test = friedman(&agreed);
        assert!((test.chi2.expect("exists") - 10.0).abs() < 1e-12);
        assert_eq!(test.iman_davenport, None);
        assert_eq!(test.iman_davenport_p, None);
        let tied = friedman(&vec![vec![2.0, 2.0, 2.0]; 5]);
        assert_eq!((tied.chi2, tied.p), (None, None));
        assert_eq!(friedman(&[vec![1.0], vec![1.0]]), Friedman::default());
        assert_eq!(friedman(&[]), Friedman::default());
        assert_eq!(friedman(&[vec![1.0, 2.0]]).iman_davenport, None);
    }
}
