//! How large the things are that a result rests on, in sentences.

use super::number::rate;
use crate::ranking::Analysis;
use crate::results::rows::RegimeRow;
use crate::text::{count, listed};
use std::fmt::Write as _;

/// What the runs behind a ranking are of, as far as it is known.
pub(crate) struct Basis<'a> {
    /// Kinds of optimizers, by name.
    pub(crate) optimizers: &'a [&'a str],
    /// Sizes of the workloads.
    pub(crate) sizes: &'a [RegimeRow],
}

/// What a ranking rests on and may not be used for.
pub(super) fn regime(analysis: &Analysis, basis: &Basis<'_>) -> Vec<String> {
    let budgets = analysis.budgets();
    let (workloads, clusters) = analysis.leading().size();
    let workloads_text = count(workloads, "workload", "workloads");
    let mut text = format!("This rests on {workloads_text}");
    if clusters < workloads {
        let sets = count(clusters, "data set", "data sets");
        let _ = write!(text, " over {sets}");
    }
    if !basis.optimizers.is_empty() {
        let _ = write!(text, ", trained with {}", listed(basis.optimizers));
    }
    if let [first, .., last] = budgets.as_slice() {
        let _ = write!(text, ", and budgets of {first} to {last} steps");
    } else if let [one] = budgets.as_slice() {
        let _ = write!(text, ", and a budget of {one} steps");
    }
    match analysis.leading_multiple() {
        Some(1.0) => text.push_str(", at the rate found"),
        Some(multiple) => {
            let times = rate(multiple);
            let _ = write!(text, ", at {times} times the rate found");
        }
        None => {}
    }
    text.push('.');
    let mut sentences = vec![text];
    sentences.extend(sizes_in_words(&budgets, basis.sizes));
    sentences.push(
        "It may not be used for larger models, other kinds of data, other \
         optimizers or longer trainings than these."
            .to_owned(),
    );
    sentences
}

/// Parameters, samples and epochs of the workloads; `None` where they are not
/// known.
pub(super) fn sizes_in_words(
    budgets: &[u64],
    sizes: &[RegimeRow],
) -> Option<String> {
    let range = |of: &dyn Fn(&RegimeRow) -> f64| {
        let low = sizes.iter().map(of).fold(f64::INFINITY, f64::min);
        let high = sizes.iter().map(of).fold(0.0, f64::max);
        (low, high)
    };
    if sizes.is_empty() {
        return None;
    }
    let words = |(low, high): (f64, f64)| {
        if low == high {
            rate(low)
        } else {
            format!("{} to {}", rate(low), rate(high))
        }
    };
    let mut text = format!(
        "Its models have {} parameters, its data sets {} training examples",
        words(range(&|row| row.parameters as f64)),
        words(range(&|row| row.samples as f64))
    );
    if let (Some(&first), Some(&last)) = (budgets.first(), budgets.last()) {
        let epochs = |row: &RegimeRow, steps: u64| {
            (row.batch as f64) * (steps as f64) / row.samples as f64
        };
        let low = range(&|row| epochs(row, first)).0;
        let high = range(&|row| epochs(row, last)).1;
        let _ = write!(
            text,
            ", seen for {} epochs",
            words(((low * 10.0).round() / 10.0, (high * 10.0).round() / 10.0))
        );
    }
    Some(text + ".")
}
