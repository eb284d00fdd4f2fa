//! Rules over bits, numbers and cards.

use super::{Draws, Rows, classes_of};

/// Whether an odd number of four of 40 bits are set; a tenth of the labels are
/// drawn anew.
pub(super) fn parity(draws: &mut Draws, n: usize) -> Rows {
    let bits = draws.belows(2, n * 40);
    let odd = |row: &[usize]| row[3] ^ row[11] ^ row[17] ^ row[29];
    let labels: Vec<usize> = bits.chunks_exact(40).map(odd).collect();
    (signs(&bits), draws.flip(&labels, 2, 0.1))
}

/// Whether one of 16 conjunctions of four of 30 bits holds; a tenth of the
/// labels are drawn anew.
pub(super) fn dnf(draws: &mut Draws, n: usize) -> Rows {
    let terms: Vec<_> = (0..16)
        .map(|_| {
            let mut places = draws.shuffle(30);
            places.truncate(4);
            (places, draws.belows(2, 4))
        })
        .collect();
    let bits = draws.belows(2, n * 30);
    let holds = |row: &[usize]| {
        terms.iter().any(|(places, wanted)| {
            places.iter().zip(wanted).all(|(&at, &bit)| row[at] == bit)
        })
    };
    let labels: Vec<usize> =
        bits.chunks_exact(30).map(|row| usize::from(holds(row))).collect();
    (signs(&bits), draws.flip(&labels, 2, 0.1))
}

/// Sums modulo 71 of all pairs, one-hot.
pub(super) fn modular(draws: &mut Draws) -> Rows {
    const P: usize = 71;
    let order = draws.shuffle(P * P);
    let mut inputs = vec![0.0; P * P * 2 * P];
    for (row, pair) in inputs.chunks_exact_mut(2 * P).zip(&order) {
        row[pair / P] = 1.0;
        row[P + pair % P] = 1.0;
    }
    let sums = order.iter().map(|pair| (pair / P + pair % P) % P);
    (inputs, classes_of(sums))
}

/// Kinds of poker hands, 2,500 of each: nothing, a pair, two pairs, three of a
/// kind, straight or flush, full house or four of a kind. Rank and suit of
/// each card are one-hot.
pub(super) fn poker(draws: &mut Draws) -> Rows {
    const EACH: usize = 2500;
    const CARD: usize = 13 + 4;
    let mut seen = [0; 6];
    let mut hands = vec![];
    while seen.iter().any(|&n| n < EACH) {
        let mut deck: Vec<usize> = (0..52).collect();
        let hand = [52, 51, 50, 49, 48].map(|n| deck.remove(draws.below(n)));
        let kind = kind_of(&hand);
        if seen[kind] < EACH {
            seen[kind] += 1;
            hands.push((hand, kind));
        }
    }
    let order = draws.shuffle(hands.len());
    let mut inputs = vec![0.0; hands.len() * 5 * CARD];
    for (row, &hand) in inputs.chunks_exact_mut(5 * CARD).zip(&order) {
        for (cells, card) in row.chunks_exact_mut(CARD).zip(hands[hand].0) {
            cells[card % 13] = 1.0;
            cells[13 + card / 13] = 1.0;
        }
    }
    (inputs, classes_of(order.iter().map(|&hand| hands[hand].1)))
}

fn kind_of(hand: &[usize; 5]) -> usize {
    let mut ranks = hand.map(|card| card % 13);
    ranks.sort_unstable();
    let mut counts = [0; 13];
    for rank in ranks {
        counts[rank] += 1;
    }
    let groups = |size| counts.iter().filter(|&&n| n == size).count();
    let flush = hand.iter().all(|card| card / 13 == hand[0] / 13);
    let in_turn = ranks[4] - ranks[0] == 4 || ranks == [0, 9, 10, 11, 12];
    match (groups(4), groups(3), groups(2)) {
        (1, _, _) | (_, 1, 1) => 5,
        (0, 0, 0) if flush || in_turn => 4,
        (_, 1, _) => 3,
        (_, _, pairs) => pairs,
    }
}

/// Bits as -1 and 1.
fn signs(bits: &[usize]) -> Vec<f64> {
    bits.iter().map(|&bit| 2.0 * bit as f64 - 1.0).collect()
}
