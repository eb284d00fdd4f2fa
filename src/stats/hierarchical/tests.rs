use super::*;
use rand::Rng;
use rand_distr::{Distribution as _, StandardNormal, StudentT};
use statrs::distribution::{ChiSquared, ContinuousCDF as _};

const TREATMENTS: usize = 4;
const CLUSTERS: usize = 8;
const LEVELS: usize = 2;

fn normal(rng: &mut impl Rng) -> f64 {
    StandardNormal.sample(rng)
}

fn t(degrees: f64, rng: &mut impl Rng) -> f64 {
    StudentT::new(degrees).expect("positive").sample(rng)
}

/// A study whose truth is drawn from the prior: the truth as a draw, and what
/// was seen of it. Of every other block, the `worst` largest scores are known
/// as being above the others.
fn simulated(worst: usize, rng: &mut impl Rng) -> (Draw, Model) {
    let scale = 0.1;
    let blocks = CLUSTERS * LEVELS;
    let term = |context: Vec<usize>, contexts, heavy| Term {
        context,
        contexts,
        heavy,
    };
    let terms = vec![
        term(vec![0; blocks], 1, false),
        term((0..blocks).map(|i| i % LEVELS).collect(), LEVELS, false),
        term((0..blocks).map(|i| i / LEVELS).collect(), CLUSTERS, true),
    ];
    let spread = |rng: &mut _| scale * t(3.0, rng).abs();
    let spreads: Vec<f64> = (0..=terms.len()).map(|_| spread(rng)).collect();
    let effects: Vec<Vec<f64>> = terms
        .iter()
        .zip(&spreads)
        .map(|(term, spread)| {
            let deviate = |_| {
                let z = if term.heavy { t(TAILS, rng) } else { normal(rng) };
                spread * z
            };
            (0..term.contexts * TREATMENTS).map(deviate).collect()
        })
        .collect();
    let residual = spreads[terms.len()];
    let mut seen = vec![];
    for i in 0..blocks {
        let level = 3.0 * normal(rng);
        let mut score = |j: usize| {
            let effects = terms.iter().zip(&effects);
            let fit = effects
                .map(|(term, of)| of[term.context[i] * TREATMENTS + j])
                .sum::<f64>();
            level + fit + residual * t(TAILS, rng)
        };
        let mut block: Vec<(usize, Score)> =
            (0..TREATMENTS).map(|j| (j, Score::Exact(score(j)))).collect();
        let worst = if i % 2 == 0 { worst } else { 0 };
        for _ in 0..worst {
            hide_largest(&mut block);
        }
        seen.push(block);
    }
    let truth = Draw { effects, spreads };
    let model = Model { treatments: TREATMENTS, blocks: seen, terms, scale };
    (truth, model)
}

/// Makes the largest score of a block one that is above the others.
fn hide_largest(block: &mut [(usize, Score)]) {
    let exact = |score: &Score| match *score {
        Score::Exact(y) => y,
        Score::Above(_) => f64::NEG_INFINITY,
    };
    block.sort_by(|a, b| exact(&b.1).total_cmp(&exact(&a.1)));
    let bound = exact(&block[1].1);
    block[0].1 = Score::Above(bound);
    let hidden = |score: &mut Score| {
        if let Score::Above(above) = score {
            *above = bound;
        }
    };
    for (_, score) in block.iter_mut() {
        hidden(score);
    }
}

/// Quantities whose posterior is checked.
fn quantities(effects: [&[f64]; 3], spreads: &[f64]) -> [f64; 7] {
    let [all, levels, clusters] = effects;
    [
        all[0] - all[1],
        levels[0] - levels[1],
        clusters[0] - clusters[1],
        spreads[0],
        spreads[1],
        spreads[2],
        spreads[3],
    ]
}

/// Simulation-based calibration: over truths drawn from the prior, the rank
/// of the truth among draws from its posterior is uniform.
///
/// Source: Talts et al., *Validating Bayesian inference algorithms with
/// simulation-based calibration* (2018).
fn ranks_are_uniform(worst: usize, studies: u64) {
    const THIN: usize = 10;
    const DRAWS: usize = 99;
    const BINS: usize = 10;
    let mut counts = [[0.0; BINS]; 7];
    for study in 0..studies {
        let mut rng = stream(study, "calibration");
        let (truth, model) = simulated(worst, &mut rng);
        let mut chain = Chain::new(&model, &mut rng);
        (0..2000).for_each(|_| chain.sweep(&mut rng));
        let all = [0, 1, 2].map(|t| &*truth.effects[t]);
        let truth = quantities(all, &truth.spreads);
        let mut ranks = [0; 7];
        for _ in 0..DRAWS {
            (0..THIN).for_each(|_| chain.sweep(&mut rng));
            let all = [0, 1, 2].map(|t| &*chain.terms[t].values);
            let drawn = quantities(all, &chain.draw().spreads);
            for (rank, (drawn, truth)) in
                ranks.iter_mut().zip(drawn.iter().zip(truth))
            {
                *rank += usize::from(*drawn < truth);
            }
        }
        for (counts, rank) in counts.iter_mut().zip(ranks) {
            counts[rank * BINS / (DRAWS + 1)] += 1.0;
        }
    }
    let expected = studies as f64 / BINS as f64;
    let uniform = ChiSquared::new(BINS as f64 - 1.0).expect("positive");
    for (quantity, counts) in counts.iter().enumerate() {
        let squares = counts.iter().map(|c| (c - expected) * (c - expected));
        let p = uniform.sf(squares.sum::<f64>() / expected);
        assert!(p > 0.001, "quantity {quantity}: p = {p}, {counts:?}");
    }
}

#[test]
fn ranks_of_planted_truths_are_uniform() {
    ranks_are_uniform(0, 400);
}

#[test]
fn so_are_they_where_the_worst_are_known_by_a_bound() {
    ranks_are_uniform(2, 400);
}

#[test]
fn a_planted_difference_is_found() {
    let mut rng = stream(7, "planted");
    let (_, mut model) = simulated(0, &mut rng);
    for block in &mut model.blocks {
        let level = normal(&mut rng);
        for (j, score) in block.iter_mut() {
            let effect = [0.0, 0.1, 0.2, 0.2][*j];
            *score = Score::Exact(level + effect + 0.02 * normal(&mut rng));
        }
    }
    let chains = model.posterior(0, 500, 0, |_| false);
    let differences = |a: usize, b: usize| -> Vec<Vec<f64>> {
        let own = |draw: &Draw| draw.effects[0][b] - draw.effects[0][a];
        chains.iter().map(|chain| chain.iter().map(own).collect()).collect()
    };
    for (a, b, planted) in [(0, 1, 0.1), (0, 2, 0.2), (2, 3, 0.0)] {
        let found = differences(a, b);
        let sequences: Vec<&[f64]> = found.iter().map(|c| &**c).collect();
        assert!(split_r_hat(&sequences) < 1.05);
        let all = found.concat();
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        assert!((mean - planted).abs() < 0.02, "{b} - {a}: {mean}");
    }
}

#[test]
fn chains_agree_where_most_scores_are_unknown() {
    let mut rng = stream(3, "unknown");
    let (_, mut model) = simulated(0, &mut rng);
    for (i, block) in model.blocks.iter_mut().enumerate() {
        let level = normal(&mut rng);
        for (j, score) in block.iter_mut() {
            let y = level + [0.0, 0.1, 0.2, 0.3][*j] + 0.02 * normal(&mut rng);
            *score = Score::Exact(y);
        }
        // At every other level, only the best of them is known.
        (0..3 * (i % LEVELS)).for_each(|_| hide_largest(block));
    }
    let chains = model.posterior(0, 500, 0, |_| false);
    for j in 1..TREATMENTS {
        let difference = |draw: &Draw| {
            let of =
                |j: usize| draw.effects[0][j] + draw.effects[1][TREATMENTS + j];
            of(j) - of(0)
        };
        let found: Vec<Vec<f64>> = chains
            .iter()
            .map(|chain| chain.iter().map(difference).collect())
            .collect();
        let sequences: Vec<&[f64]> = found.iter().map(|c| &**c).collect();
        let r_hat = split_r_hat(&sequences);
        assert!(r_hat < MOST_R_HAT, "{j}: {r_hat}");
    }
}

#[test]
fn the_same_seed_gives_the_same_draws() {
    let (_, model) = simulated(1, &mut stream(1, "same"));
    let [a, b] = [0, 0].map(|seed| model.posterior(seed, 20, 0, |_| false));
    let last = |chains: &[Vec<Draw>]| chains[3][19].effects.clone();
    assert_eq!(last(&a), last(&b));
}

#[test]
fn chains_that_do_not_agree_go_on() {
    let (_, model) = simulated(1, &mut stream(1, "same"));
    let asked = std::cell::Cell::new(0);
    let run = |most, agree: usize| {
        asked.set(0);
        let drawn = model.posterior(0, 20, most, |drawn| {
            assert_eq!(drawn.iter().map(Vec::len).sum::<usize>(), 4 * 20);
            asked.set(asked.get() + 1);
            asked.get() == agree
        });
        (asked.get(), drawn[0][0].effects[0][0])
    };
    let [first, second, third] = [1, 2, 3].map(|agree| run(9999, agree));
    assert_eq!((first.0, second.0, third.0), (1, 2, 3));
    assert!(first.1 != second.1 && second.1 != third.1);
    // 20 thrown away and 20 + 80 + 320 drawn.
    assert_eq!(run(440, 9), (2, third.1));
    assert_eq!(run(439, 9), (1, second.1));
    assert_eq!(run(119, 9), (0, first.1));
}

#[test]
fn r_hat_sees_chains_that_disagree() {
    let chain = |from: f64| -> Vec<f64> {
        (0..50).map(|i| from + f64::from(i % 5)).collect()
    };
    assert!(split_r_hat(&[&chain(0.0), &chain(0.0)]) <= 1.0);
    assert!(split_r_hat(&[&chain(0.0), &chain(9.0)]) > 3.0);
}

#[test]
fn shares_of_the_tail_are_those_of_students_t() {
    let t = statrs::distribution::StudentsT::new(0.0, 1.0, TAILS);
    let t = t.expect("positive");
    for x in [-40.0, -3.0, -0.5, 0.0, 0.1, 1.0, 2.776, 10.0, 300.0] {
        let (ours, theirs) = (sampler::tail_beyond(x), t.sf(x));
        assert!((ours / theirs - 1.0).abs() < 1e-6, "{x}: {ours} {theirs}");
    }
    // Half of what is above a bound is above the median of the rest.
    let mut rng = stream(2, "tail");
    for bound in [-2.0, 0.3, 5.0, 1e4] {
        let mut deviates: Vec<f64> =
            (0..4001).map(|_| sampler::tail_above(bound, &mut rng)).collect();
        deviates.sort_by(f64::total_cmp);
        assert!(deviates[0] >= bound);
        let half = sampler::tail_beyond(deviates[2000]);
        let half = half / sampler::tail_beyond(bound);
        assert!((half - 0.5).abs() < 0.04, "{bound}: {half}");
    }
}
