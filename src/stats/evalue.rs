//! Evidence that may be checked as often as one likes.
//!
//! An e-value is a number from 0 up whose mean is at most 1 if the null
//! hypothesis holds, so it reaches `1 / alpha` with a chance of at most
//! alpha. Unlike p values, e-values may be averaged and summed whatever their
//! dependence, and that is what lets a study be watched while it runs.

use super::paired::student;
use statrs::function::beta::{beta_reg, ln_beta};
use std::f64::consts::{LN_2, PI};

/// The e-value against "loses at most as often as it wins", from `losses`
/// and `wins` in independent blocks; ties are left out.
///
/// It is the likelihood ratio of a mixture to a fair coin: chances of losing
/// above 1/2 have the density of Jeffreys' prior, `Beta(1/2, 1/2)` on that
/// half: `2^n B(l + 1/2, w + 1/2) (1 - I_½(l + 1/2, w + 1/2)) / (π / 2)`.
/// Against any smaller chance of losing the mean is below 1.
///
/// Sources: Krichevsky & Trofimov (1981); Ramdas, Grünwald, Vovk & Shafer,
/// *Game-theoretic statistics and safe anytime-valid inference* (2023),
/// section 3.
pub(crate) fn sign_e_value(wins: usize, losses: usize) -> f64 {
    let (a, b) = (losses as f64 + 0.5, wins as f64 + 0.5);
    // A chance of losing above 1/2 is a chance of winning below 1/2; in this
    // form no digits cancel.
    let half = beta_reg(b, a, 0.5);
    let n = (wins + losses) as f64;
    (n * LN_2 + ln_beta(a, b) - (PI / 2.0).ln()).exp() * half
}

/// The e-value against "no larger than 0 on average" of normal `differences`
/// with unknown variance, from as many as there are so far; 1 for fewer than
/// two, without spread or with one that is not finite, 0 where their mean is
/// below 0.
///
/// Student's t under a normal prior of variance `g = 4` on the effect size
/// against no effect: `(1 + n g)^(-1/2) ((1 + t²/ν) / (1 + t²/(ν (1 + n
/// g))))^((ν + 1) / 2)`, `ν = n - 1`. It depends on the differences through t
/// alone, whose distribution under the null has no unknown, so looking after
/// every difference is allowed; taking one side of it makes it no larger.
///
/// Sources: Gönen, Johnson, Lu & Westfall, *The Bayesian two-sample t test*
/// (2005), eq. 1; Pérez-Ortiz, Lardy, de Heide & Grünwald, *E-statistics,
/// group invariance and anytime-valid testing* (2024).
pub(crate) fn student_e_value(differences: &[f64]) -> f64 {
    const EFFECT_VARIANCE: f64 = 4.0;
    let Some(test) = student(differences) else { return 1.0 };
    if test.t < 0.0 {
        return 0.0;
    }
    let n = differences.len() as f64;
    let freedom = n - 1.0;
    let spread = 1.0 + n * EFFECT_VARIANCE;
    let square = test.t * test.t / freedom;
    let ratio = square.ln_1p() - (square / spread).ln_1p();
    (0.5 * (n * ratio - spread.ln())).exp()
}

/// e-values adjusted for how many hypotheses there are, in the order given:
/// rejecting where one reaches `1 / alpha` makes a single false rejection
/// with a chance of at most alpha, whatever their dependence.
///
/// The closed test with arithmetic means: the adjusted value of a hypothesis
/// is the smallest mean over all sets that hold it, and the worst set of each
/// size has the smallest others.
///
/// Source: Vovk & Wang, *E-values: calibration, combination and applications*
/// (2021), algorithm 2.
pub(crate) fn adjusted(e: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..e.len()).collect();
    order.sort_by(|&a, &b| e[a].total_cmp(&e[b]));
    e.iter()
        .enumerate()
        .map(|(i, &own)| {
            let (mut sum, mut count, mut least) = (own, 1.0, own);
            for &j in order.iter().filter(|&&j| j != i) {
                sum += e[j];
                count += 1.0;
                least = f64::min(least, sum / count);
            }
            least
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::stream;
    use rand::RngExt as _;
    use rand_distr::{Distribution as _, StandardNormal};
    use serde_json::Value;

    #[test]
    fn numbers_of_scipys_beta_function() {
        let golden: Value = serde_json::from_str(include_str!(
            "../../tests/golden/inference-oracles.json"
        ))
        .expect("valid JSON");
        for case in golden["e_value"].as_array().expect("cases") {
            let count = |key: &str| {
                let count = case[key].as_u64().expect("a count");
                usize::try_from(count).expect("small")
            };
            let ours = sign_e_value(count("wins"), count("losses"));
            let e = case["e"].as_f64().expect("a number");
            assert!((ours - e).abs() <= 1e-9 * e.max(1.0), "{ours}, {case}");
        }
    }

    #[test]
    fn numbers_of_scipys_noncentral_t() {
        let golden: Value = serde_json::from_str(include_str!(
            "../../tests/golden/inference-oracles.json"
        ))
        .expect("valid JSON");
        for case in golden["student_e_value"].as_array().expect("cases") {
            let d: Vec<f64> =
                serde_json::from_value(case["d"].clone()).expect("numbers");
            let e = case["e"].as_f64().expect("a number");
            let ours = student_e_value(&d);
            assert!((ours / e - 1.0).abs() < 1e-9, "{ours}, {case}");
        }
        assert_eq!(student_e_value(&[-1.0, -2.0, -1.5]), 0.0);
        assert_eq!(student_e_value(&[1.0, 1.0, 1.0]), 1.0);
        assert_eq!(student_e_value(&[1.0, f64::INFINITY]), 1.0);
    }

    #[test]
    fn the_first_block_by_hand() {
        // The mean of the upper half of Beta(1/2, 1/2) is 1/2 + 1/π.
        let e = 1.0 + 2.0 / PI;
        assert!((sign_e_value(0, 1) - e).abs() < 1e-12);
        assert!((sign_e_value(1, 0) - (2.0 - e)).abs() < 1e-12);
        assert!((sign_e_value(0, 0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn means_under_the_null_are_one() {
        // Σ P(l) e(l) over all outcomes of a fair coin.
        for n in [1, 5, 12] {
            let mut choose = 1.0;
            let mut mean = 0.0;
            for losses in 0..=n {
                mean += choose * sign_e_value(n - losses, losses);
                choose *= (n - losses) as f64 / (losses + 1) as f64;
            }
            mean *= 0.5_f64.powi(i32::try_from(n).expect("small"));
            assert!((mean - 1.0).abs() < 1e-9, "{n}: {mean}");
        }
    }

    #[test]
    fn one_look_after_the_other_errs_no_more_often() {
        let mut rng = stream(1, "coin");
        let mut false_alarms = 0;
        for _ in 0..2_000 {
            let (mut wins, mut losses) = (0, 0);
            let alarm = (0..100).any(|_| {
                let lost = rng.random::<bool>();
                losses += usize::from(lost);
                wins += usize::from(!lost);
                sign_e_value(wins, losses) >= 20.0
            });
            false_alarms += usize::from(alarm);
        }
        assert!(false_alarms <= 115, "{false_alarms} of 2000");
    }

    #[test]
    fn looking_at_students_differences_errs_no_more_often() {
        let mut rng = stream(2, "differences");
        let mut false_alarms = 0;
        for _ in 0..2_000 {
            let mut differences = vec![];
            let alarm = (0..30).any(|_| {
                let z: f64 = StandardNormal.sample(&mut rng);
                differences.push(0.3 * z);
                student_e_value(&differences) >= 20.0
            });
            false_alarms += usize::from(alarm);
        }
        assert!(false_alarms <= 115, "{false_alarms} of 2000");
    }

    #[test]
    fn adjusting_takes_the_worst_mean() {
        assert_eq!(adjusted(&[30.0, 2.0, 1.0]), [11.0, 1.5, 1.0]);
        assert_eq!(adjusted(&[8.0, 8.0]), [8.0, 8.0]);
        assert!(adjusted(&[]).is_empty());
    }
}
