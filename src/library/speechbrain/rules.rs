//! The rates that SpeechBrain's schedulers set, as functions of their count.

use super::super::{Arguments, Literal, Run, raises};
use crate::error::Problem;
use std::f64::consts::{LN_2, PI};

/// The rate after `t` calls, where it was the other one.
type Rule = Box<dyn Fn(f64, f64) -> f64>;

/// The rates of the scheduler `name`.
///
/// # Errors
///
/// If SpeechBrain refuses its arguments, or the run goes past its end.
pub(super) fn rates(
    name: &str,
    arguments: &Arguments,
    run: &Run,
) -> Result<Vec<f64>, Problem> {
    if ["LinearScheduler", "StepScheduler"].contains(&name) {
        return by_epoch(name, arguments, run);
    }
    let rule = match name {
        "CyclicLRScheduler" => cyclic(arguments)?,
        "IntervalScheduler" => intervals(arguments)?,
        _ => rule(name, arguments, run)?,
    };
    // The recipes call this one after an epoch as well, one update ahead.
    let epoch = run.epoch.filter(|_| name == "CyclicLRScheduler");
    let mut rate = run.peak;
    let mut rates = vec![];
    for update in 0..run.steps {
        if update > 0 {
            let ends = epoch.is_some_and(|epoch| update.is_multiple_of(epoch));
            rate = rule((update + usize::from(ends)) as f64, rate);
        }
        rates.push(rate);
    }
    Ok(rates)
}

/// The schedulers of one rate that are called after each update.
fn rule(name: &str, arguments: &Arguments, run: &Run) -> Result<Rule, Problem> {
    let peak = |key| arguments.number_or(key, run.peak);
    let whole = |key| arguments.whole(key).map(|count| count as f64);
    let count = |key| arguments.count(key).map(|count| count as f64);
    Ok(match name {
        "NoamScheduler" | "NoamIntervalScheduler" => noam(arguments, run)?,
        "LinearNoamScheduler" => {
            let peak = peak("lr_initial")?;
            let warmup = count("n_warmup_steps")?;
            let keep = whole("n_keep_steps")?;
            Box::new(move |t, _| {
                let scale = if t < warmup {
                    t / warmup
                } else if t < keep + warmup {
                    1.0
                } else {
                    warmup / (t - keep)
                };
                peak * scale
            })
        }
        "LinearWarmupScheduler" => {
            let peak = peak("initial_value")?;
            let warmup = whole("num_warmup_steps")?;
            let total = whole("num_training_steps")?;
            let fall = (total - warmup).max(1.0);
            Box::new(move |t, _| {
                if t < warmup {
                    t / warmup.max(1.0) * peak
                } else {
                    peak * ((total - t) / fall).max(0.0)
                }
            })
        }
        "WarmAndExpDecayLRSchedule" => {
            let peak = peak("lr")?;
            let warmup = whole("n_warmup_steps")?;
            let decay = whole("total_steps")? - warmup;
            if decay == 0.0 {
                let why = "SpeechBrain divides by `total_steps` - \
                           `n_warmup_steps`";
                return Err(arguments.refused("total_steps", why));
            }
            let factor = arguments.number("decay_factor")?;
            Box::new(move |t, _| {
                let step = t - 1.0;
                if step < warmup {
                    return peak * step / warmup;
                }
                peak.min(peak * factor.powf((step - warmup) / decay))
            })
        }
        "CyclicCosineScheduler" => {
            let own = arguments.number_or_none("lr_initial")?;
            let (shift, whole) =
                (count("n_warmup_steps")?, count("total_steps")?);
            Box::new(move |t, rate| {
                let scale = 0.5 * ((PI * (t - shift) / whole).cos() + 1.0);
                own.unwrap_or(rate) * scale
            })
        }
        "InverseSquareRootScheduler" => {
            let warmup = whole("warmup_steps")?;
            Box::new(move |t, _| 1.0 / warmup.max(t).sqrt())
        }
        "WarmCoolDecayLRSchedule" => warm_cool(arguments, run)?,
        _ => tri_stage(arguments, run)?,
    })
}

fn noam(arguments: &Arguments, run: &Run) -> Result<Rule, Problem> {
    let peak = arguments.number_or("lr_initial", run.peak)?;
    let warmup = arguments.count("n_warmup_steps")? as f64;
    let scale = match arguments.number_or_none("model_size")? {
        Some(size) => size.powf(-0.5),
        None => warmup.powf(0.5),
    };
    let mut drops = vec![];
    if arguments.has("anneal_steps") {
        let steps = arguments.numbers("anneal_steps")?;
        let rates = arguments.numbers("anneal_rates")?;
        if rates.len() < steps.len() {
            let why = "`anneal_rates` must be as long as `anneal_steps`";
            return Err(arguments.refused("anneal_rates", why));
        }
        drops = steps.into_iter().zip(rates).collect();
    }
    Ok(Box::new(move |t, _| {
        let mut scale = scale * t.powf(-0.5).min(t * warmup.powf(-1.5));
        for (step, rate) in &drops {
            if t > *step {
                scale *= rate;
            }
        }
        peak * scale
    }))
}

fn warm_cool(arguments: &Arguments, run: &Run) -> Result<Rule, Problem> {
    let peak = arguments.number_or("lr", run.peak)?;
    let warmup = arguments.whole("warmup")? as f64;
    let cooldown = arguments.count("cooldown")? as f64;
    let cools = arguments.whole("total_steps")? as f64 - cooldown;
    let factor = arguments.number("decay_factor")?;
    let power = factor.ln() / arguments.count("decay_every")? as f64;
    if !power.is_finite() {
        let why = "`decay_factor` must be above 0";
        return Err(arguments.refused("decay_factor", why));
    }
    Ok(Box::new(move |t, _| {
        if t < warmup {
            peak * t / warmup
        } else if t > cools {
            let begin = peak * (power * cools).exp();
            begin - begin / cooldown * (t - cools)
        } else {
            peak * (power * (t - warmup)).exp()
        }
    }))
}

fn tri_stage(arguments: &Arguments, run: &Run) -> Result<Rule, Problem> {
    let peak = arguments.number_or("lr", run.peak)?;
    let warmup = arguments.count("warmup_steps")? as f64;
    let holds = warmup + arguments.whole("hold_steps")? as f64;
    let begin = arguments.number("init_lr_scale")? * peak;
    let rise = (peak - begin) / warmup;
    let last = arguments.number("final_lr_scale")?;
    let decay = -last.ln() / arguments.count("decay_steps")? as f64;
    arguments.whole("total_steps")?;
    if !decay.is_finite() {
        let why = "`final_lr_scale` must be above 0";
        return Err(arguments.refused("final_lr_scale", why));
    }
    Ok(Box::new(move |t, _| {
        if t < warmup {
            begin + rise * t
        } else if t < holds {
            peak
        } else {
            peak * (-decay * (t - holds)).exp()
        }
    }))
}

fn cyclic(arguments: &Arguments) -> Result<Rule, Problem> {
    if arguments.given("scale_fn") {
        let why = "a function of the script cannot be read here";
        return Err(arguments.refused("scale_fn", why));
    }
    let base = arguments.number("base_lr")?;
    let height = arguments.number("max_lr")? - base;
    let size = arguments.number("step_size")?;
    if size <= 0.0 {
        let why = "`step_size` must be above 0";
        return Err(arguments.refused("step_size", why));
    }
    let gamma = arguments.number("gamma")?;
    let modes = ["triangular", "triangular2", "exp_range"];
    let mode = arguments.word("mode", &modes)?;
    Ok(Box::new(move |t, _| {
        let cycle = (1.0 + t / (2.0 * size)).floor();
        let x = (t / size - 2.0 * cycle + 1.0).abs();
        let scale = match mode {
            0 => 1.0,
            1 => 1.0 / 2_f64.powf(cycle - 1.0),
            _ => gamma.powf(t),
        };
        base + height * (1.0 - x).max(0.0) * scale
    }))
}

/// The rates of intervals, each from its count of calls on.
fn intervals(arguments: &Arguments) -> Result<Rule, Problem> {
    let wrong =
        || arguments.wrong("intervals", "a list of {'steps': 10, 'lr': 0.1}");
    let read = |item: &Literal| {
        let Literal::Dict(pairs) = item else { return None };
        let get = |key: &str| {
            let known = |(name, _): &&(Literal, Literal)| matches!(name, Literal::Text(name) if name == key);
            pairs.iter().find(known).and_then(|(_, value)| value.number())
        };
        Some((get("steps")?, get("lr")?))
    };
    let items = arguments.list("intervals")?.iter().map(read);
    let intervals: Vec<(f64, f64)> =
        items.collect::<Option<_>>().ok_or_else(wrong)?;
    if intervals.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
        let why = "the `steps` of `intervals` must rise";
        return Err(arguments.refused("intervals", why));
    }
    Ok(Box::new(move |t, rate| {
        let here = intervals.iter().find(|(steps, _)| *steps == t);
        here.map_or(rate, |(_, lr)| *lr)
    }))
}

/// The schedulers that are called after each epoch, which count from 1.
fn by_epoch(
    name: &str,
    arguments: &Arguments,
    run: &Run,
) -> Result<Vec<f64>, Problem> {
    let updates = run.epoch()?;
    let peak = arguments.number_or("initial_value", run.peak)?;
    let list = match name {
        "LinearScheduler" => Some((
            arguments.number("final_value")?,
            arguments.count("epoch_count")?,
        )),
        _ => None,
    };
    let (factor, drop) = match list {
        Some(_) => (1.0, 1.0),
        None => drops(arguments)?,
    };
    let rate = |update: usize| {
        let epoch = update / updates;
        match list {
            _ if epoch == 0 => Ok(run.peak),
            Some((_, count)) if epoch > count => Err(raises(name, update - 1)),
            Some((end, count)) => Ok(spaced(peak, end, (epoch, count))),
            None => {
                let passed = ((1 + epoch) as f64 / drop).floor();
                Ok(peak * factor.powf(passed))
            }
        }
    };
    (0..run.steps).map(rate).collect()
}

/// The factor of `StepScheduler`, and the epochs from one to the next.
fn drops(arguments: &Arguments) -> Result<(f64, f64), Problem> {
    let given = |key| {
        let value = arguments.number_or_none(key)?;
        Ok(value.filter(|&value| value != 0.0))
    };
    let (factor, drop) = (given("decay_factor")?, given("decay_drop")?);
    match given("half_life")? {
        Some(_) if factor.or(drop).is_some() => {
            let why = "it cannot be with `decay_factor` or `decay_drop`";
            Err(arguments.refused("half_life", why))
        }
        Some(life) => Ok(((-LN_2 / life).exp(), 1.0)),
        None => Ok((factor.unwrap_or(0.5), drop.unwrap_or(2.0))),
    }
}

/// The value at `index` of `count` in `torch.linspace`, in float32: it counts
/// from both ends to the middle. Past the end it is the last one.
#[expect(clippy::cast_possible_truncation, reason = "the list is f32")]
fn spaced(start: f64, end: f64, (index, count): (usize, usize)) -> f64 {
    let (start, end) = (start as f32, end as f32);
    let step = (end - start) / (count.max(2) - 1) as f32;
    let index = index.min(count - 1);
    f64::from(if index < count / 2 || index == 0 {
        start + step * index as f32
    } else {
        end - step * (count - index - 1) as f32
    })
}
