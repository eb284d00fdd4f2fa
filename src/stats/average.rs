//! Averages that tools record in place of a loss, and what they were made of.
//!
//! Every one is a recursion that can be run backwards. That multiplies the
//! rounding of the record, which [`Average::gain`] measures.

use std::fmt;

/// A running average over the updates of a training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Average {
    /// Exponential: `new` of the new value, `past` of the average so far.
    Exponential {
        /// Weight of the new value.
        new: f64,
        /// Weight of the average so far.
        past: f64,
        /// How it starts.
        start: Start,
    },
    /// The mean of all values since the last restart.
    Mean {
        /// Values from restart to restart; `None` if there is none.
        every: Option<usize>,
    },
}

/// How an exponential average starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// At the first value.
    First,
    /// At 0, which is not corrected.
    Zero,
    /// At 0; the k-th average is divided by `1 - past^(k + ahead)`. That is
    /// right with `ahead` = 0.
    Corrected {
        /// Updates that the correction is ahead.
        ahead: u16,
    },
}

impl Average {
    /// Of torch-lr-finder, MONAI and ignite by default.
    pub(crate) const TORCH_LR_FINDER: Self = Self::since_first(0.05);
    /// Of fastai.
    pub(crate) const FASTAI: Self = Self::corrected(0);
    /// Of Lightning, whose correction is one update ahead.
    pub(crate) const LIGHTNING: Self = Self::corrected(1);

    /// Exponential with a weight of the new value, started at the first one.
    pub(crate) const fn since_first(new: f64) -> Self {
        Self::exponential(new, Start::First)
    }

    /// Exponential with a weight of the new value.
    pub(crate) const fn exponential(new: f64, start: Start) -> Self {
        Self::Exponential { new, past: 1.0 - new, start }
    }

    const fn corrected(ahead: u16) -> Self {
        let start = Start::Corrected { ahead };
        // As these tools write it.
        Self::Exponential { new: 1.0 - 0.98, past: 0.98, start }
    }

    /// The values of which `averages` are the averages. One that is not
    /// finite is a gap, at which the average went on without being recorded:
    /// the value after it is the weighted mean of those since the one before.
    pub(crate) fn undo(self, averages: &[f64]) -> Vec<f64> {
        // Row of the last one that is there, and its sum of weighted values.
        let mut last: Option<(usize, f64)> = None;
        let value = |(row, &average): (usize, &f64)| {
            if self.restarts_at(row) {
                last = None;
            }
            if !average.is_finite() {
                return f64::NAN;
            }
            let sum = average * self.weight_until(row);
            let value = match last {
                None => sum / self.weight(row),
                Some((before, past)) => {
                    let kept = self.kept(row - before);
                    let weight = self.weight_of_last(row - before);
                    (sum - kept * past) / weight
                }
            };
            last = Some((row, sum));
            value
        };
        averages.iter().enumerate().map(value).collect()
    }

    /// Logarithms of the derivative of each value by its average.
    pub(crate) fn log_gains(self, count: usize) -> Vec<f64> {
        let gain = |row| match self {
            Self::Exponential { start: Start::First, .. } if row == 0 => 0.0,
            _ => (self.weight_until(row) / self.weight_of_last(1)).ln(),
        };
        (0..count).map(gain).collect()
    }

    /// The largest factor on an error of one average, in the value.
    pub(crate) fn gain(self, count: usize) -> f64 {
        match self {
            Self::Exponential { new, past, .. } => (1.0 + past) / new,
            Self::Mean { every } => 2.0 * every.unwrap_or(count) as f64,
        }
    }

    /// Updates by which an average is late at the most, after `count`.
    pub(crate) fn lag(self, count: usize) -> f64 {
        let half = count as f64 / 2.0;
        match self {
            Self::Exponential { new, past, .. } => half.min(past / new),
            Self::Mean { every: Some(every) } => half.min(every as f64 / 2.0),
            Self::Mean { every: None } => half,
        }
    }

    fn restarts_at(self, row: usize) -> bool {
        match self {
            Self::Mean { every: Some(every) } => row.is_multiple_of(every),
            _ => false,
        }
    }

    /// What the average of `row` is multiplied by, for the recursion.
    fn weight_until(self, row: usize) -> f64 {
        match self {
            Self::Exponential { past, start, .. } => match start {
                Start::First | Start::Zero => 1.0,
                Start::Corrected { ahead } => {
                    1.0 - past.powf((row + 1 + usize::from(ahead)) as f64)
                }
            },
            Self::Mean { every } => {
                (every.map_or(row, |every| row % every) + 1) as f64
            }
        }
    }

    /// Weight of all values up to `row`, where none before is recorded.
    fn weight(self, row: usize) -> f64 {
        match self {
            Self::Exponential { start: Start::First, .. } => 1.0,
            Self::Exponential { past, .. } => 1.0 - past.powf((row + 1) as f64),
            Self::Mean { .. } => self.weight_until(row),
        }
    }

    /// Share of a sum that is left after so many updates.
    fn kept(self, updates: usize) -> f64 {
        match self {
            Self::Exponential { past, .. } => past.powf(updates as f64),
            Self::Mean { .. } => 1.0,
        }
    }

    /// Weight of the last so many values.
    fn weight_of_last(self, updates: usize) -> f64 {
        match self {
            Self::Exponential { new, .. } if updates == 1 => new,
            Self::Exponential { .. } => 1.0 - self.kept(updates),
            Self::Mean { .. } => updates as f64,
        }
    }

    /// The averages of `values`.
    #[cfg(test)]
    pub(crate) fn of(self, values: &[f64]) -> Vec<f64> {
        let mut sum = 0.0;
        let average = |(row, &value): (usize, &f64)| {
            sum = match self {
                Self::Exponential { start: Start::First, .. } if row == 0 => {
                    value
                }
                Self::Exponential { new, past, .. } => new * value + past * sum,
                Self::Mean { .. } if self.restarts_at(row) => value,
                Self::Mean { .. } => value + sum,
            };
            sum / self.weight_until(row)
        };
        values.iter().enumerate().map(average).collect()
    }
}

impl fmt::Display for Average {
    /// As in "the losses are ...".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Exponential { new, start, .. } => {
                let start = match start {
                    Start::First => "started at the first loss",
                    Start::Zero => "started at 0",
                    Start::Corrected { ahead: 0 } => "bias-corrected",
                    Start::Corrected { .. } => {
                        "bias-corrected one update ahead, as in Lightning"
                    }
                };
                // The weight as people write it: 1 - 0.98 is 0.02.
                let new = (new * 1e6).round() / 1e6;
                write!(f, "exponential averages (weight {new}, {start})")
            }
            Self::Mean { every: None } => f.write_str("means since the start"),
            Self::Mean { every: Some(every) } => {
                write!(f, "means since the start of epochs of {every} updates")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Average; 7] = [
        Average::TORCH_LR_FINDER,
        Average::FASTAI,
        Average::LIGHTNING,
        Average::since_first(0.3),
        Average::Exponential { new: 0.1, past: 0.9, start: Start::Zero },
        Average::Mean { every: None },
        Average::Mean { every: Some(7) },
    ];

    fn values(count: usize) -> Vec<f64> {
        let wave = |i| 2.0 + (i as f64 * 1.7).sin();
        (0..count).map(wave).collect()
    }

    #[test]
    fn what_is_undone_is_what_was_averaged() {
        let values = values(90);
        for average in ALL {
            let back = average.undo(&average.of(&values));
            for (row, (a, b)) in back.iter().zip(&values).enumerate() {
                assert!((a - b).abs() < 1e-11, "{average}, row {row}: {a} {b}");
            }
        }
    }

    #[test]
    fn the_first_average_of_lightning_is_half_the_loss() {
        let averages = Average::LIGHTNING.of(&[1.0; 4]);
        // As printed by Lightning 2.6.6 for a constant loss.
        for (got, want) in averages.iter().zip([0.505, 0.673, 0.758, 0.808]) {
            assert!((got - want).abs() < 5e-4, "{got} is not {want}");
        }
    }

    #[test]
    fn a_gap_leaves_the_mean_of_what_it_hides() {
        let values = values(60);
        for average in ALL {
            let mut averages = average.of(&values);
            averages[30] = f64::NAN;
            let back = average.undo(&averages);
            assert!(back[30].is_nan(), "{average}");
            let (low, high) =
                (values[30].min(values[31]), values[31].max(values[30]));
            let inside = back[31] > low - 1e-11 && back[31] < high + 1e-11;
            assert!(inside, "{average}: {} of {low} {high}", back[31]);
            for row in (1..30).chain(32..60) {
                assert!((back[row] - values[row]).abs() < 1e-11, "{average}");
            }
        }
    }

    #[test]
    fn gains_are_derivatives() {
        let values = values(20);
        for average in ALL {
            let averages = average.of(&values);
            let gains = average.log_gains(20);
            for row in [0, 1, 9, 15] {
                let mut moved = averages.clone();
                moved[row] += 1e-4;
                let slope = (average.undo(&moved)[row]
                    - average.undo(&averages)[row])
                    / 1e-4;
                let want = gains[row].exp();
                assert!((slope / want - 1.0).abs() < 1e-6, "{average} {row}");
            }
        }
    }
}
