//! When a loss has diverged.
//!
//! All is measured from the level of the first losses, in units of their
//! noise and of how far the loss has fallen since. So adding a constant to
//! the loss or scaling it changes nothing, a single batch decides nothing, and
//! a loss that starts near its optimum, at zero or below is like any other.

use crate::stats::robust::{median, noise};

/// First losses of a training: they give the level to measure from.
const START: usize = 20;

/// A rise by fewer standard deviations of one loss is noise.
const NOISE_MARGIN: f64 = 6.0;

/// Losses above the limit, less those below it, that end a training. A spike
/// from which a training recovers is shorter.
const PATIENCE: usize = 20;

/// Losses in the running mean. Its minimum shows how far the loss has fallen.
const LEVEL: usize = 5;

/// Most losses that the noise is measured on.
const CALM: usize = 100;

/// After the first [`START`] losses, the noise is measured again after this
/// many more.
const MEASURED_EVERY: usize = 10;

/// Relative differences of losses that rounding in f32 can cause.
const ROUNDING: f64 = 1e-5;

/// Watches a loss, update by update.
#[derive(Clone, Debug)]
pub(crate) struct Divergence {
    patience: usize,
    start: Vec<f64>,
    /// Median of `start`.
    level: f64,
    /// Losses at or below the limit, the first of them.
    calm: Vec<f64>,
    /// Of a single loss.
    noise: f64,
    /// The last losses, oldest first.
    recent: Vec<f64>,
    /// Lowest mean of that many losses.
    lowest: f64,
    /// Losses above the limit less those below it, from 0 up.
    excess: usize,
    diverged: bool,
}

impl Divergence {
    /// For a test that ends after `patience` losses above the limit.
    pub(crate) fn after(patience: usize) -> Self {
        Self {
            patience,
            start: vec![],
            level: 0.0,
            calm: vec![],
            noise: 0.0,
            recent: Vec::with_capacity(LEVEL),
            lowest: f64::INFINITY,
            excess: 0,
            diverged: false,
        }
    }

    /// For a training, of which these are the `losses` so far.
    pub(crate) fn of_training(losses: &[f64]) -> Self {
        let mut watch = Self::after(PATIENCE);
        for &loss in losses {
            watch.push(loss);
        }
        watch
    }

    /// Takes the loss of the next update of a training; true once it has
    /// diverged: a loss is not finite, or losses have stayed above the start
    /// by more than noise and by more than the loss had fallen.
    pub(crate) fn push(&mut self, loss: f64) -> bool {
        self.push_at(loss, self.start.len() < START)
    }

    /// The same, where the caller says whether the loss belongs to the start.
    pub(crate) fn push_at(&mut self, loss: f64, is_start: bool) -> bool {
        if !loss.is_finite() {
            self.diverged = true;
        }
        if self.diverged {
            return true;
        }
        if is_start {
            self.start.push(loss);
            self.level = median(self.start.clone()).unwrap_or(loss);
        }
        let above = !is_start && loss > self.limit();
        if above {
            self.excess += 1;
        } else {
            self.excess = self.excess.saturating_sub(1);
            self.measure(loss);
        }
        if self.recent.len() == LEVEL {
            self.recent.remove(0);
        }
        self.recent.push(loss);
        if self.recent.len() == LEVEL {
            let mean = self.recent.iter().sum::<f64>() / LEVEL as f64;
            self.lowest = self.lowest.min(mean);
        }
        self.diverged = self.excess >= self.patience;
        self.diverged
    }

    fn measure(&mut self, loss: f64) {
        if self.calm.len() == CALM {
            return;
        }
        self.calm.push(loss);
        let count = self.calm.len();
        if count <= START || count.is_multiple_of(MEASURED_EVERY) {
            self.noise = noise(&self.calm);
        }
    }

    /// Level of the loss at the start.
    pub(crate) fn start(&self) -> f64 {
        self.level
    }

    /// Loss above which it counts as risen.
    pub(crate) fn limit(&self) -> f64 {
        let fallen = self.level - self.lowest.min(self.level);
        let rounding = ROUNDING * self.level.abs();
        self.level + fallen.max(NOISE_MARGIN * self.noise).max(rounding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Update after which `losses` have diverged.
    fn end(losses: &[f64]) -> Option<usize> {
        let mut watch = Divergence::after(PATIENCE);
        losses.iter().position(|&loss| watch.push(loss))
    }

    fn noisy(count: usize, level: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut rng = crate::seed::stream(3, "divergence");
        let one = |i| level(i) * (1.0 + 0.3 * rng.random_range(-1.0..1.0));
        (0..count).map(one).collect()
    }

    #[test]
    fn a_rise_that_stays_is_found_soon_and_a_spike_is_none() {
        let risen = noisy(400, |i| if i < 100 { 1.0 } else { 9.0 });
        let found = end(&risen).expect("diverged");
        assert!((119..=125).contains(&found), "{found}");
        let spike =
            noisy(400, |i| if (100..118).contains(&i) { 9.0 } else { 1.0 });
        assert_eq!(end(&spike), None);
        let slow =
            noisy(400, |i| 1.02_f64.powi(i32::try_from(i).expect("few")));
        assert!(end(&slow).is_some());
    }

    #[test]
    fn a_low_first_batch_decides_nothing() {
        let mut losses = noisy(200, |_| 1.0);
        losses[0] = 0.01;
        assert_eq!(end(&losses), None);
        losses[0] = 50.0;
        assert_eq!(end(&losses), None);
    }

    #[test]
    fn near_zero_and_below_it_a_loss_is_like_any_other() {
        // Fine-tuning: it starts at its optimum and stays there.
        let tuned = noisy(300, |_| 1e-4);
        assert_eq!(end(&tuned), None);
        // A likelihood that falls without end.
        let falling: Vec<f64> = noisy(300, |_| 1.0)
            .iter()
            .enumerate()
            .map(|(i, x)| x - i as f64)
            .collect();
        assert_eq!(end(&falling), None);
        assert_eq!(end(&[0.0; 300]), None);
        let mut constant = vec![-2.0; 300];
        assert_eq!(end(&constant), None);
        constant[100..].fill(-1.0);
        assert_eq!(end(&constant), Some(119));
    }

    #[test]
    fn a_rise_back_to_the_start_is_none() {
        let back = noisy(400, |i| match i {
            0..40 => 2.3,
            40..200 => 0.1,
            _ => 2.4,
        });
        assert_eq!(end(&back), None);
    }

    #[test]
    fn what_is_not_finite_has_diverged() {
        assert_eq!(end(&[1.0, f64::NAN, 1.0]), Some(1));
        assert_eq!(end(&[f64::INFINITY]), Some(0));
    }

    proptest! {
        #[test]
        fn shift_and_scale_change_nothing(
            losses in proptest::collection::vec(0.0..4.0_f64, 30..120),
            rise in 0.0..40.0_f64,
            shift in -1000.0..1000.0_f64,
            power in -8..8_i32,
        ) {
            let mut losses = losses;
            let half = losses.len() / 2;
            losses[half..].iter_mut().for_each(|loss| *loss += rise);
            // Multiples of a power of two are exact.
            let grid = |x: f64| (x * 64.0).round() / 64.0;
            let losses: Vec<f64> = losses.into_iter().map(grid).collect();
            let scale = 2.0_f64.powi(power);
            let other: Vec<f64> =
                losses.iter().map(|x| scale * (x + grid(shift))).collect();
            prop_assert_eq!(end(&losses), end(&other));
        }
    }
}
