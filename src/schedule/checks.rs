//! The limits of every parameter, as far as they need no budget.

use super::kinds::{Kind, Shape, kinds, unknown_kind};
use super::value::short;
use crate::error::Problem;
use std::ops::RangeInclusive;

impl Kind {
    /// Checks what can be checked without a budget.
    pub(super) fn check(&self) -> Result<(), Problem> {
        match self {
            Self::Constant {} => Ok(()),
            Self::Linear { end_ratio } | Self::OneMinusSqrt { end_ratio } => {
                ratio("end_ratio", *end_ratio)
            }
            Self::Polynomial { power, end_ratio } => {
                positive("power", *power)?;
                ratio("end_ratio", *end_ratio)
            }
            Self::Cosine { end_ratio, cycles } => {
                // An f64 holds no phase of many more.
                let range = f64::MIN_POSITIVE..=1e9;
                within("cycles", *cycles, range, "above 0 and at most 1e9")?;
                ratio("end_ratio", *end_ratio)
            }
            Self::KDecay { k, end_ratio } => {
                positive("k", *k)?;
                ratio("end_ratio", *end_ratio)
            }
            Self::Exponential { end_ratio } => {
                ratio_above_zero("end_ratio", *end_ratio)
            }
            Self::InverseTime { rate } => {
                within("rate", *rate, 0.0..=f64::MAX, "0 or more")
            }
            Self::InverseSqrt { timescale } => counts("timescale", *timescale),
            Self::Step { milestones, gamma } => {
                check_milestones(milestones)?;
                ratio_above_zero("gamma", *gamma)
            }
            Self::Wsd { decay, shape, end_ratio } => {
                ratio_above_zero("decay", *decay)?;
                check_tail("end_ratio", *shape, *end_ratio)
            }
            Self::Knee { explore } => below_one("explore", *explore),
            Self::Rex { d } => below_one("d", *d),
            Self::OneCycle { .. } => self.check_one_cycle(),
            Self::Triangular { inc_fraction, start_ratio, end_ratio } => {
                ratio("inc_fraction", *inc_fraction)?;
                ratio("start_ratio", *start_ratio)?;
                ratio("end_ratio", end_ratio.unwrap_or(0.0))
            }
            Self::Cyclical {
                mode: _,
                step_size_up,
                step_size_down,
                base_ratio,
                gamma,
                cycle_momentum,
            } => {
                momenta(*cycle_momentum)?;
                counts("step_size_up", *step_size_up)?;
                counts("step_size_down", *step_size_down)?;
                ratio("base_ratio", *base_ratio)?;
                ratio_above_zero("gamma", *gamma)
            }
            Self::Sgdr { .. } => self.check_sgdr(),
            Self::Tanh { lower, upper, end_ratio } => {
                let finite = -1e3..=1e3;
                within("lower", *lower, finite.clone(), "from -1000 to 1000")?;
                within("upper", *upper, finite, "from -1000 to 1000")?;
                if lower >= upper {
                    return Err(Problem::at(
                        "upper",
                        format!(
                            "`upper` is {upper}, it must be above `lower` ({lower})"
                        ),
                    ));
                }
                ratio("end_ratio", *end_ratio)
            }
            Self::Noam { model_size, warmup_steps } => {
                counts("model_size", Some(*model_size))?;
                counts("warmup_steps", Some(*warmup_steps))
            }
            Self::Piecewise { points } => check_points(points),
            Self::Table { file, factors, momenta } => {
                check_factors(file.is_some(), factors)?;
                check_momenta(file.is_some(), factors, momenta)
            }
            Self::Refined { from, tau } => {
                check_from(from)?;
                ratio("tau", *tau)
            }
            Self::ScheduleFree { lr_ratio } => {
                within("lr_ratio", *lr_ratio, 1e-3..=1e3, "from 0.001 to 1000")
            }
            Self::Plateau { factor, patience: _, min_ratio, evaluations } => {
                let wanted = "above 0 and below 1";
                let below = 1.0 - f64::EPSILON;
                within("factor", *factor, f64::MIN_POSITIVE..=below, wanted)?;
                ratio("min_ratio", *min_ratio)?;
                counts("evaluations", Some(*evaluations))
            }
        }
    }

    fn check_sgdr(&self) -> Result<(), Problem> {
        let &Self::Sgdr { t_0, cycles, t_mult, end_ratio, magnitude_decay } =
            self
        else {
            return Ok(());
        };
        counts("t_0", t_0)?;
        counts("cycles", cycles)?;
        if t_0.is_some() && cycles.is_some() {
            return Err(Problem::at(
                "cycles",
                "`cycles` and `t_0` both set the length of the first \
                 cycle, leave one out",
            ));
        }
        within("t_mult", t_mult, 1.0..=1e6, "from 1 to 1e6")?;
        if t_mult.powf(cycles.unwrap_or(1) as f64) > 1e12 {
            return Err(Problem::at(
                "cycles",
                "`cycles` is so high that the first cycle would be \
                 no step at all, lower it or `t_mult`",
            ));
        }
        ratio("end_ratio", end_ratio)?;
        ratio_above_zero("magnitude_decay", magnitude_decay)
    }

    fn check_one_cycle(&self) -> Result<(), Problem> {
        let &Self::OneCycle {
            pct_start,
            div_factor,
            final_div_factor,
            anneal: _,
            three_phase,
            cycle_momentum,
        } = self
        else {
            return Ok(());
        };
        momenta(cycle_momentum)?;
        if !(pct_start > 0.0 && pct_start < 1.0) {
            let message = format!(
                "`pct_start` is {pct_start}, it must be between 0 and 1, \
                 both excluded"
            );
            return Err(Problem::at("pct_start", message));
        }
        if three_phase && pct_start > 0.5 {
            let message = format!(
                "`pct_start` is {pct_start}, with `three_phase` it must be \
                 0.5 at most: the way down takes as long as the way up"
            );
            return Err(Problem::at("pct_start", message));
        }
        let numbers = 1.0..=f64::MAX;
        within("div_factor", div_factor, numbers.clone(), "1 or more")?;
        within("final_div_factor", final_div_factor, numbers, "1 or more")
    }
}

fn check_from(from: &str) -> Result<(), Problem> {
    let Some(kind) = kinds().iter().find(|kind| kind.name == from) else {
        let Problem { message, .. } = unknown_kind(from);
        return Err(Problem::at("from", message.replace("`kind`", "`from`")));
    };
    let lacks = match from {
        "schedule-free" => "is for another form of the optimizer",
        _ if kind.stands_alone() => return Ok(()),
        _ => "has no rates of its own",
    };
    let message = format!("`from` is {from:?}, which {lacks}, take \"linear\"");
    Err(Problem::at("from", message))
}

fn momenta(pair: Option<[f64; 2]>) -> Result<(), Problem> {
    match pair {
        Some([low, high]) if !(0.0 <= low && low <= high && high < 1.0) => {
            let message = format!(
                "`cycle_momentum` is [{low}, {high}], it must be two numbers \
                 from 0 to below 1, the lower one first, such as [0.85, 0.95]"
            );
            Err(Problem::at("cycle_momentum", message))
        }
        _ => Ok(()),
    }
}

fn check_milestones(milestones: &[f64]) -> Result<(), Problem> {
    if milestones.is_empty() {
        let message = "`milestones` is empty, give shares such as [0.5, 0.75]";
        return Err(Problem::at("milestones", message));
    }
    let stands =
        |m: f64| m > 0.0 && m.is_finite() && (m < 1.0 || m.fract() == 0.0);
    if let Some(m) = milestones.iter().find(|&&m| !stands(m)) {
        let message = format!(
            "`milestones` has {m}, give shares between 0 and 1 or whole \
             steps above 1"
        );
        return Err(Problem::at("milestones", message));
    }
    // The order of a share and a step depends on the budget.
    let (steps, shares): (Vec<f64>, Vec<f64>) =
        milestones.iter().partition(|&&m| is_step(m, milestones));
    for own in [shares, steps] {
        let back = own.windows(2).find(|pair| pair[0] > pair[1]);
        if let Some([later, earlier]) = back {
            let message = format!(
                "`milestones` go back from {later} to {earlier}, put them in \
                 order"
            );
            return Err(Problem::at("milestones", message));
        }
    }
    Ok(())
}

/// Whether `milestone` is a step, not a share. A 1 is a step if others are.
pub(super) fn is_step(milestone: f64, milestones: &[f64]) -> bool {
    let in_steps = || milestones.iter().any(|&other| other > 1.0);
    milestone > 1.0 || (milestone == 1.0 && in_steps())
}

fn check_points(points: &[[f64; 2]]) -> Result<(), Problem> {
    if points.is_empty() {
        let message = "`piecewise` needs `points`, a list of [share, ratio] \
                       such as [[0, 1], [0.8, 1], [1, 0]]";
        return Err(Problem::at("points", message));
    }
    for [share, height] in points {
        within(
            "points",
            *share,
            0.0..=1.0,
            "a share of the steps from 0 to 1",
        )?;
        ratio("points", *height)?;
    }
    match points.windows(2).find(|pair| pair[0][0] > pair[1][0]) {
        None => Ok(()),
        Some(pair) => Err(Problem::at(
            "points",
            format!(
                "`points` go back from share {} to {}, put them in order",
                pair[0][0], pair[1][0]
            ),
        )),
    }
}

fn check_factors(from_file: bool, factors: &[f64]) -> Result<(), Problem> {
    let key = if from_file { "file" } else { "factors" };
    if !from_file && factors.is_empty() {
        let message = "`table` needs `file`, a CSV file `step,factor` or a \
                       .npy file";
        return Err(Problem::at("file", message));
    }
    match factors.iter().position(|f| !(*f >= 0.0 && f.is_finite())) {
        None => Ok(()),
        Some(row) => Err(Problem::at(
            key,
            format!(
                "`{key}` has {} at step {row}, a factor is 0 or more",
                factors[row]
            ),
        )),
    }
}

/// A momentum for every factor, or none.
fn check_momenta(
    from_file: bool,
    factors: &[f64],
    momenta: &[f64],
) -> Result<(), Problem> {
    let key = if from_file { "file" } else { "momenta" };
    let (rows, all) = (momenta.len(), factors.len());
    if rows > 0 && all > 0 && rows != all {
        let message = format!(
            "`{key}` has {rows} momenta and {all} factors, give one for each \
             step, or none"
        );
        return Err(Problem::at(key, message));
    }
    match momenta.iter().position(|m| !(0.0..1.0).contains(m)) {
        None => Ok(()),
        Some(row) => Err(Problem::at(
            key,
            format!(
                "`{key}` has the momentum {} at step {row}, it must be from 0 \
                 to below 1",
                momenta[row]
            ),
        )),
    }
}

/// Checks the end ratio of a decay phase.
pub(super) fn check_tail(
    key: &str,
    shape: Shape,
    end_ratio: Option<f64>,
) -> Result<(), Problem> {
    match (shape, end_ratio) {
        (_, None) => Ok(()),
        (Shape::Exponential, Some(end)) => ratio_above_zero(key, end),
        (_, Some(end)) => ratio(key, end),
    }
}

pub(super) fn within(
    key: &str,
    value: f64,
    range: RangeInclusive<f64>,
    wanted: &str,
) -> Result<(), Problem> {
    if range.contains(&value) {
        return Ok(());
    }
    let message = format!("`{key}` is {}, it must be {wanted}", short(value));
    Err(Problem::at(key, message))
}

pub(super) fn ratio(key: &str, value: f64) -> Result<(), Problem> {
    within(key, value, 0.0..=1.0, "from 0 to 1")
}

pub(super) fn ratio_above_zero(key: &str, value: f64) -> Result<(), Problem> {
    let wanted = "above 0 and at most 1";
    within(key, value, f64::MIN_POSITIVE..=1.0, wanted)
}

fn below_one(key: &str, value: f64) -> Result<(), Problem> {
    let wanted = "0 or more and below 1";
    within(key, value, 0.0..=1.0 - f64::EPSILON, wanted)
}

fn positive(key: &str, value: f64) -> Result<(), Problem> {
    within(key, value, f64::MIN_POSITIVE..=f64::MAX, "above 0")
}

fn counts(key: &str, value: Option<usize>) -> Result<(), Problem> {
    if value == Some(0) {
        let message = format!("`{key}` is 0, it must be 1 or more");
        return Err(Problem::at(key, message));
    }
    Ok(())
}
