//! The rows of a log in the order of the updates.

use crate::import::RateLog;

/// The rate of an update.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    /// Its number, from 0.
    pub(crate) update: u64,
    pub(crate) rate: f64,
    /// What the rate may be off by, because of the digits that it has.
    pub(crate) rounding: f64,
}

impl Point {
    /// Whether the rate can be `wanted`, in single precision too; `scale` is
    /// the highest rate.
    pub(crate) fn is(&self, wanted: f64, scale: f64) -> bool {
        (self.rate - wanted).abs() <= self.near(wanted, scale)
    }

    fn near(&self, wanted: f64, scale: f64) -> f64 {
        1.02 * self.rounding + 2e-6 * wanted.abs() + 2e-7 * scale
    }

    /// The weight of the rate in a sum of squares.
    pub(super) fn weight(&self, scale: f64) -> f64 {
        (scale / self.near(self.rate, scale)).powi(2)
    }
}

/// A log, an update each time, rising.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    pub(crate) points: Vec<Point>,
    /// Usual distance of two of them, in updates.
    pub(crate) every: u64,
    /// The highest rate.
    pub(crate) highest: f64,
    /// The update at which the log goes back, and has other rates than before.
    pub(crate) resumed: Option<u64>,
    /// Whether the log counts its updates from 1.
    pub(crate) from_one: bool,
}

impl Log {
    /// The rates of all updates, as they are.
    pub(crate) fn whole(rates: &[f64]) -> Self {
        let point = |(update, &rate): (usize, &f64)| Point {
            update: update as u64,
            rate,
            rounding: 0.0,
        };
        let points: Vec<Point> = rates.iter().enumerate().map(point).collect();
        let highest = rates.iter().copied().fold(0.0, f64::max);
        Self { points, every: 1, highest, resumed: None, from_one: false }
    }

    /// The updates of `log`. Where its steps go back, a training was resumed:
    /// the later rows count.
    ///
    /// A log whose steps are multiples of its distance (10, 20, 30; 1, 2, 3)
    /// counts from 1, and so does one that starts with 1; every other one counts
    /// from 0.
    pub(crate) fn of(log: &RateLog) -> Self {
        let mut rows: Vec<Point> = vec![];
        let mut resumed = None;
        for row in &log.rows {
            let point = Point {
                update: row.step,
                rate: row.rate,
                rounding: row.rounding,
            };
            while let Some(last) = rows.last()
                && last.update >= point.update
            {
                let same = point.is(last.rate, last.rate.max(point.rate));
                if last.update == point.update && !same {
                    resumed = Some(point.update);
                }
                rows.pop();
            }
            rows.push(point);
        }
        let every = distance(&rows);
        let from_one = match rows.first() {
            Some(first) if first.update == 0 => false,
            Some(first) => first.update % every == 0 || first.update == 1,
            None => false,
        };
        if from_one {
            for row in &mut rows {
                row.update -= 1;
            }
            resumed = resumed.map(|update| update - 1);
        }
        let highest = rows.iter().map(|row| row.rate).fold(0.0, f64::max);
        Self { points: rows, every, highest, resumed, from_one }
    }

    /// The same with the digits trusted less: a fit to rounded rates is off by
    /// more than they are.
    pub(super) fn blurred(&self) -> Self {
        let blurred =
            |point: &Point| Point { rounding: 1.7 * point.rounding, ..*point };
        Self { points: self.points.iter().map(blurred).collect(), ..*self }
    }

    /// The same with its updates `shift` later, without those that would be
    /// below 0.
    pub(super) fn shifted(&self, shift: i64) -> Self {
        let shifted = |point: &Point| {
            let update = point.update.checked_add_signed(shift)?;
            Some(Point { update, ..*point })
        };
        let points = self.points.iter().filter_map(shifted).collect();
        Self { points, ..*self }
    }

    /// Updates of the training, as far as the log shows them: one of 0, 10, 20
    /// goes on to 30.
    pub(crate) fn updates(&self) -> u64 {
        let from_zero = self.points.first().is_some_and(|p| p.update == 0);
        self.last() + if from_zero { self.every } else { 1 }
    }

    /// The last update.
    pub(crate) fn last(&self) -> u64 {
        self.points.last().map_or(0, |point| point.update)
    }
}

/// The most frequent distance of two neighbours.
fn distance(rows: &[Point]) -> u64 {
    let mut gaps: Vec<u64> =
        rows.windows(2).map(|pair| pair[1].update - pair[0].update).collect();
    gaps.sort_unstable();
    let runs = gaps.chunk_by(|a, b| a == b);
    runs.max_by_key(|run| run.len()).map_or(1, |run| run[0].max(1))
}

/// The update nearest to a number; 0 of one below 0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the conversion saturates"
)]
pub(super) fn whole(value: f64) -> u64 {
    value.round() as u64
}
