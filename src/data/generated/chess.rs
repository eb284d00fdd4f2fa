//! King and rook against king.

use super::{Draws, Rows, classes_of};

const SQUARES: usize = 64;
/// The class of positions that White cannot win.
const DRAW: usize = 17;

/// White king, rook, black king.
type Position = [usize; 3];

/// Moves to mate with king and rook against king, Black to move: 0 to 16, or
/// 17 for a draw. The files and ranks of the three pieces are one-hot.
/// Positions are taken up to symmetry, all 28,056 of them.
pub(super) fn krk(draws: &mut Draws) -> Rows {
    let depths = depths();
    let mut positions: Vec<Position> =
        legal().filter(|position| stands_for_its_mirrors(*position)).collect();
    let order = draws.shuffle(positions.len());
    positions = order.into_iter().map(|i| positions[i]).collect();
    let mut inputs = vec![0.0; positions.len() * 48];
    for (row, position) in inputs.chunks_exact_mut(48).zip(&positions) {
        for (cells, square) in row.chunks_exact_mut(16).zip(position) {
            cells[square % 8] = 1.0;
            cells[8 + square / 8] = 1.0;
        }
    }
    let depth = |p: &Position| depths[index(*p)].unwrap_or(DRAW);
    (inputs, classes_of(positions.iter().map(depth)))
}

/// The white king is in the triangle a1-d1-d4; where it is on the diagonal,
/// the position is not after its mirror image.
fn stands_for_its_mirrors(position: Position) -> bool {
    let (file, rank) = (position[0] % 8, position[0] / 8);
    let seen = position.map(|square| (square % 8, square / 8));
    let mirrored = position.map(|square| (square / 8, square % 8));
    file <= 3 && rank <= file && (rank != file || seen <= mirrored)
}

fn index([king, rook, black]: Position) -> usize {
    (king * SQUARES + rook) * SQUARES + black
}

/// Three different squares, the kings not side by side.
fn legal() -> impl Iterator<Item = Position> {
    let pairs = (0..SQUARES * SQUARES).flat_map(|pair| {
        (0..SQUARES).map(move |black| [pair / SQUARES, pair % SQUARES, black])
    });
    pairs.filter(|&[king, rook, black]| {
        king != rook && rook != black && distance(king, black) > 1
    })
}

/// Moves of a king between two squares.
fn distance(a: usize, b: usize) -> usize {
    (a / 8).abs_diff(b / 8).max((a % 8).abs_diff(b % 8))
}

/// Squares a king's move away.
fn around(square: usize) -> impl Iterator<Item = usize> {
    (0..SQUARES).filter(move |&other| distance(square, other) == 1)
}

/// Free squares that the rook reaches, between the two kings.
fn lines([king, rook, black]: Position) -> impl Iterator<Item = usize> {
    [(1, 0), (-1, 0), (0, 1), (0, -1)].into_iter().flat_map(
        move |(right, up)| {
            let step = move |square: &usize| {
                let file = (square % 8).checked_add_signed(right)?;
                let rank = (square / 8).checked_add_signed(up)?;
                (file < 8 && rank < 8).then_some(8 * rank + file)
            };
            std::iter::successors(step(&rook), step)
                .take_while(move |&square| square != king && square != black)
        },
    )
}

/// Whether the rook attacks `target`, with the white king alone in its way.
fn attacks(king: usize, rook: usize, target: usize) -> bool {
    let between = |a: usize, x: usize, b: usize| a.min(b) < x && x < a.max(b);
    let (file, rank) = (rook % 8, rook / 8);
    if rook == target {
        return false;
    }
    if target / 8 == rank {
        return !(king / 8 == rank && between(file, king % 8, target % 8));
    }
    target % 8 == file
        && !(king % 8 == file && between(rank, king / 8, target / 8))
}

/// Moves to mate of each position, by retrograde analysis; `None` for draws.
fn depths() -> Vec<Option<usize>> {
    let cells = SQUARES * SQUARES * SQUARES;
    let mut depths = vec![None; cells];
    // Moves to mate with White to move.
    let mut white: Vec<Option<usize>> = vec![None; cells];
    let mut open = vec![];
    let mut fresh = vec![];
    for position @ [king, rook, black] in legal() {
        let moves = replies(position);
        if !moves.is_empty() {
            open.push((position, moves));
        } else if attacks(king, rook, black) {
            depths[index(position)] = Some(0);
            fresh.push(position);
        }
    }
    let mut depth = 0;
    while !fresh.is_empty() {
        depth += 1;
        for &position @ [king, rook, black] in &fresh {
            let kings = around(king)
                .filter(|&k| k != rook && distance(k, black) > 1)
                .map(|k| [k, rook, black]);
            let rooks = lines(position).map(|r| [king, r, black]);
            for before in kings.chain(rooks) {
                white[index(before)].get_or_insert(depth);
            }
        }
        fresh.clear();
        open.retain(|(position, moves)| {
            let lost = moves.iter().all(|&[king, rook, black]| {
                // The rook is taken, or White has no mate from there yet.
                rook != black && white[index([king, rook, black])].is_some()
            });
            if lost {
                depths[index(*position)] = Some(depth);
                fresh.push(*position);
            }
            !lost
        });
    }
    depths
}

/// What Black's king can go to: not beside the white king, nor onto a line of
/// the rook; it can take the rook.
fn replies([king, rook, black]: Position) -> Vec<Position> {
    around(black)
        .filter(|&square| {
            distance(square, king) > 1
                && (square == rook || !attacks(king, rook, square))
        })
        .map(|square| [king, rook, square])
        .collect()
}
