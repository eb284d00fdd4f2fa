//! The generated data sets.

use super::SetKind::{
    Algorithm, Forecast, Picture, Points, Regression, Sequence, Signal,
};
use super::{Form, Set, Target, set};

pub(super) static SETS: &[Set] = &[
    set(
        Signal,
        "mnist1d",
        Form::Signal(1, 40),
        Target::Classes(10),
        [3500, 500, 1000],
    )
    .about("digits as signals"),
    set(
        Regression,
        "teacher-student",
        Form::Rows(32),
        Target::Values(1),
        [8000, 1000, 2000],
    )
    .about("a random net with one hidden layer")
    .like("smooth functions"),
    set(
        Regression,
        "power-law",
        Form::Rows(64),
        Target::Values(1),
        [4000, 1000, 1000],
    )
    .about("a linear function of features with a power-law spectrum"),
    set(
        Algorithm,
        "parity",
        Form::Rows(40),
        Target::Classes(2),
        [20_000, 2000, 2000],
    )
    .about("parity of 4 of 40 bits, a tenth of the labels at random")
    .like("Boolean functions"),
    set(
        Algorithm,
        "dnf",
        Form::Rows(30),
        Target::Classes(2),
        [10_000, 2000, 2000],
    )
    .about("any of 16 conjunctions, a tenth of the labels at random")
    .like("Boolean functions"),
    set(
        Algorithm,
        "modular",
        Form::Switches(142),
        Target::Classes(71),
        [3441, 800, 800],
    )
    .about("sums modulo 71"),
    set(
        Algorithm,
        "krk",
        Form::Switches(48),
        Target::Classes(18),
        [18_000, 4000, 6056],
    )
    .about("moves to mate with king and rook against king"),
    set(
        Algorithm,
        "poker",
        Form::Switches(85),
        Target::Classes(6),
        [10_000, 2500, 2500],
    )
    .about("poker hands"),
    set(
        Points,
        "spirals",
        Form::Rows(8),
        Target::Classes(5),
        [5000, 2000, 2000],
    )
    .about("five arms of a spiral, among six columns of noise"),
    set(
        Points,
        "checkerboard",
        Form::Rows(2),
        Target::Classes(3),
        [8000, 2000, 2000],
    )
    .about("colours of a board, a tenth of the labels at random"),
    set(
        Points,
        "prototypes",
        Form::Rows(12),
        Target::Classes(10),
        [10_000, 2000, 2000],
    )
    .about("the nearest of 120 points, 5 % of the labels at random"),
    set(
        Points,
        "mandelbrot",
        Form::Rows(38),
        Target::Values(1),
        [10_000, 2000, 2000],
    )
    .about("log(1 + steps) to leave the Mandelbrot set"),
    set(
        Regression,
        "friedman",
        Form::Rows(10),
        Target::Values(1),
        [5000, 2000, 2000],
    )
    .about("Friedman's first function, with noise"),
    set(
        Regression,
        "arm",
        Form::Rows(8),
        Target::Values(1),
        [8000, 2000, 2000],
    )
    .about("the reach of an arm with eight joints"),
    set(
        Regression,
        "waves",
        Form::Rows(5),
        Target::Values(1),
        [8000, 2000, 2000],
    )
    .about("a sample of a Gaussian process, with noise")
    .like("smooth functions"),
    set(
        Regression,
        "pendulum",
        Form::Rows(4),
        Target::Values(4),
        [8000, 2000, 2000],
    )
    .about("the angles of a double pendulum 1.5 seconds later"),
    set(
        Regression,
        "burgers",
        Form::Signal(1, 32),
        Target::Values(32),
        [4000, 1000, 1000],
    )
    .about("Burgers' equation from t = 0 to 0.5"),
    set(
        Forecast,
        "lorenz",
        Form::Signal(1, 8),
        Target::Values(1),
        [8000, 2000, 2000],
    )
    .about("the Lorenz system 0.6 ahead, with noise")
    .like("chaos"),
    set(
        Forecast,
        "mackey",
        Form::Signal(1, 10),
        Target::Values(1),
        [6500, 1500, 2000],
    )
    .about("the Mackey-Glass series 60 ahead, with noise")
    .like("chaos"),
    set(
        Signal,
        "processes",
        Form::Signal(1, 48),
        Target::Classes(8),
        [6000, 1500, 1500],
    )
    .about("eight random processes"),
    set(
        Picture,
        "shapes",
        Form::Picture(16),
        Target::Classes(8),
        [8000, 1500, 1500],
    )
    .about("shapes of any size and turn, in noise"),
    set(
        Picture,
        "gratings",
        Form::Picture(12),
        Target::Classes(15),
        [8000, 1500, 1500],
    )
    .about("directions of two gratings, in noise"),
    set(
        Picture,
        "ising",
        Form::Picture(16),
        Target::Classes(6),
        [8000, 1500, 1500],
    )
    .about("temperatures of the Ising model"),
    set(
        Picture,
        "life",
        Form::Picture(5),
        Target::Classes(2),
        [20_000, 2000, 2000],
    )
    .about("Conway's rule, two steps; 5 % of the labels at random")
    .like("Boolean functions"),
    set(
        Sequence,
        "markov",
        Form::Text(32),
        Target::Characters(17),
        [3000, 500, 500],
    )
    .about("a Markov chain of second order"),
    set(
        Sequence,
        "brackets",
        Form::Text(32),
        Target::Characters(9),
        [6000, 1000, 1000],
    )
    .about("brackets of four kinds that match"),
    set(
        Sequence,
        "grammar",
        Form::Text(24),
        Target::Characters(44),
        [9000, 1500, 1500],
    )
    .about("sentences whose verbs agree with their subjects"),
    set(
        Sequence,
        "sorting",
        Form::Text(17),
        Target::Characters(18),
        [10_000, 2000, 2000],
    )
    .about("eight letters, of which a tenth is misread, in order"),
];
