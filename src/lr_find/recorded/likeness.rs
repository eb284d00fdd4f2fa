//! What the noise of losses says: averages change less from update to update
//! than what they are averages of, and the noise of the right values is
//! white.
//!
//! Noise alone cannot tell an average with a constant weight from a loss that
//! wanders by itself, as that on a fixed set of examples does. So it only
//! decides between candidates, makes suspicious, and is sure of averages
//! that start at zero.

use super::{MOST_ROWS, finite};
use crate::stats::average::{Average, Start};
use crate::stats::robust::median;
use crate::stats::trend::Trend;

/// Logarithm of a likelihood ratio that is evidence.
pub(super) const EVIDENCE: f64 = 6.0;

/// The same against what was said, and for undoing what nobody spoke of.
pub(super) const STRONG: f64 = 10.0;

/// Standard deviations of a correlation of white noise.
const WHITE: f64 = 2.5;

/// Share of its later level below which a loss starts too low to be one.
const RAMP: f64 = 0.75;

/// Shortest epoch that is tried.
const SHORTEST: usize = 8;

/// What noise says about losses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Likeness {
    /// They are no averages.
    Raw,
    /// They are this.
    Sure(Average),
    /// They may be averages, and this is likeliest.
    Suspected(Average),
    /// Nothing.
    Unknown,
}

/// The averages of tools, and common ones of people.
fn usual(single: bool) -> Vec<Average> {
    let zero = |new| Average::exponential(new, Start::Zero);
    let mut averages = vec![
        Average::FASTAI,
        Average::LIGHTNING,
        Average::Mean { every: None },
    ];
    averages.extend([0.02, 0.05, 0.1, 0.2].map(zero));
    // It is made in double precision, and looks like a loss that wanders.
    if !single {
        averages.push(Average::TORCH_LR_FINDER);
    }
    averages
}

/// What the noise of `losses` says, if nothing else is known.
pub(super) fn guess(losses: &[f64], single: bool) -> Likeness {
    let head = head(losses);
    let Some(raw) = Trend::of(&finite(head)) else { return Likeness::Unknown };
    let usual = usual(single);
    let best = likeliest(head, &usual);
    let Some((average, trend)) = best else { return Likeness::Unknown };
    let likely = likelihood(average, head, &trend);
    let ahead = likely - raw.log_likelihood;
    let is_only = || {
        let others: Vec<Average> = (usual.iter().copied())
            .filter(|other| *other != average && is_ramp(*other, head))
            .collect();
        likeliest(head, &others).is_none_or(|(other, trend)| {
            likely > likelihood(other, head, &trend) + EVIDENCE
        })
    };
    if ahead > STRONG && is_ramp(average, head) && is_only() {
        Likeness::Sure(average)
    } else if ahead > EVIDENCE && trend.is_white(WHITE) {
        Likeness::Suspected(average)
    } else if ahead < -EVIDENCE / 2.0 && raw.is_white(WHITE) {
        Likeness::Raw
    } else {
        Likeness::Unknown
    }
}

/// Logarithm of the likelihood of `average` over that of no average; 0 where
/// there are too few losses.
pub(super) fn evidence(average: Average, losses: &[f64]) -> f64 {
    let head = head(losses);
    let of = |average: Option<Average>| {
        let values = average.map(|average| average.undo(head));
        let values = values.unwrap_or_else(|| head.to_vec());
        let trend = Trend::of(&finite(&values))?;
        Some(match average {
            Some(average) => likelihood(average, head, &trend),
            None => trend.log_likelihood,
        })
    };
    of(Some(average)).zip(of(None)).map_or(0.0, |(a, b)| a - b)
}

/// The means since the start, or since that of an epoch, that `losses` are, if
/// the noise of what they are made of is white, and that says more than a
/// choice among so many would by chance.
pub(super) fn means_of(losses: &[f64]) -> Option<Average> {
    let head = head(losses);
    let means = means(head.len());
    let chance = EVIDENCE + (means.len() as f64).ln();
    let raw = Trend::of(&finite(head))?.log_likelihood;
    let (epoch, trend) = likeliest(head, &means)?;
    let of_epoch = likelihood(epoch, head, &trend);
    let (all, trend_of_all) = likeliest(head, &means[..1])?;
    let of_all = likelihood(all, head, &trend_of_all);
    let (average, trend, likelihood) = if of_epoch > of_all + chance {
        (epoch, trend, of_epoch)
    } else {
        (all, trend_of_all, of_all)
    };
    let is_seen = trend.is_white(WHITE) && likelihood > raw + chance;
    is_seen.then_some(average)
}

/// The likeliest means since the start, or since that of an epoch.
pub(super) fn likeliest_means(losses: &[f64]) -> Average {
    likeliest_of(losses, &means(head(losses).len()))
}

/// The one of `averages` that makes `losses` likeliest: the first, if there is
/// no evidence for another.
pub(super) fn likeliest_of(losses: &[f64], averages: &[Average]) -> Average {
    let head = head(losses);
    let first = averages[0];
    let likely = |(average, trend): (Average, Trend)| {
        (average, likelihood(average, head, &trend))
    };
    let of_first = likeliest(head, &averages[..1]).map(likely);
    let best = likeliest(head, averages).map(likely);
    match (of_first, best) {
        (Some((_, low)), Some((best, high))) if high > low + EVIDENCE => best,
        _ => first,
    }
}

/// Means since the start, or since that of an epoch, of a length whose end is
/// well before that of `count` losses.
fn means(count: usize) -> Vec<Average> {
    let epochs = (SHORTEST..=count * 3 / 4).map(Some);
    let all = std::iter::once(None).chain(epochs);
    all.map(|every| Average::Mean { every }).collect()
}

fn likeliest(head: &[f64], averages: &[Average]) -> Option<(Average, Trend)> {
    let tried = averages.iter().filter_map(|&average| {
        let trend = Trend::of(&finite(&average.undo(head)))?;
        Some((likelihood(average, head, &trend), average, trend))
    });
    // The first of equals: epochs beyond the last loss are all alike.
    let best =
        tried.reduce(|best, next| if next.0 > best.0 { next } else { best });
    best.map(|(_, average, trend)| (average, trend))
}

/// Logarithm of the likelihood of the averages, where that of the values is
/// known.
fn likelihood(average: Average, head: &[f64], values: &Trend) -> f64 {
    let gains = average.log_gains(head.len());
    let counted = gains.iter().zip(head).filter(|(_, loss)| loss.is_finite());
    values.log_likelihood + counted.skip(2).map(|(gain, _)| gain).sum::<f64>()
}

/// Whether the averages begin near zero, as none of a loss does by itself.
fn is_ramp(average: Average, head: &[f64]) -> bool {
    let starts_low = matches!(
        average,
        Average::Exponential {
            start: Start::Zero | Start::Corrected { ahead: 1.. },
            ..
        }
    );
    let head = finite(head);
    let later = median(head[head.len() / 3..].to_vec()).unwrap_or(0.0);
    starts_low && later > 0.0 && head[0] < RAMP * later
}

/// The first losses before they diverge: up to where one lies above those of the
/// start by half of what they fell.
fn head(losses: &[f64]) -> &[f64] {
    let losses = &losses[..losses.len().min(MOST_ROWS)];
    let start = (losses.len() / 5).max(5).min(losses.len());
    let top = highest(&losses[..start]);
    let mut lowest = f64::INFINITY;
    for (row, &loss) in losses.iter().enumerate() {
        if row >= start && loss > top + 0.5 * (top - lowest) {
            return &losses[..row];
        }
        lowest = lowest.min(loss);
    }
    losses
}

fn highest(losses: &[f64]) -> f64 {
    let finite = losses.iter().filter(|loss| loss.is_finite());
    finite.copied().fold(f64::NEG_INFINITY, f64::max)
}
