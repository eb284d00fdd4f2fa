//! Any UTF-8 text, for a character-level language model.

use super::Task;
use super::plain::{Part, Plain, Values};
use crate::error::{Error, Result};
use crate::results::text_of;
use std::collections::BTreeMap;
use std::path::Path;

/// Reads `file` and cuts it into contiguous parts (`split`: validation,
/// test), each into windows of `context` characters.
///
/// The vocabulary is the characters of the training part, and one symbol for
/// all others.
///
/// # Errors
///
/// If the file cannot be read, is not UTF-8, or is too short.
pub(super) fn load(
    file: &Path,
    context: usize,
    split: [f64; 2],
) -> Result<Plain> {
    let text = &text_of(file)?;
    let characters: Vec<char> = text.chars().collect();
    let n = characters.len();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "shares of a length"
    )]
    let [valid, test] = split.map(|share| (share * n as f64) as usize);
    let train = n.saturating_sub(valid.saturating_add(test));
    if [train, valid, test].iter().any(|&part| part <= context) {
        let message = format!(
            "{n} characters are too few: each part of `split` {split:?} needs \
             more than `context` = {context}, give a longer text or a shorter \
             context"
        );
        return Err(Error::input(file, text, 0, message));
    }
    let first = characters.first();
    if characters[..train].iter().all(|c| Some(c) == first) {
        let message = "the training part repeats one character: there is \
                       nothing to predict, give another text";
        return Err(Error::input(file, text, 0, message));
    }
    Ok(windows(&characters, context, [train, train + valid]))
}

/// Windows of `context` characters from the parts of a text: training part up
/// to the first of `cuts`, then validation, then test.
///
/// The vocabulary is the characters of the training part, and one symbol for
/// all others.
pub(super) fn windows(
    characters: &[char],
    context: usize,
    cuts: [usize; 2],
) -> Plain {
    let mut vocabulary = BTreeMap::new();
    for &c in &characters[..cuts[0]] {
        vocabulary.insert(c, 0_u32);
    }
    for (index, place) in (0..).zip(vocabulary.values_mut()) {
        *place = index;
    }
    let unknown = u32::try_from(vocabulary.len()).unwrap_or(u32::MAX - 1);
    let tokens: Vec<u32> = characters
        .iter()
        .map(|c| vocabulary.get(c).copied().unwrap_or(unknown))
        .collect();
    let part = |tokens: &[u32]| {
        let (mut inputs, mut targets) = (vec![], vec![]);
        // A window has `context` characters and the one that follows.
        for start in (0..tokens.len() - context).step_by(context) {
            inputs.extend_from_slice(&tokens[start..start + context]);
            targets.extend_from_slice(&tokens[start + 1..=start + context]);
        }
        Part { inputs: Values::Index(inputs), targets: Values::Index(targets) }
    };
    let [train, valid] = cuts;
    Plain {
        shape: vec![context],
        task: Task::NextToken {
            vocabulary: vocabulary.len() + 1,
            padding: None,
        },
        parts: [
            part(&tokens[..train]),
            part(&tokens[train..valid]),
            part(&tokens[valid..]),
        ],
        optimum: None,
    }
}
