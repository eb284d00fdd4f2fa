//! Ignite's handlers with their counts.

use super::super::torch::{self, Group, Scheduler};
use super::super::{Arguments, Call, Literal, Run, raises};
use super::bound;
use crate::error::Problem;
use std::f64::consts::PI;

/// A parameter scheduler between two calls.
pub(super) enum Handler {
    Cyclical(Cyclical),
    /// Pairs of count and value, and the count.
    Piecewise(Vec<(i64, f64)>, i64),
    Torch(Box<Scheduler>),
    /// The parts, their durations, the current one and what is left of it.
    Concat(Vec<Self>, Vec<i64>, usize, i64),
}

/// A cyclical scheduler, which changes itself where a cycle ends.
pub(super) struct Cyclical {
    shape: Shape,
    start: f64,
    end: f64,
    size: i64,
    warmup: i64,
    count: i64,
    cycle_mult: f64,
    start_mult: f64,
    end_mult: f64,
}

#[derive(Clone, Copy, PartialEq)]
enum Shape {
    Triangle,
    Line,
    Cosine,
}

impl Cyclical {
    fn of(arguments: &Arguments, cosine: bool) -> Result<Self, Problem> {
        let number = |key| arguments.number(key);
        let shape = if cosine {
            Shape::Cosine
        } else if arguments.flag("monotonic")? {
            Shape::Line
        } else {
            Shape::Triangle
        };
        let size = arguments.whole("cycle_size")?;
        if size < 2 {
            let why = "`cycle_size` must be 2 or more";
            return Err(arguments.refused("cycle_size", why));
        }
        let warmup = arguments.whole("warmup_duration")?;
        if warmup < 0 || (warmup > 0 && shape == Shape::Triangle) {
            let why = "a `warmup_duration` above 0 needs `monotonic=True`";
            return Err(arguments.refused("warmup_duration", why));
        }
        Ok(Self {
            shape,
            start: number("start_value")?,
            end: number("end_value")?,
            size,
            warmup,
            count: 0,
            cycle_mult: number("cycle_mult")?,
            start_mult: number("start_value_mult")?,
            end_mult: number("end_value_mult")?,
        })
    }

    /// The value at its count.
    fn value(&self) -> f64 {
        let &Self { start, end, .. } = self;
        if self.count > self.size {
            let into = (self.count - self.size) as f64;
            return end + (start - end) * (into / self.warmup as f64);
        }
        let x = self.count as f64 / self.size as f64;
        match self.shape {
            Shape::Triangle => end + (start - end) * (x - 0.5).abs() * 2.0,
            Shape::Line => start + (end - start) * x,
            Shape::Cosine => {
                start + (end - start) / 2.0 * (1.0 - (PI * x).cos())
            }
        }
    }

    fn call(&mut self) -> f64 {
        if self.count != 0 && self.count == self.size {
            self.start *= self.start_mult;
        }
        if self.count != 0 && self.count == self.size + self.warmup {
            self.count = 0;
            self.size = scaled(self.size, self.cycle_mult);
            self.warmup = scaled(self.warmup, self.cycle_mult);
            self.end *= self.end_mult;
        }
        let value = self.value();
        self.count += 1;
        value
    }
}

/// `int(size * by)`.
#[allow(clippy::cast_possible_truncation, reason = "as Python's int")]
fn scaled(size: i64, by: f64) -> i64 {
    (size as f64 * by) as i64
}

/// The value at `count` between the pairs.
fn between(pairs: &[(i64, f64)], count: i64) -> f64 {
    let after = pairs.iter().position(|&(at, _)| count < at);
    match after {
        Some(0) => pairs[0].1,
        None => pairs[pairs.len() - 1].1,
        Some(next) => {
            let ((from, start), (to, end)) = (pairs[next - 1], pairs[next]);
            start + (end - start) * (count - from) as f64 / (to - from) as f64
        }
    }
}

impl Handler {
    /// The rates of an engine with the handler of `arguments`.
    pub(super) fn rates(
        arguments: &Arguments,
        run: &Run,
    ) -> Result<Vec<f64>, Problem> {
        let mut group = Group::new(run.peak);
        let mut handler = Self::of(arguments, &mut group)?;
        let legacy =
            arguments.has("use_legacy") && arguments.flag("use_legacy")?;
        if let (true, Self::Torch(scheduler)) = (legacy, &mut handler) {
            scheduler.count();
        }
        let mut rates = vec![];
        for update in 0..run.steps {
            // With `use_legacy` the handler is called after the update.
            if (update > 0 || !legacy)
                && (!handler.call(&mut group) || !group.lr.is_finite())
            {
                let last = update.saturating_sub(1);
                return Err(raises(arguments.name(), last));
            }
            rates.push(group.lr);
        }
        Ok(rates)
    }

    /// The handler of a call of ignite on `group`.
    fn of(arguments: &Arguments, group: &mut Group) -> Result<Self, Problem> {
        let is_lr = |key: &str| {
            arguments.text(key).is_ok_and(|name| name == "lr")
                && match arguments.literal("param_group_index") {
                    Ok(Literal::None | Literal::Whole(0)) => true,
                    Ok(_) | Err(_) => false,
                }
        };
        if arguments.has("param_name") && !is_lr("param_name") {
            let why = "only the 'lr' of one parameter group is read here";
            return Err(arguments.refused("param_name", why));
        }
        match arguments.name() {
            "LinearCyclicalScheduler" => {
                Cyclical::of(arguments, false).map(Self::Cyclical)
            }
            "CosineAnnealingScheduler" => {
                Cyclical::of(arguments, true).map(Self::Cyclical)
            }
            "PiecewiseLinear" => piecewise(arguments),
            "ConcatScheduler" => concat(arguments, group),
            "LRScheduler" => wrapped(arguments.call("lr_scheduler")?, group),
            _ => warmed(arguments, group),
        }
    }

    /// A part of another handler.
    fn part(call: &Call, group: &mut Group) -> Result<Self, Problem> {
        let arguments = bound(call)?;
        if arguments.has("use_legacy") && arguments.flag("use_legacy")? {
            let why = "a part is called before the update, so it cannot be \
                       legacy";
            return Err(arguments.refused("use_legacy", why));
        }
        Self::of(&arguments, group)
    }

    /// One call; false where it raises an error.
    fn call(&mut self, group: &mut Group) -> bool {
        match self {
            Self::Cyclical(cyclical) => group.lr = cyclical.call(),
            Self::Piecewise(pairs, count) => {
                group.lr = between(pairs, *count);
                *count += 1;
            }
            Self::Torch(scheduler) => match scheduler.asked(group.lr) {
                Some(lr) => {
                    group.lr = lr;
                    scheduler.count();
                }
                None => return false,
            },
            Self::Concat(parts, durations, current, left) => {
                if *left == 0 {
                    *current += 1;
                    *left = durations.get(*current).copied().unwrap_or(-1);
                }
                *left -= 1;
                return parts[*current].call(group);
            }
        }
        true
    }
}

fn piecewise(arguments: &Arguments) -> Result<Handler, Problem> {
    let wrong = || arguments.wrong("milestones_values", "a list of pairs");
    let mut pairs: Vec<(i64, f64)> = vec![];
    for pair in arguments.list("milestones_values")? {
        let Literal::List(pair) = pair else {
            return Err(wrong());
        };
        let [Literal::Whole(at), value] = pair.as_slice() else {
            return Err(wrong());
        };
        let value = value.number().ok_or_else(wrong)?;
        if pairs.last().is_some_and(|&(before, _)| before > *at) {
            let why = "the counts of `milestones_values` must not fall";
            return Err(arguments.refused("milestones_values", why));
        }
        pairs.push((*at, value));
    }
    if pairs.is_empty() {
        return Err(wrong());
    }
    Ok(Handler::Piecewise(pairs, 0))
}

fn concat(
    arguments: &Arguments,
    group: &mut Group,
) -> Result<Handler, Problem> {
    let calls = arguments.calls("schedulers")?;
    let durations = arguments.wholes("durations")?;
    if calls.len() < 2 || calls.len() != durations.len() + 1 {
        let why = "`schedulers` must be two or more, `durations` one less";
        return Err(arguments.refused("durations", why));
    }
    let part = |call| Handler::part(call, group);
    let parts = calls.into_iter().map(part).collect::<Result<_, _>>()?;
    let left = durations[0];
    Ok(Handler::Concat(parts, durations, 0, left))
}

/// A scheduler of torch that ignite asks for its rate.
fn wrapped(call: &Call, group: &mut Group) -> Result<Handler, Problem> {
    let scheduler = torch::scheduler(call, group)?;
    if scheduler.asked_apart() {
        return Ok(Handler::Torch(Box::new(scheduler)));
    }
    let message = format!("ignite cannot ask `{}` for its rate", call.name);
    Err(Problem::at("lr_scheduler", message))
}

/// A warm-up, then a scheduler of ignite or of torch.
fn warmed(
    arguments: &Arguments,
    group: &mut Group,
) -> Result<Handler, Problem> {
    let call = arguments.call("lr_scheduler")?;
    let start = arguments.number("warmup_start_value")?;
    let length = arguments.whole("warmup_duration")?;
    if length < 2 {
        let why = "`warmup_duration` must be 2 or more";
        return Err(arguments.refused("warmup_duration", why));
    }
    let own = bound(call).is_ok();
    let mut after =
        if own { Handler::part(call, group)? } else { wrapped(call, group)? };
    let end = arguments.number_or_none("warmup_end_value")?;
    let end = end.unwrap_or(group.lr);
    let mut pairs = vec![(0, start), (length - 1, end)];
    let first = match &mut after {
        Handler::Torch(scheduler) if !own => {
            if group.lr != end {
                pairs.push((length, group.lr));
            }
            scheduler.count();
            None
        }
        Handler::Cyclical(cyclical) => Some(cyclical.value()),
        Handler::Piecewise(pairs, _) => Some(between(pairs, 0)),
        _ => {
            let why = "a warm-up before this scheduler is not read here: \
                       join them with ConcatScheduler";
            return Err(arguments.refused("lr_scheduler", why));
        }
    };
    // A scheduler of ignite that starts at the peak gives it itself.
    if first == Some(end) {
        pairs.pop();
        if length > 2 {
            let rise = (end - start) / (length - 1) as f64;
            pairs.push((length - 2, end - rise));
        }
    }
    let duration = pairs[pairs.len() - 1].0 + 1;
    let parts = vec![Handler::Piecewise(pairs, 0), after];
    Ok(Handler::Concat(parts, vec![duration], 0, duration))
}
