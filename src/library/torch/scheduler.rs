//! The schedulers as torch steps them: most multiply the rate that they find.

use std::f64::consts::PI;

/// The rate of a parameter group, and the one that it started with.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) lr: f64,
    /// Set by the first scheduler, or by one that has rates of its own.
    pub(crate) initial: Option<f64>,
}

impl Group {
    pub(crate) fn new(lr: f64) -> Self {
        Self { lr, initial: None }
    }
}

/// A scheduler with its counts.
#[derive(Clone, Debug)]
pub(crate) struct Scheduler {
    pub(super) rule: Rule,
    /// The rate that it is relative to.
    pub(super) base: f64,
    /// Its `last_epoch`.
    pub(super) last: i64,
    /// Its `_step_count`.
    pub(super) made: i64,
}

#[derive(Clone, Debug)]
pub(super) enum Rule {
    Step { size: i64, gamma: f64 },
    MultiStep { milestones: Vec<i64>, gamma: f64 },
    Constant { factor: f64, total: i64 },
    Linear { start: f64, end: f64, total: i64 },
    Exponential { gamma: f64 },
    Polynomial { total: i64, power: f64 },
    Cosine { t_max: i64, end: f64 },
    Restarts { t_mult: i64, end: f64, now: i64, length: i64 },
    Cyclic { top: f64, up: f64, down: f64, mode: Mode },
    OneCycle { phases: Vec<Phase>, cosine: bool, total: i64 },
    Swa { to: f64, over: i64, cosine: bool },
    Sequential { parts: Vec<Scheduler>, milestones: Vec<i64> },
    Chained { parts: Vec<Scheduler> },
}

/// How the height of a cycle changes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mode {
    Same,
    Halved,
    /// A factor to the power of the count.
    Decayed(f64),
}

/// The end of a phase in steps, its first rate and its last.
pub(super) type Phase = (f64, f64, f64);

impl Scheduler {
    /// The step that the constructor makes.
    pub(super) fn begin(&mut self, group: &mut Group) {
        self.made = 0;
        self.advance(group, true);
    }

    /// One call of `step()`; false where torch raises an error.
    pub(crate) fn step(&mut self, group: &mut Group) -> bool {
        self.advance(group, false)
    }

    fn advance(&mut self, group: &mut Group, first: bool) -> bool {
        match &mut self.rule {
            Rule::Sequential { parts, milestones } => {
                self.last += 1;
                let last = self.last;
                let index = milestones.iter().filter(|&&at| at <= last).count();
                let part = &mut parts[index];
                if index > 0 && milestones[index - 1] == last {
                    part.restart(group);
                    return true;
                }
                part.step(group)
            }
            Rule::Chained { parts } => {
                parts.iter_mut().all(|part| part.step(group))
            }
            _ => {
                self.made += 1;
                self.last += 1;
                if let Rule::Restarts { t_mult, now, length, .. } =
                    &mut self.rule
                    && !first
                {
                    *now += 1;
                    if *now >= *length {
                        *now %= *length;
                        *length *= *t_mult;
                    }
                }
                match self.next(group.lr, first) {
                    Some(lr) => group.lr = lr,
                    None => return false,
                }
                true
            }
        }
    }

    /// What `SequentialLR` does where the scheduler's turn comes.
    fn restart(&mut self, group: &mut Group) {
        self.last = 0;
        let base = self.base;
        group.lr = match &self.rule {
            Rule::Constant { factor, total } => {
                base * if *total <= 0 { 1.0 } else { *factor }
            }
            Rule::Linear { start, .. } => base * start,
            // Milestones at 0 or below count at once.
            Rule::MultiStep { milestones, gamma } => {
                let passed = milestones.iter().filter(|&&at| at <= 0).count();
                base * gamma.powf(passed as f64)
            }
            Rule::Step { .. }
            | Rule::Exponential { .. }
            | Rule::Polynomial { .. }
            | Rule::Cosine { .. } => base,
            _ => self.next(group.lr, false).unwrap_or(group.lr),
        };
    }

    /// The rate at its count, where the group has `lr`; `None` past the end of
    /// a schedule that has one. `first` is the constructor's call.
    fn next(&self, lr: f64, first: bool) -> Option<f64> {
        let (last, base) = (self.last, self.base);
        Some(match &self.rule {
            Rule::Step { size, gamma } => {
                if last == 0 || last % size != 0 {
                    lr
                } else {
                    lr * gamma
                }
            }
            Rule::MultiStep { milestones, gamma } => {
                let here = milestones.iter().filter(|&&at| at == last).count();
                if here == 0 { lr } else { lr * gamma.powf(here as f64) }
            }
            Rule::Constant { factor, total } => match last {
                0 => lr * factor,
                _ if last == *total => lr * (1.0 / factor),
                _ => lr,
            },
            Rule::Linear { start, end, total } => {
                if last == 0 {
                    return Some(lr * start);
                }
                if first || last > *total {
                    return Some(lr);
                }
                let rise = end - start;
                let before = *total as f64 * start + (last - 1) as f64 * rise;
                lr * (1.0 + rise / before)
            }
            Rule::Exponential { gamma } => {
                if first {
                    lr
                } else {
                    lr * gamma
                }
            }
            Rule::Polynomial { total, power } => {
                if first || last > *total {
                    return Some(lr);
                }
                let left = |count: i64| 1.0 - count as f64 / *total as f64;
                lr * (left(last) / left(last - 1)).powf(*power)
            }
            Rule::Cosine { t_max, end } => {
                if first {
                    return Some(lr);
                }
                let whole = *t_max as f64;
                if (last - 1 - t_max).rem_euclid(2 * t_max) == 0 {
                    return Some(
                        lr + (base - end) * (1.0 - (PI / whole).cos()) / 2.0,
                    );
                }
                let height =
                    |count: i64| 1.0 + (PI * count as f64 / whole).cos();
                height(last) / height(last - 1) * (lr - end) + end
            }
            Rule::Restarts { end, now, length, .. } => {
                let x = *now as f64 / *length as f64;
                end + (base - end) * (1.0 + (PI * x).cos()) / 2.0
            }
            Rule::Cyclic { top, up, down, mode } => {
                cyclic(last as f64, base, *top, (*up, *down), *mode)
            }
            Rule::OneCycle { phases, cosine, total } => {
                if last > *total {
                    return None;
                }
                one_cycle(last as f64, phases, *cosine)
            }
            Rule::Swa { to, over, cosine } => {
                averaging(self.made - 1, lr, *to, *over, *cosine)
            }
            Rule::Sequential { .. } | Rule::Chained { .. } => lr,
        })
    }

    /// Whether [`asked`](Self::asked) has an answer.
    pub(crate) fn asked_apart(&self) -> bool {
        !matches!(
            self.rule,
            Rule::Swa { .. } | Rule::Sequential { .. } | Rule::Chained { .. }
        )
    }

    /// What `get_lr` says where the group has `lr`, to one who asks for it
    /// without a step, as ignite does; `None` where it raises an error. Ignite
    /// has a `get_lr` of its own for warm restarts, which counts.
    pub(crate) fn asked(&mut self, lr: f64) -> Option<f64> {
        let (last, base) = (self.last, self.base);
        match &mut self.rule {
            // Before its second step it takes a count for a resumed one.
            Rule::Cosine { t_max, end } if last > 0 => {
                let x = PI * last as f64 / *t_max as f64;
                Some(*end + (base - *end) * (1.0 + x.cos()) / 2.0)
            }
            Rule::Restarts { t_mult, now, length, .. } => {
                *now += 1;
                if *now >= *length {
                    *now -= *length;
                    *length *= *t_mult;
                }
                self.next(lr, false)
            }
            _ => self.next(lr, false),
        }
    }

    /// One more in its count, without a step.
    pub(crate) fn count(&mut self) {
        self.last += 1;
    }

    /// Takes back the count of the constructor's step, as `SequentialLR` does
    /// with all of its parts.
    pub(super) fn undo(&mut self) {
        match &mut self.rule {
            Rule::Sequential { parts, .. } | Rule::Chained { parts } => {
                parts.iter_mut().for_each(Self::undo);
            }
            _ => self.last -= 1,
        }
    }
}

/// `CyclicLR` at its count, with the lengths of the way up and down.
fn cyclic(
    at: f64,
    base: f64,
    top: f64,
    (up, down): (f64, f64),
    mode: Mode,
) -> f64 {
    let whole = up + down;
    let ratio = up / whole;
    let cycle = (1.0 + at / whole).floor();
    let x = 1.0 + at / whole - cycle;
    let share = if x <= ratio { x / ratio } else { (x - 1.0) / (ratio - 1.0) };
    let scale = match mode {
        Mode::Same => 1.0,
        Mode::Halved => 1.0 / 2_f64.powf(cycle - 1.0),
        Mode::Decayed(gamma) => gamma.powf(at),
    };
    base + (top - base) * share * scale
}

/// `OneCycleLR` at its count.
fn one_cycle(at: f64, phases: &[Phase], cosine: bool) -> f64 {
    let current = phases.iter().position(|&(end, ..)| at <= end);
    let current = current.unwrap_or(phases.len() - 1);
    let begin = match current {
        0 => 0.0,
        later => phases[later - 1].0,
    };
    let (end, from, to) = phases[current];
    let x = (at - begin) / (end - begin);
    if cosine {
        to + (from - to) / 2.0 * ((PI * x).cos() + 1.0)
    } else {
        (to - from) * x + from
    }
}

/// `SWALR` at its count, which takes back its last step to find where it
/// started.
fn averaging(step: i64, lr: f64, to: f64, over: i64, cosine: bool) -> f64 {
    let step = if over == 0 { step.max(1) } else { step };
    let share = |step: i64| {
        let t = (step as f64 / over.max(1) as f64).clamp(0.0, 1.0);
        if cosine { (1.0 - (PI * t).cos()) / 2.0 } else { t }
    };
    let before = share(step - 1);
    let from =
        if before == 1.0 { to } else { (lr - before * to) / (1.0 - before) };
    let now = share(step);
    to * now + from * (1.0 - now)
}
