//! Sums and means that leave no trace of the order, or of what is missing.

/// A sum that keeps what rounding takes away (Neumaier 1974). Schedules with
/// the same scores on other seeds are tied, and a plain sum would tell them
/// apart by the order.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    rounded: f64,
    lost: f64,
}

impl Sum {
    pub(super) fn add(&mut self, term: f64) {
        let rounded = self.rounded + term;
        self.lost += if self.rounded.abs() >= term.abs() {
            (self.rounded - rounded) + term
        } else {
            (term - rounded) + self.rounded
        };
        self.rounded = rounded;
    }

    pub(super) fn total(self) -> f64 {
        self.rounded + self.lost
    }
}

/// The mean over rows, column by column.
pub(in crate::ranking) fn mean_rows<'a>(
    rows: impl ExactSizeIterator<Item = &'a Vec<f64>>,
) -> Vec<f64> {
    let count = rows.len() as f64;
    let mut means: Vec<f64> = vec![];
    for row in rows {
        means.resize(row.len(), 0.0);
        for (mean, value) in means.iter_mut().zip(row) {
            *mean += value;
        }
    }
    for mean in &mut means {
        *mean /= count;
    }
    means
}

/// The same over what there is: NaN counts as not there.
pub(in crate::ranking) fn mean_there(rows: &[Vec<f64>]) -> Vec<f64> {
    let width = rows.first().map_or(0, Vec::len);
    (0..width)
        .map(|j| {
            let there =
                || rows.iter().map(|row| row[j]).filter(|v| !v.is_nan());
            // `fold`, because an empty `sum` is -0.
            there().fold(0.0, |sum, v| sum + v) / there().count() as f64
        })
        .collect()
}
