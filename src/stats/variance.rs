//! Where the spread of scores comes from.

use serde::Serialize;

/// Variances of the components of a score, in squared units of the scores; a
/// negative estimate counts as 0.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Components {
    /// Between schedules, over all workloads.
    pub(crate) schedule: f64,
    /// Between workloads.
    pub(crate) workload: f64,
    /// What a schedule gains or loses on one workload in particular: more
    /// workloads average it out, more seeds do not.
    pub(crate) interaction: f64,
    /// The luck of a seed that all schedules of a workload share: pairing
    /// removes it.
    pub(crate) seed: f64,
    /// The rest, of a single run.
    pub(crate) residual: f64,
}

/// Variance components of `scores[workload][seed][schedule]`, with equal
/// numbers of seeds and schedules everywhere; `None` with fewer than two of
/// anything or with a score that is not finite.
///
/// The model is `y = w + j + wj + s(w) + e`, all of them random but the
/// overall mean. With equal numbers the mean squares of the analysis of
/// variance have the expectations `E`, `E + K S`, `E + M WJ`,
/// `E + M WJ + N M J` and `E + K S + M WJ + K M W` for `N` workloads, `M`
/// seeds and `K` schedules, which are solved for the variances.
///
/// Source: Searle, Casella & McCulloch, *Variance Components* (1992),
/// chapter 4 (ANOVA estimators of balanced data).
pub(crate) fn components(scores: &[Vec<Vec<f64>>]) -> Option<Components> {
    let n = scores.len();
    let m = scores.first()?.len();
    let k = scores.first()?.first()?.len();
    let equal = scores
        .iter()
        .all(|seeds| seeds.len() == m && seeds.iter().all(|s| s.len() == k));
    let finite = scores.iter().flatten().flatten().all(|y| y.is_finite());
    if n < 2 || m < 2 || k < 2 || !equal || !finite {
        return None;
    }
    let [n, m, k] = [n, m, k].map(|count| count as f64);
    let of_workload: Vec<f64> = scores
        .iter()
        .map(|seeds| seeds.iter().flatten().sum::<f64>() / (m * k))
        .collect();
    let overall = of_workload.iter().sum::<f64>() / n;
    let of_cell: Vec<Vec<f64>> = scores
        .iter()
        .map(|seeds| {
            (0..seeds[0].len())
                .map(|j| seeds.iter().map(|s| s[j]).sum::<f64>() / m)
                .collect()
        })
        .collect();
    let of_schedule: Vec<f64> = (0..of_cell[0].len())
        .map(|j| of_cell.iter().map(|cell| cell[j]).sum::<f64>() / n)
        .collect();
    let square = |x: f64| x * x;
    let (mut ss_cell, mut ss_seed, mut ss_rest) = (0.0, 0.0, 0.0);
    for ((seeds, &level), cell) in scores.iter().zip(&of_workload).zip(&of_cell)
    {
        for (value, own) in cell.iter().zip(&of_schedule) {
            ss_cell += square(value - level - own + overall);
        }
        for seed in seeds {
            let luck = seed.iter().sum::<f64>() / k - level;
            ss_seed += square(luck);
            for (y, value) in seed.iter().zip(cell) {
                ss_rest += square(y - value - luck);
            }
        }
    }
    let spread = |means: &[f64]| -> f64 {
        means.iter().map(|mean| square(mean - overall)).sum()
    };
    let rest = ss_rest / (n * (m - 1.0) * (k - 1.0));
    let seed = k * ss_seed / (n * (m - 1.0));
    let cell = m * ss_cell / ((n - 1.0) * (k - 1.0));
    let schedule = n * m * spread(&of_schedule) / (k - 1.0);
    let workload = m * k * spread(&of_workload) / (n - 1.0);
    Some(Components {
        schedule: ((schedule - cell) / (n * m)).max(0.0),
        workload: ((workload - cell - seed + rest) / (k * m)).max(0.0),
        interaction: ((cell - rest) / m).max(0.0),
        seed: ((seed - rest) / k).max(0.0),
        residual: rest,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn mean_squares_of_statsmodels() {
        let golden: Value = serde_json::from_str(include_str!(
            "../../tests/golden/inference-oracles.json"
        ))
        .expect("valid JSON");
        for case in golden["components"].as_array().expect("cases") {
            let shape: Vec<usize> =
                serde_json::from_value(case["shape"].clone())
                    .expect("workloads, seeds, schedules");
            let y: Vec<f64> =
                serde_json::from_value(case["y"].clone()).expect("scores");
            let scores: Vec<Vec<Vec<f64>>> = y
                .chunks(shape[1] * shape[2])
                .map(|w| w.chunks(shape[2]).map(<[f64]>::to_vec).collect())
                .collect();
            let ours = components(&scores).expect("enough of everything");
            for (key, value) in [
                ("schedule", ours.schedule),
                ("workload", ours.workload),
                ("interaction", ours.interaction),
                ("seed", ours.seed),
                ("residual", ours.residual),
            ] {
                let golden = case[key].as_f64().expect("a number");
                assert!((value - golden).abs() < 1e-9, "{key}: {value}");
            }
        }
    }

    #[test]
    fn two_by_two_by_two_by_hand() {
        // Only the workloads differ, by 2: variance 2 of the levels 0 and 2.
        let flat = |y: f64| vec![vec![y; 2]; 2];
        let parts = components(&[flat(0.0), flat(2.0)]).expect("enough");
        assert_eq!(parts.workload, 2.0);
        let rest = parts.schedule + parts.interaction + parts.seed;
        assert_eq!(rest + parts.residual, 0.0);
        // Schedules swap places between the workloads: interaction alone.
        let swap = [vec![vec![1.0, -1.0]; 2], vec![vec![-1.0, 1.0]; 2]];
        let parts = components(&swap).expect("enough");
        assert_eq!((parts.interaction, parts.schedule), (4.0, 0.0));
    }

    #[test]
    fn too_little_has_no_decomposition() {
        assert_eq!(components(&[]), None);
        assert_eq!(components(&[vec![vec![1.0, 2.0]; 2]]), None);
        let odd = [vec![vec![1.0, 2.0]; 2], vec![vec![1.0, 2.0]; 3]];
        assert_eq!(components(&odd), None);
        let lost = [vec![vec![1.0, 2.0]; 2], vec![vec![1.0, f64::NAN]; 2]];
        assert_eq!(components(&lost), None);
    }
}
