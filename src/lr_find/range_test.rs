//! The range test itself: run, widened where it is too narrow, read.

use super::diagnosis::{Diagnosis, FindOutcome, Stop};
use super::found::{Confidence, LrFound, LrPoint};
use super::{RangeTest, Rule, Runs, interval, suggest};
use crate::error::Result;
use crate::seed;
use crate::stats::robust::median;
use rand::RngExt as _;
use std::ops::ControlFlow;

/// Times the range may grow downwards.
const LOWERINGS: usize = 3;

/// Decades above the lower end in which the curve must not yet turn.
const ROOM_BELOW: f64 = 1.5;

/// Width of the interval, in decades, from which on a curve is too noisy.
const TOO_WIDE: f64 = 2.0;

/// Without anything better, cycles begin this far below the suggestion.
const CYCLE_RATIO: f64 = 10.0;

/// One seed's range test.
struct Curve {
    lr: Vec<f64>,
    loss: Vec<f64>,
    diagnosis: Diagnosis,
}

impl Curve {
    fn record(test: &RangeTest, seed: u64, runs: Runs<'_>) -> Result<Self> {
        let mut lr = test.rates();
        let logs: Vec<f64> = lr.iter().map(|lr| lr.log10()).collect();
        let mut stop = Stop::default();
        let ours = test.rule == Rule::Lrscout;
        let mut watch = |step: usize, loss: f64| {
            if stop.push(logs[step], loss) && ours {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let loss = (runs.train)(&lr, seed, test.on, &mut watch)?;
        lr.truncate(loss.len());
        let diagnosis = Diagnosis::of(&lr, &loss);
        Ok(Self { lr, loss, diagnosis })
    }

    /// Whether the first rates were already too high to see the start.
    fn wants_lower(&self) -> bool {
        let Some(&first) = self.lr.first() else { return false };
        // Before any update no rate can be blamed.
        if !self.loss[0].is_finite() {
            return false;
        }
        let turn = match self.diagnosis.outcome() {
            FindOutcome::Found => self.diagnosis.lowest_lr(),
            FindOutcome::NonFiniteAtStart | FindOutcome::NoDescent
                if self.diagnosis.diverged =>
            {
                self.diagnosis.highest_lr()
            }
            _ => None,
        };
        turn.is_some_and(|lr| (lr / first).log10() < ROOM_BELOW)
    }

    fn suggestion(&self, rule: Rule) -> Option<f64> {
        let found = match rule {
            Rule::Lrscout => self.diagnosis.suggestion(),
            rule => suggest(rule, &self.lr, &self.loss),
        };
        found.map(|found| found.lr).filter(|lr| *lr > 0.0 && lr.is_finite())
    }

    fn points(&self) -> Vec<LrPoint> {
        let smoothed = self.diagnosis.smoothed.iter().copied();
        let smoothed = smoothed.chain(std::iter::repeat(f64::NAN));
        let rows = self.lr.iter().zip(&self.loss).zip(smoothed);
        rows.map(|((&lr, &loss), smoothed)| LrPoint { lr, loss, smoothed })
            .collect()
    }
}

/// Runs the range test on each of its seeds and puts them together. It is
/// widened as long as that takes no more than `most` updates in all.
pub(super) fn run(
    test: &RangeTest,
    seed: u64,
    most: usize,
    runs: Runs<'_>,
) -> Result<LrFound> {
    let seeds: Vec<u64> = (0..test.seeds)
        .map(|k| seed::stream(seed, &format!("range test {k}")).random())
        .collect();
    let mut test = test.clone();
    let mut first = Curve::record(&test, seeds[0], runs)?;
    let mut cost_steps = first.loss.len();
    for _ in 0..LOWERINGS {
        let lower = test.lower();
        let affordable = cost_steps + lower.steps * test.seeds <= most;
        if !(test.widen && affordable && first.wants_lower()) {
            break;
        }
        test = lower;
        first = Curve::record(&test, seeds[0], runs)?;
        cost_steps += first.loss.len();
    }
    let mut curves = vec![first];
    let others = &seeds[1..];
    curves.extend(
        runs.all(others.len(), |k| Curve::record(&test, others[k], runs))?,
    );
    cost_steps += curves[1..].iter().map(|c| c.loss.len()).sum::<usize>();
    Ok(LrFound { cost_steps, ..judge(&test, &curves, seed) })
}

/// The answer of all seeds.
fn judge(test: &RangeTest, curves: &[Curve], seed: u64) -> LrFound {
    let outcome = majority(curves);
    let mut rule = test.rule;
    let mut answers = answers(curves, rule);
    if answers.is_empty() && rule != Rule::Lrscout {
        rule = Rule::Lrscout;
        answers = self::answers(curves, rule);
    }
    let per_seed: Vec<f64> = answers.iter().map(|(_, lr)| *lr).collect();
    let logs = per_seed.iter().map(|lr| lr.ln()).collect();
    let fell =
        matches!(outcome, FindOutcome::Found | FindOutcome::NeverDiverged);
    let middle = median(logs).filter(|_| fell || rule != Rule::Lrscout);
    let Some(middle) = middle else {
        return nothing(test, outcome, &curves[0]);
    };
    let lr = middle.exp();
    let (low, high) = if rule == Rule::Lrscout {
        let curves: Vec<&Diagnosis> =
            answers.iter().map(|(curve, _)| &curve.diagnosis).collect();
        interval::of_curves(&curves, seed)
    } else {
        interval::of_suggestions(&per_seed, seed)
    };
    let interval = (low.min(lr), high.max(lr));
    let wide = (interval.1 / interval.0).log10() > TOO_WIDE;
    let outcome = if wide && fell { FindOutcome::TooNoisy } else { outcome };
    let distance = |(_, at): &(&Curve, f64)| (at.ln() - middle).abs();
    let nearest = answers
        .iter()
        .min_by(|a, b| distance(a).total_cmp(&distance(b)))
        .map_or(&curves[0], |(curve, _)| *curve);
    let onset = nearest.diagnosis.onset_lr().filter(|&low| low < lr);
    let reason = reason(test, rule, outcome, nearest, &per_seed, interval);
    LrFound {
        interval,
        cycle: (onset.unwrap_or(lr / CYCLE_RATIO), lr),
        confidence: match outcome {
            FindOutcome::Found => Confidence::Medium,
            _ => Confidence::Low,
        },
        rule,
        per_seed,
        ..unsupported(test, outcome, nearest, lr, reason)
    }
}

/// Curves with an answer, and it.
fn answers(curves: &[Curve], rule: Rule) -> Vec<(&Curve, f64)> {
    let answer = |curve: &'_ Curve| curve.suggestion(rule);
    curves.iter().filter_map(|c| answer(c).map(|lr| (c, lr))).collect()
}

/// The most frequent outcome of the seeds; the better one of a tie.
fn majority(curves: &[Curve]) -> FindOutcome {
    let count = |outcome: FindOutcome| {
        curves.iter().filter(|c| c.diagnosis.outcome() == outcome).count()
    };
    let worst_first = [
        FindOutcome::NonFiniteAtStart,
        FindOutcome::NoDescent,
        FindOutcome::NeverDiverged,
        FindOutcome::Found,
    ];
    worst_first
        .into_iter()
        .max_by_key(|&outcome| count(outcome))
        .unwrap_or(FindOutcome::NoDescent)
}

/// The answer where the curves give none.
fn nothing(test: &RangeTest, outcome: FindOutcome, curve: &Curve) -> LrFound {
    let broke = curve.diagnosis.diverged.then(|| curve.diagnosis.highest_lr());
    // A rate at which the loss diverged is too high, even if it is usual.
    let safe = broke.flatten().map(|lr| lr / CYCLE_RATIO);
    let first_finite = curve.loss.first().is_some_and(|l| l.is_finite());
    let lr = match safe {
        Some(safe) if first_finite => test.fallback.min(safe),
        _ => test.fallback,
    };
    let what = match outcome {
        FindOutcome::NonFiniteAtStart if first_finite => format!(
            "the loss is not finite after a few updates even at {:.2e}",
            test.from
        ),
        FindOutcome::NonFiniteAtStart => {
            "the loss is not finite before the first update: look at the \
             model and the data"
                .to_owned()
        }
        _ => match broke.flatten() {
            Some(lr) => {
                format!("the loss fell at no rate and diverged at {lr:.2e}")
            }
            None => format!(
                "the loss fell at no rate up to {:.2e}",
                curve.lr.last().copied().unwrap_or(test.to)
            ),
        },
    };
    let reason = format!("{what}; {lr:.2e} is a fallback");
    unsupported(test, outcome, curve, lr, reason)
}

/// The rate `lr` with the curve of one seed and no other evidence.
fn unsupported(
    test: &RangeTest,
    outcome: FindOutcome,
    curve: &Curve,
    lr: f64,
    reason: String,
) -> LrFound {
    LrFound {
        cycle: (lr / CYCLE_RATIO, lr),
        rule: test.rule,
        curve: curve.points(),
        ..LrFound::unsupported(lr, outcome, reason)
    }
}

/// The outcome in words.
fn reason(
    test: &RangeTest,
    rule: Rule,
    outcome: FindOutcome,
    curve: &Curve,
    per_seed: &[f64],
    (low, high): (f64, f64),
) -> String {
    let seeds = match per_seed.len() {
        1 => "one seed".to_owned(),
        n => format!("the median of {n} seeds"),
    };
    let lowest = curve.diagnosis.lowest_lr().unwrap_or(0.0);
    let seen = match outcome {
        FindOutcome::Found => format!("the loss is lowest at {lowest:.2e}"),
        FindOutcome::NeverDiverged => format!(
            "the loss never rose again up to {:.2e}",
            curve.lr.last().copied().unwrap_or(test.to)
        ),
        FindOutcome::TooNoisy => format!(
            "the noise leaves everything from {low:.2e} to {high:.2e} open"
        ),
        FindOutcome::NoDescent => "the loss fell at no rate".to_owned(),
        FindOutcome::NonFiniteAtStart => {
            "the loss is not finite from the start".to_owned()
        }
        FindOutcome::Given => "the rate is given".to_owned(),
    };
    let by = if rule == test.rule {
        format!("rule `{}`", rule.name())
    } else {
        format!(
            "rule `{}`, since `{}` has no answer",
            rule.name(),
            test.rule.name()
        )
    };
    format!("{seen}; {by}, {seeds}")
}
