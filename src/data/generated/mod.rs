//! The data sets of the study that are generated. Each is the same on every
//! machine: its numbers come from a generator of its own, and its functions
//! from `libm` instead of the machine's library.
//!
//! `boolean`, `chess`, `points`, `regression`, `series`, `pictures` and
//! `sequences` have the recipes. They draw whole columns at once, in the order
//! of the reference implementation in `tests/golden/procedural.py`.

mod boolean;
mod chess;
mod pictures;
mod points;
mod regression;
mod sequences;
mod series;

use super::plain::{Plain, Targets};
use crate::seed::SplitMix;
use crate::spec::{Form, Set, Target};
use std::f64::consts::PI;

/// Inputs of all rows, row-major, and what is predicted of each row.
type Rows = (Vec<f64>, Targets);

/// Generates `set`.
pub(super) fn load(set: &Set) -> Plain {
    let draws = &mut Draws(SplitMix::named(set.name));
    let n = set.rows.iter().sum();
    let (inputs, targets) = match set.name {
        "parity" => boolean::parity(draws, n),
        "dnf" => boolean::dnf(draws, n),
        "modular" => boolean::modular(draws),
        "poker" => boolean::poker(draws),
        "krk" => chess::krk(draws),
        "spirals" => points::spirals(draws, n),
        "checkerboard" => points::checkerboard(draws, n),
        "prototypes" => points::prototypes(draws, n),
        "mandelbrot" => points::mandelbrot(draws, n),
        "friedman" => regression::friedman(draws, n),
        "arm" => regression::arm(draws, n),
        "waves" => regression::waves(draws, n),
        "pendulum" => regression::pendulum(draws, n),
        "burgers" => regression::burgers(draws, n),
        "lorenz" => series::lorenz(draws, n),
        "mackey" => series::mackey(draws, n),
        "processes" => series::processes(draws, n),
        "shapes" => pictures::shapes(draws, n),
        "gratings" => pictures::gratings(draws, n),
        "ising" => pictures::ising(draws, n),
        "life" => pictures::life(draws),
        "markov" => return tokens(set, 0, sequences::markov(draws, n)),
        "brackets" => return tokens(set, 0, sequences::brackets(draws, n)),
        "grammar" => return tokens(set, 0, sequences::grammar(draws, n)),
        "sorting" => {
            return tokens(set, sequences::GIVEN, sequences::sorting(draws, n));
        }
        other => unreachable!("no recipe for {other}"),
    };
    let inputs: Vec<f32> = inputs.into_iter().map(narrow).collect();
    Plain::cut(set, &inputs, &targets)
}

/// Sequences of tokens, filled up with 0. The first `given` are no targets.
fn tokens(set: &Set, given: usize, tokens: Vec<u32>) -> Plain {
    let (Form::Text(context), Target::Characters(vocabulary)) =
        (set.form, set.target)
    else {
        unreachable!("{set:?} has no sequences");
    };
    let mut rest = tokens.as_slice();
    let parts = set.rows.map(|rows| {
        let (part, after) = rest.split_at(rows * context);
        rest = after;
        part.to_vec()
    });
    Plain::sequences(context, vocabulary, 0, given, parts)
}

/// Random numbers of one recipe.
struct Draws(SplitMix);

impl Draws {
    /// Uniform in `[0, 1)`.
    fn uniform(&mut self) -> f64 {
        self.0.uniform()
    }

    /// `n` of them.
    fn uniforms(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| self.uniform()).collect()
    }

    /// Uniform in `0 .. k`.
    fn below(&mut self, k: usize) -> usize {
        floor(k as f64 * self.uniform())
    }

    /// `n` of them.
    fn belows(&mut self, k: usize, n: usize) -> Vec<usize> {
        (0..n).map(|_| self.below(k)).collect()
    }

    /// Standard normal, by Box and Muller.
    fn normal(&mut self) -> f64 {
        let (u, v) = (self.uniform(), self.uniform());
        (-2.0 * libm::log1p(-u)).sqrt() * libm::cos(2.0 * PI * v)
    }

    /// `n` of them.
    fn normals(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| self.normal()).collect()
    }

    /// A permutation of `0 .. n`, by Fisher and Yates from the end.
    fn shuffle(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            let j = self.below(i + 1);
            order.swap(i, j);
        }
        order
    }

    /// `labels`, of which the share `noise` is drawn anew from all classes.
    fn flip(
        &mut self,
        labels: &[usize],
        classes: usize,
        noise: f64,
    ) -> Targets {
        let chance = self.uniforms(labels.len());
        let other = self.belows(classes, labels.len());
        let label = |i: usize| {
            if chance[i] < noise { other[i] } else { labels[i] }
        };
        classes_of((0..labels.len()).map(label))
    }
}

fn classes_of(labels: impl Iterator<Item = usize>) -> Targets {
    Targets::Classes(labels.map(token).collect())
}

fn token(small: usize) -> u32 {
    u32::try_from(small).expect("a class or token")
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a small number from 0"
)]
fn floor(x: f64) -> usize {
    x as usize
}

#[expect(clippy::cast_possible_truncation, reason = "tensors are f32")]
fn narrow(x: f64) -> f32 {
    x as f32
}
