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
    // A window has `context` characters and the one that follows.
    if [train, valid, test].iter().any(|&part| part <= context) {
        let message = format!(
            "{n} characters are too few: each part of `split` {split:?} needs \
             more than `context` = {context}, give a longer text or a shorter \
             context"
        );
        return Err(Error::input(file, text, 0, message));
    }
    let mut vocabulary = BTreeMap::new();
    for &c in &characters[..train] {
        vocabulary.insert(c, 0_u32);
    }
    if vocabulary.len() < 2 {
        let message = "the training part repeats one character: there is \
                       nothing to predict, give another text";
        return Err(Error::input(file, text, 0, message));
    }
    for (index, place) in (0..).zip(vocabulary.values_mut()) {
        *place = index;
    }
    let unknown = u32::try_from(vocabulary.len()).unwrap_or(u32::MAX - 1);
    let tokens: Vec<u32> = characters
        .iter()
        .map(|c| vocabulary.get(c).copied().unwrap_or(unknown))
        .collect();
    let part = |from: usize, to: usize| {
        let (mut inputs, mut targets) = (vec![], vec![]);
        let tokens = &tokens[from..to];
        for start in (0..tokens.len() - context).step_by(context) {
            inputs.extend_from_slice(&tokens[start..start + context]);
            targets.extend_from_slice(&tokens[start + 1..=start + context]);
        }
        Part { inputs: Values::Index(inputs), targets: Values::Index(targets) }
    };
    Ok(Plain {
        shape: vec![context],
        task: Task::NextToken {
            vocabulary: vocabulary.len() + 1,
            padding: None,
        },
        parts: [
            part(0, train),
            part(train, train + valid),
            part(train + valid, n),
        ],
        optimum: None,
    })
}
