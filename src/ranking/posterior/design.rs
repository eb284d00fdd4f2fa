//! The terms of the model, and what they say about a regime.

use crate::stats::hierarchical::{Draw, TAILS, Term};
use rand::Rng;
use rand_distr::{Distribution as _, StudentT};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::Range;

/// The factors by their places.
const OPTIMIZER: usize = 0;
const RATE: usize = 2;
const KIND: usize = 3;

/// Levels of one property of the cells, and which cell has which; no levels
/// where it is not known or the same everywhere.
#[derive(Clone, Debug, Default)]
pub(super) struct Factor {
    /// As tables have them, rising.
    levels: Vec<String>,
    of_cell: Vec<usize>,
}

impl Factor {
    pub(super) fn new<L: Display + PartialOrd>(
        of_cells: impl Iterator<Item = Option<L>>,
    ) -> Self {
        let Some(of_cells) = of_cells.collect::<Option<Vec<L>>>() else {
            return Self::default();
        };
        let mut levels: Vec<&L> = vec![];
        for level in &of_cells {
            let at = levels.partition_point(|known| *known < level);
            if levels.get(at).is_none_or(|known| *known != level) {
                levels.insert(at, level);
            }
        }
        if levels.len() < 2 {
            return Self::default();
        }
        let place = |level: &L| levels.partition_point(|known| *known < level);
        Self {
            of_cell: of_cells.iter().map(place).collect(),
            levels: levels.iter().map(ToString::to_string).collect(),
        }
    }

    fn is_known(&self) -> bool {
        !self.levels.is_empty()
    }
}

/// A level of each factor; `None` for the mean over its levels.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Regime([Option<usize>; 4]);

impl Regime {
    /// Every combination of levels and means of all factors but the last. Each
    /// level of the last beside all optimizers, at the rate found and in the
    /// mean over the rates.
    pub(super) fn all(factors: &[Factor; 4]) -> Vec<Self> {
        let mut regimes = vec![Self::default()];
        for (f, factor) in factors[..3].iter().enumerate() {
            let with = |regime: &Self| {
                let levels = (0..factor.levels.len()).map(Some);
                let mut regime = *regime;
                let set = move |level| {
                    regime.0[f] = level;
                    regime
                };
                std::iter::once(None).chain(levels).map(set)
            };
            regimes = regimes.iter().flat_map(with).collect();
        }
        let found = factors[RATE].levels.iter().position(|rate| rate == "1");
        let common: Vec<Self> = regimes
            .iter()
            .filter(|Self([_, budget, rate, _])| {
                budget.is_none() && (rate.is_none() || *rate == found)
            })
            .copied()
            .collect();
        for kind in 0..factors[KIND].levels.len() {
            regimes.extend(common.iter().map(|regime| {
                let mut regime = *regime;
                regime.0[KIND] = Some(kind);
                regime
            }));
        }
        regimes
    }

    /// The names of the levels.
    pub(super) fn names(&self, factors: &[Factor; 4]) -> [Option<String>; 4] {
        let name = |f: usize| self.0[f].map(|l| factors[f].levels[l].clone());
        [0, 1, 2, 3].map(name)
    }
}

/// Where the effects of one factor stand.
#[derive(Clone, Debug)]
struct Place {
    /// The term of its levels.
    term: usize,
    /// The term of its levels on each data set, where these differ from the
    /// other terms.
    on_data: Option<usize>,
    levels: usize,
}

/// Terms for all cells, for each level of each factor, for each optimizer at
/// each rate, for each data set, for each level on each data set, and for each
/// workload.
#[derive(Clone, Debug)]
pub(super) struct Design {
    terms: Vec<Term>,
    /// Of the data sets.
    clusters: Option<usize>,
    /// By factor, `None` for one that is not known.
    factors: Vec<Option<Place>>,
    /// The term of the optimizers at the rates, where both are known: which
    /// rate is best for a schedule differs between optimizers.
    joint: Option<usize>,
}

impl Design {
    /// `clusters` and `workloads` are those of each cell.
    pub(super) fn new(
        factors: &[Factor; 4],
        clusters: &[usize],
        workloads: &[usize],
    ) -> Self {
        let all = Term {
            context: vec![0; clusters.len()],
            contexts: 1,
            heavy: false,
        };
        let mut design = Self {
            terms: vec![all],
            clusters: None,
            factors: vec![],
            joint: None,
        };
        for factor in factors {
            let levels = factor.levels.len();
            let place = factor.is_known().then(|| {
                let context = factor.of_cell.clone();
                design.terms.push(Term {
                    context,
                    contexts: levels,
                    heavy: false,
                });
                Place { term: design.terms.len() - 1, on_data: None, levels }
            });
            design.factors.push(place);
        }
        let [optimizer, rate] = [&factors[OPTIMIZER], &factors[RATE]];
        if optimizer.is_known() && rate.is_known() {
            let both = optimizer.of_cell.iter().zip(&rate.of_cell);
            let rates = rate.levels.len();
            design.terms.push(Term {
                context: both.map(|(o, r)| o * rates + r).collect(),
                contexts: optimizer.levels.len() * rates,
                heavy: false,
            });
            design.joint = Some(design.terms.len() - 1);
        }
        design.clusters = design.add(clusters.iter());
        for (f, factor) in factors.iter().enumerate() {
            let on_data = design.add(clusters.iter().zip(&factor.of_cell));
            if let Some(place) = &mut design.factors[f] {
                place.on_data = on_data;
            }
        }
        design.add(workloads.iter());
        design
    }

    /// Adds a term of heavy tails, unless another one divides the cells alike
    /// or the residuals do; the number of the new one.
    fn add<T: Ord>(
        &mut self,
        contexts: impl Iterator<Item = T>,
    ) -> Option<usize> {
        let context = numbered(contexts);
        let contexts = context.iter().max().map_or(0, |most| most + 1);
        let is_there = |term: &Term| numbered(term.context.iter()) == context;
        if context.is_empty()
            || contexts == context.len()
            || self.terms.iter().any(is_there)
        {
            return None;
        }
        self.terms.push(Term { context, contexts, heavy: true });
        Some(self.terms.len() - 1)
    }

    pub(super) fn terms(&self) -> Vec<Term> {
        self.terms.clone()
    }

    /// The effects of `k` schedules in a regime, on data sets of all sorts;
    /// `effects` are those of all terms.
    pub(super) fn effects(
        &self,
        effects: &[Vec<f64>],
        regime: &Regime,
        k: usize,
    ) -> Vec<f64> {
        let mut sum = effects[0].clone();
        for (place, level) in self.factors.iter().zip(regime.0) {
            if let Some(place) = place {
                add(&mut sum, &effects[place.term], place.levels, level, k);
            }
        }
        if let Some(term) = self.joint {
            let levels = |f: usize| {
                self.factors[f].as_ref().map_or(0, |place| place.levels)
            };
            let rates = levels(RATE);
            let used: Vec<usize> = used(regime.0[OPTIMIZER], levels(OPTIMIZER))
                .flat_map(|o| {
                    used(regime.0[RATE], rates).map(move |r| o * rates + r)
                })
                .collect();
            average(&mut sum, &effects[term], &used, k);
        }
        sum
    }

    /// Effects of `k` schedules that a data set not seen would have of its
    /// own, by term: none for terms that are about all data sets.
    pub(super) fn new_data_set(
        &self,
        draw: &Draw,
        k: usize,
        rng: &mut impl Rng,
    ) -> Vec<Vec<f64>> {
        let mut own = vec![vec![]; self.terms.len()];
        let on_data = self.factors.iter().flatten();
        let on_data = on_data.filter_map(|p| Some((p.on_data?, p.levels)));
        let of_clusters = self.clusters.map(|term| (term, 1));
        for (term, levels) in on_data.chain(of_clusters) {
            let spread = draw.spreads[term];
            // Its degrees of freedom are positive.
            if let Ok(tail) = StudentT::new(TAILS) {
                own[term] = (0..levels * k)
                    .map(|_| spread * tail.sample(rng))
                    .collect();
            }
        }
        own
    }

    /// The effects of `k` schedules in a regime that a data set has of its
    /// own, from those by term.
    pub(super) fn own_effects(
        &self,
        own: &[Vec<f64>],
        regime: &Regime,
        k: usize,
    ) -> Vec<f64> {
        let mut sum = vec![0.0; k];
        if let Some(term) = self.clusters {
            add(&mut sum, &own[term], 1, None, k);
        }
        for (place, level) in self.factors.iter().zip(regime.0) {
            if let Some(Place { on_data: Some(term), levels, .. }) = place {
                add(&mut sum, &own[*term], *levels, level, k);
            }
        }
        sum
    }
}

/// Adds the effects at one level, or their mean over all `levels`.
fn add(
    sum: &mut [f64],
    effects: &[f64],
    levels: usize,
    level: Option<usize>,
    k: usize,
) {
    average(sum, effects, &used(level, levels).collect::<Vec<_>>(), k);
}

/// One level, or all of them.
fn used(level: Option<usize>, levels: usize) -> Range<usize> {
    level.map_or(0..levels, |level| level..level + 1)
}

/// Adds the mean of the effects at the levels `used`.
fn average(sum: &mut [f64], effects: &[f64], used: &[usize], k: usize) {
    let share = 1.0 / used.len() as f64;
    for level in used {
        let own = &effects[level * k..(level + 1) * k];
        sum.iter_mut().zip(own).for_each(|(sum, own)| *sum += share * own);
    }
}

/// Numbers from 0 for distinct values, in the order of their first places.
pub(super) fn numbered<T: Ord>(values: impl Iterator<Item = T>) -> Vec<usize> {
    let mut known = BTreeMap::new();
    let number = |value: T| {
        let next = known.len();
        *known.entry(value).or_insert(next)
    };
    values.map(number).collect()
}
