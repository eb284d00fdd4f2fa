//! From arguments to schedulers, with the checks of MMEngine's constructors
//! and what the Runner fills in.

use super::super::{Arguments, Literal, Run};
use super::scheduler::{Floor, Group, Rule, Span};
use crate::error::Problem;

/// MMEngine's `INF`: no end.
const NEVER: i64 = 1_000_000_000;

/// The rule and the span of the scheduler `name`.
///
/// # Errors
///
/// If MMEngine refuses its arguments, or it counts in epochs of unknown
/// length.
pub(super) fn made(
    name: &str,
    arguments: &Arguments,
    run: &Run,
    group: &mut Group,
) -> Result<(Rule, Span), Problem> {
    arguments.anew("last_step")?;
    let (span, times) = span(arguments, run)?;
    let number = |key| arguments.number(key);
    let rule = match name {
        "ConstantLR" => Rule::Constant { factor: share(arguments, "factor")? },
        "CosineAnnealingLR" => Rule::Cosine {
            t_max: match arguments.whole_or_none("T_max")? {
                None | Some(0) => span.end.saturating_sub(span.begin),
                Some(_) => arguments.positive("T_max")?.saturating_mul(times),
            },
            floor: floor(arguments)?.unwrap_or(Floor::Rate(0.0)),
        },
        "ExponentialLR" => Rule::Exponential { gamma: number("gamma")? },
        "LinearLR" => Rule::Linear {
            start: share(arguments, "start_factor")?,
            end: share(arguments, "end_factor")?,
        },
        "MultiStepLR" => {
            let milestones = arguments.wholes("milestones")?;
            let scaled =
                milestones.into_iter().map(|at| at.saturating_mul(times));
            Rule::MultiStep {
                milestones: scaled.collect(),
                gamma: number("gamma")?,
            }
        }
        "StepLR" => Rule::Step {
            size: arguments.positive("step_size")?.saturating_mul(times),
            gamma: number("gamma")?,
        },
        "PolyLR" => {
            Rule::Poly { end: number("eta_min")?, power: number("power")? }
        }
        "OneCycleLR" => one_cycle(arguments, span, times, group)?,
        _ => restarts(arguments, times)?,
    };
    Ok((rule, span))
}

/// When the scheduler acts, and the factor for its other counts.
fn span(arguments: &Arguments, run: &Run) -> Result<(Span, i64), Problem> {
    let by_epoch = arguments.flag("by_epoch")?;
    let converts = arguments.flag("convert_to_iter_based")?;
    arguments.flag("verbose")?;
    let whole = |count: usize| i64::try_from(count).unwrap_or(NEVER);
    let per_epoch = match run.epoch {
        None if by_epoch => run.epoch()?,
        epoch => epoch.unwrap_or(run.steps).max(1),
    };
    let epochs = run.steps.div_ceil(per_epoch);
    let begin = arguments.whole("begin")?;
    let end = if arguments.configured() && !arguments.given("end") {
        whole(if by_epoch { epochs } else { epochs.saturating_mul(per_epoch) })
    } else {
        arguments.whole("end")?
    };
    if end <= begin {
        let why = "`end` must be above `begin`";
        return Err(arguments.refused("end", why));
    }
    if !converts {
        return Ok((Span { begin, end, by_epoch }, 1));
    }
    if !(arguments.configured() && by_epoch) {
        let why = "`convert_to_iter_based` belongs to a dict that counts in \
                   epochs";
        return Err(arguments.refused("convert_to_iter_based", why));
    }
    let times = whole(per_epoch);
    let end = if end == NEVER { end } else { end.saturating_mul(times) };
    let begin = begin.saturating_mul(times);
    Ok((Span { begin, end, by_epoch: false }, times))
}

fn share(arguments: &Arguments, key: &str) -> Result<f64, Problem> {
    let value = arguments.number(key)?;
    if (0.0..=1.0).contains(&value) {
        return Ok(value);
    }
    Err(arguments.refused(key, &format!("`{key}` must be between 0 and 1")))
}

/// The lowest rate, if one is given.
fn floor(arguments: &Arguments) -> Result<Option<Floor>, Problem> {
    let rate = arguments.number_or_none("eta_min")?;
    let ratio = arguments.number_or_none("eta_min_ratio")?;
    if rate.is_some() && ratio.is_some() {
        let why = "give `eta_min` or `eta_min_ratio`, not both";
        return Err(arguments.refused("eta_min", why));
    }
    Ok(rate.map(Floor::Rate).or(ratio.map(Floor::Ratio)))
}

fn restarts(arguments: &Arguments, times: i64) -> Result<Rule, Problem> {
    let floor = floor(arguments)?.ok_or_else(|| {
        let why = "give `eta_min` or `eta_min_ratio`";
        arguments.refused("eta_min", why)
    })?;
    let periods = arguments.wholes("periods")?;
    let weights = arguments.numbers("restart_weights")?;
    if periods.len() != weights.len() {
        let why = "`periods` and `restart_weights` must be equally long";
        return Err(arguments.refused("restart_weights", why));
    }
    if periods.iter().any(|&length| length <= 0) {
        let why = "`periods` must be 1 or more";
        return Err(arguments.refused("periods", why));
    }
    let scaled = periods.into_iter().map(|length| length.saturating_mul(times));
    Ok(Rule::Restarts { periods: scaled.zip(weights).collect(), floor })
}

/// `OneCycleLR` leaves its rates in the group.
fn one_cycle(
    arguments: &Arguments,
    span: Span,
    times: i64,
    group: &mut Group,
) -> Result<Rule, Problem> {
    let total = match arguments.literal("total_steps")? {
        Literal::None => span.end.saturating_sub(span.begin),
        _ => arguments.positive("total_steps")?.saturating_mul(times),
    };
    let highest = arguments.number("eta_max")?;
    let initial = highest / arguments.number("div_factor")?;
    group.initial = Some(initial);
    group.cycle = (highest, initial / arguments.number("final_div_factor")?);
    let share = Some(arguments.real("pct_start")?);
    let share = share.filter(|share| (0.0..=1.0).contains(share));
    let rise = share.ok_or_else(|| {
        let why = "`pct_start` must be between 0 and 1";
        arguments.refused("pct_start", why)
    })? * total as f64;
    let last = (total - 1) as f64;
    let ends = if arguments.flag("three_phase")? {
        vec![rise - 1.0, 2.0 * rise - 2.0, last]
    } else {
        vec![rise - 1.0, last]
    };
    let cosine = arguments.word("anneal_strategy", &["cos", "linear"])? == 0;
    Ok(Rule::OneCycle { ends, cosine, total })
}
