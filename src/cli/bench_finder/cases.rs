//! A case: how its truth is measured, and what finders say about it.

use super::truth::Truth;
use crate::error::Result;
use crate::grid::Experiment;
use crate::lr_find::{
    LossKind, Means, Memo, RangeTest, Rule, Verify, on_workload, one_by_one,
    suggest, usual_rate,
};
use crate::runner;
use crate::schedule::ScheduleSpec;
use crate::train::{Replica, Trainer};
use crate::workload::Workload;
use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;

/// Rates of the truth, a decade.
const DENSITY: f64 = 6.0;

/// Decades of the truth below and above the verified rate.
const REACH: (f64, f64) = (2.5, 1.8);

/// Seed of the first ask; the truth's are those of the grid.
const FIRST_ASK: u64 = 1 << 40;

/// Cost of one range test, in trainings.
const ONE_RUN: f64 = 1.0 / 3.0;

/// What all verified finders may spend, in trainings.
const VERIFIED: f64 = 1.4;

/// Rates of the plain grid: half decades from 1e-4 to 1.
const GRID: (f64, f64, usize) = (1e-4, 1.0, 9);

/// Rates of successive halving: from 1e-5 to 10.
const HALVING: (f64, f64, usize) = (1e-5, 10.0, 16);

/// Share of the horizon of the trainings of an exhaustive search.
const EXHAUSTIVE: f64 = 0.5;

/// A workload under a schedule at a horizon.
pub(super) struct Case<'a> {
    trainer: &'a Trainer,
    workload: &'a Workload,
    schedule: &'a ScheduleSpec,
    pub(super) horizon: usize,
    /// About how long a training takes, to begin with the longest case.
    pub(super) seconds: f64,
}

/// What one finder said.
#[derive(Clone)]
pub(super) struct Answer {
    pub(super) finder: &'static str,
    /// Whether it had an answer; else the optimizer's usual rate counts.
    pub(super) answered: bool,
    pub(super) lr: f64,
    pub(super) regret: f64,
    /// Decades above the best rate.
    pub(super) off: f64,
    /// In trainings.
    pub(super) cost: f64,
}

impl<'a> Case<'a> {
    pub(super) fn all(
        experiment: &'a Experiment,
        trainers: &'a [Trainer],
        stop: &AtomicBool,
    ) -> Result<Vec<Self>> {
        // What cannot be judged is not started either.
        let workloads = trainers.iter().map(Trainer::workload);
        let workloads = workloads.collect::<Result<Vec<_>>>()?;
        let paces = runner::paces(trainers, 1, 1, 0.01, stop)?;
        let mut cases = vec![];
        let all = trainers.iter().zip(workloads).zip(paces);
        for ((trainer, workload), pace) in all {
            for schedule in &experiment.schedules {
                for &horizon in &experiment.budgets {
                    let seconds = pace.step_seconds * horizon as f64;
                    cases.push(Self {
                        trainer,
                        workload,
                        schedule,
                        horizon,
                        seconds,
                    });
                }
            }
        }
        Ok(cases)
    }

    pub(super) fn name(&self) -> String {
        let (workload, schedule) = (&self.workload.name, self.schedule.label());
        format!("{workload} {schedule} {}", self.horizon)
    }

    /// Every finder's answers, `asks` of each in a row.
    pub(super) fn judge(
        &self,
        seeds: &[u64],
        asks: usize,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<Answer>> {
        let truth = self.truth(seeds, stop)?;
        let usual = usual_rate(&self.workload.optimizer);
        let mut answers = vec![];
        for ask in 0..asks as u64 {
            let seed = FIRST_ASK + ask;
            for (finder, lr, cost) in
                self.ask(seed, usual, &truth.rates(), stop)?
            {
                let answered = lr.is_some();
                let lr = lr.unwrap_or(usual);
                answers.push(Answer {
                    finder,
                    answered,
                    lr,
                    regret: truth.regret(lr),
                    off: lr.log10() - truth.best(),
                    cost,
                });
            }
        }
        Ok(answers)
    }

    fn truth(
        &self,
        seeds: &[u64],
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Truth> {
        let middle = self.verified(5.0, seeds[0], stop)?.0.log10();
        let (below, above) = REACH;
        let rungs = (0..).map(|i| middle - below + f64::from(i) / DENSITY);
        let log_lr: Vec<f64> =
            rungs.take_while(|x| *x <= middle + above).collect();
        let start = self.start(seeds[0])?;
        let mut loss = vec![];
        for x in &log_lr {
            let mut sum = 0.0;
            for &seed in seeds {
                let end = self.train(10_f64.powf(*x), 1.0, seed, stop)?;
                sum += end.unwrap_or(start).min(start);
            }
            loss.push(sum / seeds.len() as f64);
        }
        Ok(Truth { log_lr, loss, start })
    }

    /// Validation loss before any update.
    fn start(&self, seed: u64) -> Result<f64> {
        let replica = Replica::new(self.workload, seed)?;
        Ok(replica.evaluate(&self.workload.data.valid)?.loss)
    }

    /// Validation loss after a share of the horizon, the whole schedule
    /// squeezed into it; `None` if the run diverged.
    fn train(
        &self,
        lr: f64,
        share: f64,
        seed: u64,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Option<f64>> {
        let steps = self.steps(share);
        let rates = self.schedule.rates(lr, steps);
        let rates = rates.unwrap_or_else(|_| vec![lr; steps]);
        let fit = self.trainer.follow(seed, rates.into(), stop)?;
        Ok(fit.valid.map(|score| score.loss))
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive number of steps"
    )]
    fn steps(&self, share: f64) -> usize {
        ((share * self.horizon as f64).round() as usize).max(1)
    }

    /// Our verified rate, and its cost.
    fn verified(
        &self,
        trainings: f64,
        seed: u64,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<(f64, f64)> {
        let verify = Verify { horizon: self.horizon, trainings };
        let (steps, seeds) = verify.range_test();
        let fallback = usual_rate(&self.workload.optimizer);
        let test = RangeTest { steps, seeds, fallback, ..RangeTest::default() };
        let budget = Some((&verify, self.schedule));
        let found =
            on_workload(self.trainer, &test, budget, seed, alone(stop))?;
        Ok((found.lr, found.cost_steps as f64 / self.horizon as f64))
    }

    /// One answer of each finder, with its cost. An exhaustive search tries
    /// the rates `dense`.
    fn ask(
        &self,
        seed: u64,
        usual: f64,
        dense: &[f64],
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<(&'static str, Option<f64>, f64)>> {
        let mut answers = vec![];
        let (lr, cost) = self.verified(VERIFIED, seed, stop)?;
        answers.push(("lrscout, verified", Some(lr), cost));
        let (lr, cost) = self.verified(5.0, seed, stop)?;
        answers.push(("lrscout, verified at length", Some(lr), cost));
        let horizon = self.horizon as f64;
        let test = RangeTest {
            steps: self.steps(ONE_RUN).max(10),
            seeds: 1,
            fallback: usual,
            ..RangeTest::default()
        };
        let found = on_workload(self.trainer, &test, None, seed, alone(stop))?;
        let cost = found.cost_steps as f64 / horizon;
        let peak = found.peak_for(self.schedule, self.horizon)?;
        answers.push(("lrscout, one run", Some(peak), cost));
        // The rules of other tools stop on their own, so they see it all.
        let rates = RangeTest { widen: false, ..test }.rates();
        let mut watch = |_, loss: f64| {
            if loss.is_finite() {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        };
        let losses =
            self.trainer.losses(seed, &rates, None, &mut watch, stop)?;
        let rates = &rates[..losses.len()];
        let cost = losses.len() as f64 / horizon;
        for rule in Rule::ALL {
            if rule != Rule::Lrscout {
                let said = suggest(rule, rates, &losses).map(|s| s.lr);
                let said = said.filter(|lr| *lr > 0.0 && lr.is_finite());
                answers.push((rule.name(), said, cost));
            }
        }
        answers.push(("the optimizer's usual rate", Some(usual), 0.0));
        let share = VERIFIED / GRID.2 as f64;
        let (lr, cost) = self.best_of(&ladder(GRID), share, seed, stop)?;
        answers.push(("grid of 9", lr, cost));
        let (lr, cost) = self.halving(seed, stop)?;
        answers.push(("successive halving of 16", lr, cost));
        let (lr, cost) = self.best_of(dense, EXHAUSTIVE, seed, stop)?;
        answers.push(("every rate at half the length", lr, cost));
        Ok(answers)
    }

    fn best_of(
        &self,
        rates: &[f64],
        share: f64,
        seed: u64,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<(Option<f64>, f64)> {
        let losses = self.losses(rates, share, seed, stop)?;
        let cost = share * rates.len() as f64;
        Ok((losses.first().map(|(_, lr)| *lr), cost))
    }

    /// Losses with their rates, the lowest first; diverged runs last.
    fn losses(
        &self,
        rates: &[f64],
        share: f64,
        seed: u64,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<(f64, f64)>> {
        let mut losses = vec![];
        for &lr in rates {
            let end = self.train(lr, share, seed, stop)?;
            losses.push((end.unwrap_or(f64::INFINITY), lr));
        }
        losses.sort_by(|a, b| a.0.total_cmp(&b.0));
        Ok(losses)
    }

    /// Half of the rates go on, twice as long (Jamieson & Talwalkar 2016),
    /// with the whole schedule squeezed into each round.
    fn halving(
        &self,
        seed: u64,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<(Option<f64>, f64)> {
        let mut rates = ladder(HALVING);
        let rounds = rates.len().ilog2();
        let mut share = VERIFIED / f64::from(rounds) / rates.len() as f64;
        let mut cost = 0.0;
        while rates.len() > 1 {
            let losses = self.losses(&rates, share, seed, stop)?;
            cost += share * rates.len() as f64;
            let kept = rates.len() / 2;
            rates = losses.into_iter().take(kept).map(|(_, lr)| lr).collect();
            share *= 2.0;
        }
        Ok((rates.first().copied(), cost))
    }
}

/// Finders run on one core, and each time all of it.
fn alone(stop: &(dyn Fn() -> bool + Sync)) -> Means<'_> {
    Means { several: &one_by_one, memo: Memo::NONE, stop }
}

/// So many rates from one to another, evenly spaced in their logarithms.
fn ladder((from, to, count): (f64, f64, usize)) -> Vec<f64> {
    let widen = RangeTest {
        from,
        to,
        steps: count,
        widen: false,
        on: LossKind::Train,
        ..RangeTest::default()
    };
    widen.rates()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ladder_has_both_ends() {
        let rates = ladder(GRID);
        assert_eq!(rates.len(), 9);
        assert!((rates[8] - 1.0).abs() < 1e-12 && rates[0] == 1e-4);
    }
}
