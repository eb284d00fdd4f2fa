//! Formal languages, as tokens: 0 fills up at the end.

use super::{Draws, floor, token};

/// A Markov chain of second order over 16 letters, 32 a row. After each pair
/// the chances of the next letter are normalised cubes of -ln(1 - u).
pub(super) fn markov(draws: &mut Draws, n: usize) -> Vec<u32> {
    const LETTERS: usize = 16;
    const LENGTH: usize = 32;
    let mut sums: Vec<f64> = draws
        .uniforms(LETTERS * LETTERS * LETTERS)
        .into_iter()
        .map(|u| -libm::log1p(-u))
        .map(|x| x * x * x)
        .collect();
    for row in sums.chunks_exact_mut(LETTERS) {
        let total: f64 = row.iter().sum();
        let mut sum = 0.0;
        for x in row {
            sum += *x / total;
            *x = sum;
        }
    }
    let first = draws.belows(LETTERS, 2 * n);
    let mut tokens = vec![];
    for start in first.chunks_exact(2) {
        let (mut a, mut b) = (start[0], start[1]);
        for _ in 0..LENGTH {
            let u = draws.uniform();
            let row = &sums[(a * LETTERS + b) * LETTERS..][..LETTERS];
            let next = row.iter().filter(|&&sum| sum <= u).count();
            (a, b) = (b, next.min(LETTERS - 1));
            tokens.push(token(b + 1));
        }
    }
    tokens
}

/// Brackets of four kinds that match, 32 a row, nested at most 8 deep.
pub(super) fn brackets(draws: &mut Draws, n: usize) -> Vec<u32> {
    const LENGTH: usize = 32;
    let mut tokens = vec![];
    for _ in 0..n {
        let mut open = vec![];
        for t in 0..LENGTH {
            let (u, v) = (draws.uniform(), draws.uniform());
            let room = open.len() < 8 && open.len() < LENGTH - t;
            match open.pop() {
                Some(kind) if !(room && u < 0.55) => tokens.push(5 + kind),
                last => {
                    open.extend(last);
                    let kind = token(floor(4.0 * v));
                    open.push(kind);
                    tokens.push(1 + kind);
                }
            }
        }
    }
    tokens
}

/// Sentences of at most 24 tokens whose verbs agree with their subjects in
/// number, those of relative clauses too. Tokens: 1 the end, 2 and 3 articles,
/// 4 to 19 nouns, 20 to 25 adjectives, 26 to 37 verbs, 38 to 41 prepositions,
/// 42 `that`, 43 `and`.
pub(super) fn grammar(draws: &mut Draws, n: usize) -> Vec<u32> {
    const LENGTH: usize = 24;
    let mut tokens = vec![];
    while tokens.len() < n * LENGTH {
        let mut sentence = Sentence { draws: &mut *draws, tokens: vec![] };
        let number = sentence.draws.below(2);
        sentence.noun(number, 0);
        sentence.verb(number, 0);
        if sentence.draws.uniform() < 0.2 {
            sentence.tokens.push(43);
            sentence.verb(number, 1);
        }
        let mut row = sentence.tokens;
        row.push(1);
        if row.len() <= LENGTH {
            row.resize(LENGTH, 0);
            tokens.extend(row.into_iter().map(token));
        }
    }
    tokens
}

/// A sentence as it is spoken.
struct Sentence<'a> {
    draws: &'a mut Draws,
    tokens: Vec<usize>,
}

impl Sentence<'_> {
    /// A noun of this number (0 singular, 1 plural) and what belongs to it.
    fn noun(&mut self, number: usize, depth: usize) {
        self.tokens.push(2 + number);
        while self.draws.uniform() < 0.35 {
            let adjective = self.frequent(6);
            self.tokens.push(20 + adjective);
        }
        let noun = self.frequent(8);
        self.tokens.push(4 + 8 * number + noun);
        if depth >= 2 {
            return;
        }
        let u = self.draws.uniform();
        if u < 0.2 {
            self.tokens.push(38 + self.draws.below(4));
            let number = self.draws.below(2);
            self.noun(number, depth + 1);
        } else if u < 0.35 {
            self.tokens.push(42);
            self.verb(number, depth + 1);
        }
    }

    /// A verb; the last two of six take no object.
    fn verb(&mut self, number: usize, depth: usize) {
        let verb = self.frequent(6);
        self.tokens.push(26 + 6 * number + verb);
        if verb < 4 {
            let number = self.draws.below(2);
            self.noun(number, depth + 1);
        }
    }

    /// One of `k` words, the first ones more often.
    fn frequent(&mut self, k: usize) -> usize {
        let u = self.draws.uniform();
        floor(k as f64 * (u * u))
    }
}

/// Tokens of [`sorting`] that are given.
pub(super) const GIVEN: usize = 9;

/// Eight letters of 16, of which a tenth are misread, a sign (17), and the
/// true letters in order.
pub(super) fn sorting(draws: &mut Draws, n: usize) -> Vec<u32> {
    const LETTERS: usize = 8;
    let truth = draws.belows(16, LETTERS * n);
    let chances = draws.uniforms(LETTERS * n);
    let misread = draws.belows(16, LETTERS * n);
    let mut tokens = vec![];
    for row in 0..n {
        let places = LETTERS * row..LETTERS * (row + 1);
        let shown = places
            .clone()
            .map(|i| if chances[i] < 0.1 { misread[i] } else { truth[i] });
        tokens.extend(shown.map(|letter| token(letter + 1)));
        tokens.push(17);
        let mut sorted = truth[places].to_vec();
        sorted.sort_unstable();
        tokens.extend(sorted.into_iter().map(|letter| token(letter + 1)));
    }
    tokens
}
