//! The notes of a ranking, in sentences.

use super::be;
use crate::ranking::{Direction, Note, Scale, Within};
use crate::stats::power::{smallest_wilcoxon_p, workloads_needed};
use crate::text::{count, listed, quoted};
use std::fmt::{Display, Formatter, Result, Write as _};

/// Places that a note names before it counts the rest.
const NAMED: usize = 5;

impl Display for Note {
    #[expect(clippy::too_many_lines, reason = "a few lines a note")]
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Caution(text) => f.write_str(text),
            Self::AllDiverged => f.write_str(
                "Every run diverged or failed, so no schedule is recommended.",
            ),
            Self::Failures { told, without } => {
                write!(
                    f,
                    "Runs without a result show nothing about a schedule, and \
                     their seeds are left out there for all schedules: {}.",
                    told.join("; ")
                )?;
                if without.is_empty() {
                    return Ok(());
                }
                let (names, are) = (listed(without), be(without));
                let have =
                    if without.len() == 1 { "it has" } else { "they have" };
                write!(f, " {names} {are} not ranked: {have} no result at all.")
            }
            &Self::Power { workloads, clusters, comparisons, alpha } => {
                power(f, (workloads, clusters), comparisons, alpha)
            }
            Self::LeftOut { places, allowed } => {
                write!(f, "Left out: {}.", first(places))?;
                if *allowed {
                    f.write_str(
                        " `rank --allow-missing` includes such workloads.",
                    )?;
                }
                Ok(())
            }
            Self::OnTraining(names) => write!(
                f,
                "The script of {} makes no evaluation after its last update: \
                 the score is the mean training loss over the last tenth of \
                 the updates, which rewards memorizing. `lrscout.on_eval(f)` \
                 or `lrscout.report(valid_loss=...)` in the script gives a \
                 validation loss.",
                listed(names)
            ),
            Self::Incomplete { .. } => incomplete(f, self),
            Self::Unpaired(runs) => write!(
                f,
                "{} not used, because another schedule has no result with \
                 that seed.",
                count(runs, "run was", "runs were")
            ),
            Self::DefaultControl(name) => {
                let name = quoted(name);
                write!(f, "No control was named, so {name} is the control.")
            }
            Self::Scale { column, scale, direction, rope } => {
                let column = quoted(column);
                if *direction == Direction::Higher {
                    write!(f, "Higher {column} is better. ")?;
                }
                write!(
                    f,
                    "Differences and regrets are in {} of {column}. Schedules \
                     that differ by less than {} are practically equal.",
                    match scale {
                        Scale::Relative => "logarithms",
                        Scale::Raw => "units",
                    },
                    short(*rope)
                )
            }
            Self::Seeds { seeds, needed, alpha } => {
                let has = count(seeds, "seed", "seeds");
                if seeds >= needed {
                    return write!(
                        f,
                        "With {has}, a schedule can be shown to be worse on \
                         a single workload. That says nothing about other \
                         workloads."
                    );
                }
                write!(
                    f,
                    "With {has}, no schedule can be shown to be worse on a \
                     single workload at a level of {alpha}: that takes \
                     {needed} seeds."
                )
            }
            Self::Alone(tests) => alone(f, tests),
            Self::Spread { between_workloads, noise_floor, more_workloads } => {
                write!(
                    f,
                    "The advantage of a schedule has a standard deviation of {} \
                 between workloads and of {}, the noise floor, between the \
                 seeds of one workload. More {} would tell more.",
                    short(*between_workloads),
                    short(*noise_floor),
                    if *more_workloads { "workloads" } else { "seeds" }
                )
            }
            Self::ControlAgain { seeds, p, as_expected } => write!(
                f,
                "The control compared with itself under other seeds ({} on \
                 each side) has p = {}{}",
                count(seeds, "seed", "seeds"),
                short(*p),
                if *as_expected {
                    ", as expected."
                } else {
                    ". Chance causes this in few studies, so distrust small \
                     differences."
                }
            ),
            Self::NoMeanDifference(names) => write!(
                f,
                "There is no mean difference to the control for {}: on some \
                 workload, one of the two diverged more often.",
                listed(names)
            ),
            Self::Tied { tied, pairs } => write!(
                f,
                "{tied} of {} {} equal on every workload.",
                count(pairs, "pair of schedules", "pairs of schedules"),
                if *tied == 1 { "is" } else { "are" }
            ),
            Self::Unranked(schedule) => write!(
                f,
                "The race stopped {}. It is not ranked, because it has no \
                 results with the seeds of the others.",
                quoted(schedule)
            ),
            Self::Stopped { schedule, seeds, of, e } => {
                let name = quoted(schedule);
                write!(
                    f,
                    "The race stopped {name} after {seeds} of {of} seeds"
                )?;
                match e {
                    Some(e) => write!(
                        f,
                        ", with an e-value of {e:.0} after correction for all \
                         schedules."
                    )?,
                    None => f.write_str(
                        ". Its runs alone, ranked in this way, would not have \
                         stopped it.",
                    )?,
                }
                f.write_str(" It ranks behind those that went on.")
            }
        }
    }
}

/// What this number of workloads can show.
fn power(
    f: &mut Formatter<'_>,
    (workloads, clusters): (usize, usize),
    comparisons: usize,
    alpha: f64,
) -> Result {
    let has = extent(workloads, clusters);
    let unit = if clusters < workloads { "clusters" } else { "workloads" };
    let smallest = smallest_wilcoxon_p(clusters);
    let corrected = (smallest * comparisons as f64).min(1.0);
    let attainable = format!(
        "the smallest attainable p is {}, and {} after Holm's correction over \
         {}",
        short(smallest),
        short(corrected),
        count(comparisons, "comparison", "comparisons")
    );
    let needed = workloads_needed(comparisons, alpha);
    if clusters >= needed {
        return write!(f, "With {has}, {attainable}.");
    }
    write!(
        f,
        "With {has}, no schedule can be shown to be worse at a level of \
         {alpha}: {attainable}. That takes {needed} {unit}."
    )?;
    let for_one = workloads_needed(1, alpha);
    if clusters >= for_one {
        return Ok(());
    }
    write!(
        f,
        " With fewer than {for_one}, no schedule is called equivalent either."
    )
}

/// Workloads that lack a schedule.
fn incomplete(f: &mut Formatter<'_>, note: &Note) -> Result {
    let Note::Incomplete { places, p, partly, uncompared, workloads, clusters } =
        note
    else {
        return Ok(());
    };
    write!(
        f,
        "Not every workload has every schedule: {}. A mean rank is 1 \
         plus, for each other schedule, the share of their common workloads \
         on which that one is ahead. A regret is over the workloads that the schedule has.",
        first(places)
    )?;
    if let Some(p) = p {
        write!(
            f,
            " All schedules together, by the test of Skillings and Mack: p = \
             {}.",
            short(*p)
        )?;
    }
    let partly: Vec<String> = partly
        .iter()
        .map(|(name, n)| format!("{} on {n}", quoted(name)))
        .collect();
    if !partly.is_empty() {
        let all = extent(*workloads, *clusters);
        let partly = partly.join(", ");
        write!(
            f,
            " Compared with the control where both are: {partly} of {all}."
        )?;
    }
    if !uncompared.is_empty() {
        write!(
            f,
            " Never beside the control, so not compared with it: {}.",
            listed(uncompared)
        )?;
    }
    Ok(())
}

/// What the seeds of the only workload show.
fn alone(f: &mut Formatter<'_>, tests: &[Within]) -> Result {
    let [one, ..] = tests else { return Ok(()) };
    let of = |test: &Within| {
        let mut text = quoted(&test.a);
        let ends = test.low.zip(test.high);
        if let Some((mean, (low, high))) = test.mean_difference.zip(ends) {
            // Writing to a String cannot fail.
            let _ = write!(
                text,
                " {} (95 % interval {} to {})",
                signed(mean),
                signed(low),
                signed(high)
            );
        }
        text + &format!(" p = {}", short(test.p_holm))
    };
    let told: Vec<String> = tests.iter().map(of).collect();
    write!(
        f,
        "On {} alone, over {}, with Holm's correction, against {}: {}. That \
         holds for this workload and says nothing about others.",
        quoted(&one.workload),
        count(one.seeds, "seed", "seeds"),
        quoted(&one.b),
        told.join("; ")
    )
}

/// "9 workloads", or "9 workloads in 4 clusters".
fn extent(workloads: usize, clusters: usize) -> String {
    let has = count(workloads, "workload", "workloads");
    if clusters < workloads {
        format!("{has} in {}", count(clusters, "cluster", "clusters"))
    } else {
        has
    }
}

/// The first of `places`, and how many more there are.
fn first(places: &[String]) -> String {
    let shown = &places[..places.len().min(NAMED)];
    match places.len() - shown.len() {
        0 => shown.join("; "),
        more => format!("{}; and {more} more", shown.join("; ")),
    }
}

/// A number with its sign.
fn signed(number: f64) -> String {
    let sign = if number < 0.0 { "−" } else { "+" };
    format!("{sign}{}", short(number.abs()))
}

/// A number in few digits.
fn short(number: f64) -> String {
    if number >= 0.001 || number == 0.0 {
        let text = format!("{number:.4}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        format!("{number:.1e}")
    }
}
