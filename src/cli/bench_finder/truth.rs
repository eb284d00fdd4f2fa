//! The truth of a case: the loss at every rate of a dense grid.

/// Mean loss by rate.
#[derive(Clone)]
pub(super) struct Truth {
    /// Logarithms of the rates, rising.
    pub(super) log_lr: Vec<f64>,
    /// Mean over the seeds; a run that diverged counts as no descent at all.
    pub(super) loss: Vec<f64>,
    /// Loss before any update.
    pub(super) start: f64,
}

impl Truth {
    pub(super) fn rates(&self) -> Vec<f64> {
        self.log_lr.iter().map(|x| 10_f64.powf(*x)).collect()
    }

    /// The loss at a rate above the lowest one, as a share of the descent
    /// from the start.
    pub(super) fn regret(&self, lr: f64) -> f64 {
        let least = self.loss.iter().copied().fold(f64::INFINITY, f64::min);
        (self.at(lr.log10()) - least) / (self.start - least)
    }

    /// Logarithm of the best rate.
    pub(super) fn best(&self) -> f64 {
        let pairs = self.log_lr.iter().zip(&self.loss);
        let best = pairs.min_by(|a, b| a.1.total_cmp(b.1));
        best.map_or(0.0, |(x, _)| *x)
    }

    /// Between two rates on a straight line; beyond the ends, where a run
    /// hardly moves or breaks, as before the first update.
    fn at(&self, x: f64) -> f64 {
        let right = self.log_lr.partition_point(|y| *y < x);
        if right == 0 && self.log_lr.first() == Some(&x) {
            return self.loss[0];
        }
        if right == 0 || right == self.log_lr.len() {
            return self.start;
        }
        let (x0, x1) = (self.log_lr[right - 1], self.log_lr[right]);
        let share = (x - x0) / (x1 - x0);
        self.loss[right - 1] * (1.0 - share) + self.loss[right] * share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regret_is_a_share_of_the_descent() {
        let truth = Truth {
            log_lr: vec![-3.0, -2.0, -1.0],
            loss: vec![1.5, 1.0, 2.0],
            start: 2.0,
        };
        for (lr, want) in [
            (1e-2, 0.0),
            (1e-3, 0.5),
            (10_f64.powf(-2.5), 0.25),
            (1e-1, 1.0),
            (1e-9, 1.0),
            (5.0, 1.0),
        ] {
            let got = truth.regret(lr);
            assert!((got - want).abs() < 1e-9, "{lr}: {got}");
        }
        assert_eq!(truth.best(), -2.0);
    }
}
