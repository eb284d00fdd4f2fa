//! The schedulers as MMEngine steps them: most multiply the rate that they
//! find.

use std::f64::consts::PI;

/// The rate of a parameter group, and what schedulers left there.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) lr: f64,
    /// Set by the first scheduler, or by a `OneCycleLR`.
    pub(super) initial: Option<f64>,
    /// The highest and the lowest rate of a `OneCycleLR`.
    pub(super) cycle: (f64, f64),
}

impl Group {
    pub(super) fn new(lr: f64) -> Self {
        Self { lr, initial: None, cycle: (0.0, 0.0) }
    }
}

/// When a scheduler acts, in its own steps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) begin: i64,
    pub(super) end: i64,
    pub(super) by_epoch: bool,
}

/// A scheduler with its counts.
#[derive(Clone, Debug)]
pub(super) struct Scheduler {
    rule: Rule,
    span: Span,
    /// The rate that it is relative to.
    base: f64,
    /// Its `_global_step`, all calls.
    calls: i64,
    /// Its `last_step`, the calls between begin and end.
    last: i64,
}

#[derive(Clone, Debug)]
pub(super) enum Rule {
    Constant { factor: f64 },
    Cosine { t_max: i64, floor: Floor },
    Exponential { gamma: f64 },
    Linear { start: f64, end: f64 },
    MultiStep { milestones: Vec<i64>, gamma: f64 },
    Step { size: i64, gamma: f64 },
    Poly { end: f64, power: f64 },
    OneCycle { ends: Vec<f64>, cosine: bool, total: i64 },
    Restarts { periods: Vec<(i64, f64)>, floor: Floor },
}

/// The lowest rate.
#[derive(Clone, Copy, Debug)]
pub(super) enum Floor {
    Rate(f64),
    Ratio(f64),
}

impl Floor {
    fn of(self, base: f64) -> f64 {
        match self {
            Self::Rate(rate) => rate,
            Self::Ratio(ratio) => base * ratio,
        }
    }
}

impl Scheduler {
    pub(super) fn new(rule: Rule, span: Span, group: &mut Group) -> Self {
        let base = *group.initial.get_or_insert(group.lr);
        Self { rule, span, base, calls: -1, last: -1 }
    }

    pub(super) fn by_epoch(&self) -> bool {
        self.span.by_epoch
    }

    /// One call of `step()`, the first of which the constructor makes; false
    /// where MMEngine raises an error.
    pub(super) fn step(&mut self, group: &mut Group) -> bool {
        self.calls += 1;
        if (self.span.begin..self.span.end).contains(&self.calls) {
            self.last += 1;
            match self.next(group) {
                Some(lr) => group.lr = lr,
                None => return false,
            }
        }
        true
    }

    fn next(&self, group: &Group) -> Option<f64> {
        let (last, lr) = (self.last, group.lr);
        let total = self.span.end.saturating_sub(self.span.begin) - 1;
        Some(match &self.rule {
            Rule::Constant { factor } => match last {
                0 => lr * factor,
                _ if last == total => lr * (1.0 / factor),
                _ => lr,
            },
            Rule::Cosine { t_max, floor } => {
                let end = floor.of(self.base);
                if last == 0 {
                    return Some(lr);
                }
                if (last - 1 - t_max).rem_euclid(t_max.saturating_mul(2)) == 0 {
                    let turn = 1.0 - (PI / *t_max as f64).cos();
                    return Some(lr + (self.base - end) * turn / 2.0);
                }
                after(lr, end, last, *t_max)
            }
            Rule::Exponential { gamma } => {
                if last == 0 {
                    lr
                } else {
                    lr * gamma
                }
            }
            Rule::Linear { start, end } => {
                if last == 0 {
                    return Some(lr * start);
                }
                let rise = end - start;
                let before = total as f64 * start + (last - 1) as f64 * rise;
                lr * (1.0 + rise / before)
            }
            Rule::MultiStep { milestones, gamma } => {
                let here = milestones.iter().filter(|&&at| at == last).count();
                if here == 0 { lr } else { lr * gamma.powf(here as f64) }
            }
            Rule::Step { size, gamma } => {
                if last == 0 || last % size != 0 {
                    lr
                } else {
                    lr * gamma
                }
            }
            Rule::Poly { end, power } => {
                if last == 0 {
                    return Some(lr);
                }
                let left = 1.0 - 1.0 / (total - last + 1) as f64;
                (lr - end) * left.powf(*power) + end
            }
            Rule::OneCycle { ends, cosine, total } => {
                if last > *total {
                    return None;
                }
                one_cycle(last as f64, ends, *cosine, group)
            }
            Rule::Restarts { periods, floor } => {
                let end = floor.of(self.base);
                let mut begin = 0;
                for (length, weight) in periods {
                    let next = length.saturating_add(begin);
                    if last < next {
                        let now = last - begin;
                        return Some(if now == 0 {
                            self.base * weight
                        } else {
                            after(lr, end, now, *length)
                        });
                    }
                    begin = next;
                }
                lr
            }
        })
    }
}

/// Half a cosine to `end`, from the value before it.
fn after(lr: f64, end: f64, now: i64, whole: i64) -> f64 {
    let height = |now: i64| 1.0 + (PI * now as f64 / whole as f64).cos();
    height(now) / height(now - 1) * (lr - end) + end
}

/// `OneCycleLR` with the ends of its phases, between the rates of the group.
fn one_cycle(now: f64, ends: &[f64], cosine: bool, group: &Group) -> f64 {
    let current = ends.iter().position(|&end| now <= end);
    let current = current.unwrap_or(ends.len() - 1);
    let begin = match current {
        0 => 0.0,
        later => ends[later - 1],
    };
    let initial = group.initial.unwrap_or(group.lr);
    let (highest, lowest) = group.cycle;
    let (from, to) = match (current, ends.len()) {
        (0, _) => (initial, highest),
        (1, 3) => (highest, initial),
        (1, _) => (highest, lowest),
        _ => (initial, lowest),
    };
    let x = (now - begin) / (ends[current] - begin);
    if cosine {
        to + (from - to) / 2.0 * ((PI * x).cos() + 1.0)
    } else {
        (to - from) * x + from
    }
}
