//! Grey pictures in noise, and of cellular automata.

use super::{Draws, Rows, classes_of};
use std::f64::consts::PI;

/// Disc, ring, square, frame, triangle, cross, bar or two dots on 16 x 16
/// pixels: anywhere, of any size and turn, in noise of 0.45.
pub(super) fn shapes(draws: &mut Draws, n: usize) -> Rows {
    const SIDE: usize = 16;
    let labels = draws.belows(8, n);
    let places = draws.uniforms(4 * n);
    let mut inputs = vec![];
    for (&label, place) in labels.iter().zip(places.chunks_exact(4)) {
        let radius = 3.0 + 3.0 * place[0];
        let turn = 2.0 * PI * place[1];
        let (cos, sin) = (libm::cos(turn), libm::sin(turn));
        for pixel in 0..SIDE * SIDE {
            let (row, column) = ((pixel / SIDE) as f64, (pixel % SIDE) as f64);
            let dx = column - 7.5 - (place[2] * 6.0 - 3.0);
            let dy = row - 7.5 - (place[3] * 6.0 - 3.0);
            let (a, b) = (cos * dx + sin * dy, -sin * dx + cos * dy);
            let grey = if covers(label, radius, a, b) { 1.0 } else { 0.0 };
            inputs.push(grey + 0.45 * draws.normal());
        }
    }
    (inputs, classes_of(labels.into_iter()))
}

/// Whether the shape of this size covers the point, in its own axes.
fn covers(shape: usize, r: f64, a: f64, b: f64) -> bool {
    let distance = (a * a + b * b).sqrt();
    let side = a.abs().max(b.abs());
    match shape {
        0 => distance < r,
        1 => distance < r && distance > r - 1.6,
        2 => side < 0.85 * r,
        3 => side < 0.85 * r && side > 0.85 * r - 1.5,
        4 => {
            let edges = [b, -0.5 * b + 0.866 * a, -0.5 * b - 0.866 * a];
            edges.iter().all(|&edge| edge < 0.55 * r)
        }
        5 => (a.abs() < 0.9 || b.abs() < 0.9) && side < r,
        6 => a.abs() < 1.1 && b.abs() < r,
        _ => {
            let dot = |middle: f64| libm::hypot(a - middle, b) < 0.42 * r;
            dot(0.6 * r) || dot(-0.6 * r)
        }
    }
}

/// Which two of six directions the gratings on 12 x 12 pixels have; waves and
/// phases are random, the noise is 2.
pub(super) fn gratings(draws: &mut Draws, n: usize) -> Rows {
    const SIDE: usize = 12;
    let pairs: Vec<[usize; 2]> =
        (0..6).flat_map(|i| (i + 1..6).map(move |j| [i, j])).collect();
    let labels = draws.belows(pairs.len(), n);
    let waves = draws.uniforms(6 * n);
    let mut inputs = vec![];
    for (&label, wave) in labels.iter().zip(waves.chunks_exact(6)) {
        let gratings = [0, 1].map(|g| {
            let turn = pairs[label][g] as f64 + wave[3 * g] - 0.5;
            let angle = PI * turn / 6.0;
            let (cos, sin) = (libm::cos(angle), libm::sin(angle));
            (cos, sin, 0.12 + 0.18 * wave[3 * g + 1], wave[3 * g + 2])
        });
        for pixel in 0..SIDE * SIDE {
            let (y, x) = ((pixel / SIDE) as f64, (pixel % SIDE) as f64);
            let height =
                |&(cos, sin, frequency, phase): &(f64, f64, f64, f64)| {
                    let turns = frequency * (cos * x + sin * y) + phase;
                    libm::sin(2.0 * PI * turns)
                };
            let sum: f64 = gratings.iter().map(height).sum();
            inputs.push(sum + 2.0 * draws.normal());
        }
    }
    (inputs, classes_of(labels.into_iter()))
}

/// The temperature of 16 x 16 spins on a torus, after 30 sweeps of the heat
/// bath over first one, then the other colour of a chessboard.
pub(super) fn ising(draws: &mut Draws, n: usize) -> Rows {
    const SIDE: usize = 16;
    const CELLS: usize = SIDE * SIDE;
    const TEMPERATURES: [f64; 6] = [1.9, 2.15, 2.35, 2.6, 3.0, 3.8];
    let labels = draws.belows(TEMPERATURES.len(), n);
    let sign = |up: bool| if up { 1_i8 } else { -1 };
    let mut spins: Vec<i8> =
        draws.belows(2, CELLS * n).into_iter().map(|b| sign(b == 1)).collect();
    // The chance to point up, by the sum of the neighbours: -4, -2, ..., 4.
    let chances = TEMPERATURES.map(|temperature| {
        [-4.0, -2.0, 0.0, 2.0, 4.0].map(|field: f64| {
            1.0 / (1.0 + libm::exp(-2.0 * field / temperature))
        })
    });
    let of_colour = |odd: usize| {
        (0..CELLS).filter(move |i| (i / SIDE + i % SIDE) % 2 == odd)
    };
    let order: Vec<usize> = of_colour(1).chain(of_colour(0)).collect();
    let neighbours: Vec<[usize; 4]> = (0..CELLS)
        .map(|i| {
            let (row, column) = (i / SIDE * SIDE, i % SIDE);
            [
                row + (column + 1) % SIDE,
                row + (column + SIDE - 1) % SIDE,
                (row + SIDE) % CELLS + column,
                (row + CELLS - SIDE) % CELLS + column,
            ]
        })
        .collect();
    let mut uniforms = [0.0; CELLS];
    for _ in 0..30 {
        for (spins, &label) in spins.chunks_exact_mut(CELLS).zip(&labels) {
            uniforms.fill_with(|| draws.uniform());
            for &i in &order {
                let field: i8 = neighbours[i].iter().map(|&j| spins[j]).sum();
                let index = usize::try_from((field + 4) / 2).unwrap_or(0);
                spins[i] = sign(uniforms[i] < chances[label][index]);
            }
        }
    }
    let inputs = spins.into_iter().map(f64::from).collect();
    (inputs, classes_of(labels.into_iter()))
}

/// Whether the middle of 5 x 5 cells is alive after two steps of Conway's
/// rule, cells outside being dead. 12,000 of each answer; a twentieth of the
/// labels are drawn anew.
pub(super) fn life(draws: &mut Draws) -> Rows {
    const SIDE: usize = 5;
    const CELLS: usize = SIDE * SIDE;
    const TRIED: usize = 70_000;
    const EACH: usize = 12_000;
    let densities = draws.uniforms(TRIED);
    let cells = draws.uniforms(CELLS * TRIED);
    let mut seen = [0; 2];
    let mut kept = vec![];
    for (density, cells) in densities.iter().zip(cells.chunks_exact(CELLS)) {
        let start: [bool; CELLS] =
            std::array::from_fn(|i| cells[i] < 0.25 + 0.3 * density);
        let end = generation::<SIDE, CELLS>(&generation::<SIDE, CELLS>(&start));
        let label = usize::from(end[CELLS / 2]);
        if seen[label] < EACH {
            seen[label] += 1;
            kept.push((start, label));
        }
    }
    let order = draws.shuffle(kept.len());
    let alive = |i: &usize| kept[*i].0.map(|cell| f64::from(u8::from(cell)));
    let inputs = order.iter().flat_map(alive).collect();
    let labels: Vec<usize> = order.iter().map(|&i| kept[i].1).collect();
    (inputs, draws.flip(&labels, 2, 0.05))
}

/// The next generation.
fn generation<const SIDE: usize, const CELLS: usize>(
    cells: &[bool; CELLS],
) -> [bool; CELLS] {
    let near = |a: usize, b: usize| a.abs_diff(b) <= 1;
    std::array::from_fn(|i| {
        let beside = (0..CELLS).filter(|&j| {
            let rows = near(i / SIDE, j / SIDE);
            j != i && rows && near(i % SIDE, j % SIDE) && cells[j]
        });
        let count = beside.count();
        count == 3 || cells[i] && count == 2
    })
}
