//! The schedulers as paddle steps them: a value of the count, or of the count
//! and the last value.

use std::f64::consts::PI;

/// A scheduler with its count and its last value.
#[derive(Clone, Debug)]
pub(super) struct Scheduler {
    pub(super) rule: Rule,
    /// Its `base_lr`.
    pub(super) base: f64,
    /// Its `last_lr`.
    pub(super) rate: f64,
    /// Its `last_epoch`.
    pub(super) count: i64,
}

#[derive(Clone, Debug)]
pub(super) enum Rule {
    Noam { model: f64, warmup: f64 },
    Piecewise { boundaries: Vec<i64>, values: Vec<f64> },
    NaturalExp { gamma: f64 },
    InverseTime { gamma: f64 },
    Polynomial { steps: f64, end: f64, power: f64, cycle: bool },
    Exponential { gamma: f64 },
    MultiStep { milestones: Vec<i64>, gamma: f64 },
    Step { size: i64, gamma: f64 },
    Cosine { t_max: i64, end: f64 },
    Restarts { t_0: i64, t_mult: i64, end: f64, now: f64, length: f64 },
    Linear { start: f64, end: f64, total: i64 },
    OneCycle { phases: Vec<Phase>, cosine: bool, total: i64 },
    Cyclic { height: f64, up: f64, down: f64, mode: Mode },
    Warmup { then: Box<Then>, steps: i64, start: f64, end: f64 },
}

/// What follows a warm-up.
#[derive(Clone, Debug)]
pub(super) enum Then {
    Rate(f64),
    Scheduler(Scheduler),
}

/// How the height of a cycle changes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mode {
    Same,
    Halved,
    /// A factor to the power of the count.
    Decayed(f64),
}

/// The end of a phase in steps, its length, its first rate and its last.
pub(super) type Phase = (f64, f64, f64, f64);

impl Scheduler {
    pub(super) fn new(rule: Rule, base: f64) -> Self {
        Self { rule, base, rate: base, count: -1 }
    }

    /// One call of `step()`, the first of which the constructor makes; `None`
    /// where paddle raises an error. `given` is whether the count is an
    /// argument, as that of an inner scheduler is.
    pub(super) fn step(&mut self, given: bool) -> Option<f64> {
        self.count += 1;
        let value = self.next(given).filter(|value| value.is_finite())?;
        self.rate = value;
        Some(value)
    }

    fn next(&mut self, given: bool) -> Option<f64> {
        let (count, base, rate) = (self.count, self.base, self.rate);
        let t = count as f64;
        Some(match &mut self.rule {
            Rule::Noam { model, warmup } => {
                let decay = if count == 0 { 1.0 } else { t.powf(-0.5) };
                let rise = warmup.powf(-1.5) * t;
                base * model.powf(-0.5) * decay.min(rise)
            }
            Rule::Piecewise { boundaries, values } => {
                let index = boundaries.iter().position(|&end| count < end);
                values[index.unwrap_or(values.len() - 1)]
            }
            Rule::NaturalExp { gamma } => base * (-*gamma * t).exp(),
            Rule::InverseTime { gamma } => base / (1.0 + *gamma * t),
            Rule::Polynomial { steps, end, power, cycle } => {
                let (now, whole) = if *cycle {
                    (t, *steps * (t / *steps).ceil().max(1.0))
                } else {
                    (t.min(*steps), *steps)
                };
                (base - *end) * (1.0 - now / whole).powf(*power) + *end
            }
            Rule::Exponential { gamma } => base * gamma.powf(t),
            Rule::MultiStep { milestones, gamma } => {
                let passed = milestones.iter().position(|&at| count < at);
                let passed = passed.unwrap_or(milestones.len());
                base * gamma.powf(passed as f64)
            }
            Rule::Step { size, gamma } => {
                base * gamma.powf((count / *size) as f64)
            }
            Rule::Cosine { t_max, end } => {
                if given {
                    cosine(base, *end, t, *t_max as f64)
                } else {
                    cosine_after(rate, base, *end, count, *t_max)
                }
            }
            Rule::Restarts { t_0, t_mult, end, now, length } => {
                let cycle = (*t_0 as f64, *t_mult as f64);
                if given {
                    (*now, *length) = place(t, cycle);
                } else if count > 0 {
                    *now += 1.0;
                    if *now >= *length {
                        *now -= *length;
                        *length *= cycle.1;
                    }
                }
                cosine(base, *end, *now, *length)
            }
            Rule::Linear { start, end, total } => {
                if count == 0 {
                    base * *start
                } else if count > *total {
                    rate
                } else {
                    let rise = *end - *start;
                    let before = *total as f64 * *start + (t - 1.0) * rise;
                    rate * (1.0 + rise / before)
                }
            }
            Rule::OneCycle { phases, cosine, total } => {
                if count > *total {
                    return None;
                }
                one_cycle(t, phases, *cosine)
            }
            Rule::Cyclic { height, up, down, mode } => {
                base + cyclic(t, *height, (*up, *down), *mode)
            }
            Rule::Warmup { then, steps, start, end } => {
                if count < *steps {
                    return Some((*end - *start) * t / *steps as f64 + *start);
                }
                match &mut **then {
                    Then::Rate(rate) => *rate,
                    Then::Scheduler(inner) => {
                        inner.count = count - *steps - 1;
                        return inner.step(true);
                    }
                }
            }
        })
    }
}

/// Half a cosine from `base` to `end`.
fn cosine(base: f64, end: f64, now: f64, length: f64) -> f64 {
    end + (base - end) * (1.0 + (PI * now / length).cos()) / 2.0
}

/// The same from the value before it.
fn cosine_after(rate: f64, base: f64, end: f64, count: i64, whole: i64) -> f64 {
    let length = whole as f64;
    if count == 0 {
        return base;
    }
    if (count - 1).saturating_sub(whole).rem_euclid(whole.saturating_mul(2))
        == 0
    {
        return rate + (base - end) * (1.0 - (PI / length).cos()) / 2.0;
    }
    let height = |count: i64| 1.0 + (PI * count as f64 / length).cos();
    height(count) / height(count - 1) * (rate - end) + end
}

/// Where a given count lies in its cycle, and the cycle's length.
fn place(t: f64, (t_0, t_mult): (f64, f64)) -> (f64, f64) {
    if t < t_0 {
        return (t, t_0);
    }
    if t_mult == 1.0 {
        return (t % t_0, t_0);
    }
    // The cut logarithm may be 1 too low at the begin of a cycle; paddle then
    // gives the end of the cycle before it.
    let cycle = (t / t_0 * (t_mult - 1.0) + 1.0).log(t_mult).trunc();
    let grown = t_mult.powf(cycle);
    (t - t_0 * (grown - 1.0) / (t_mult - 1.0), t_0 * grown)
}

fn one_cycle(t: f64, phases: &[Phase], cosine: bool) -> f64 {
    let current = phases.iter().position(|&(end, ..)| t <= end);
    let current = current.unwrap_or(phases.len() - 1);
    let begin = match current {
        0 => 0.0,
        later => phases[later - 1].0,
    };
    let (_, length, from, to) = phases[current];
    let x = (t - begin) / length;
    if cosine {
        to + (from - to) / 2.0 * ((PI * x).cos() + 1.0)
    } else {
        (to - from) * x + from
    }
}

/// What `CyclicLR` adds to its base.
fn cyclic(t: f64, height: f64, (up, down): (f64, f64), mode: Mode) -> f64 {
    let whole = up + down;
    let ratio = up / whole;
    let cycle = 1.0 + (t / whole).floor();
    let x = 1.0 + t / whole - cycle;
    let share = if x <= ratio { x / ratio } else { (1.0 - x) / (1.0 - ratio) };
    let scale = match mode {
        Mode::Same => 1.0,
        Mode::Halved => 1.0 / 2_f64.powf(cycle - 1.0),
        Mode::Decayed(gamma) => gamma.powf(t),
    };
    height * share * scale
}
