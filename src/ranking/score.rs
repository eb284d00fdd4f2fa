//! What the name of a score says: which way is better, and whether ratios of
//! it make sense.

use serde::Serialize;
use std::iter;

/// Which scores are better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Losses and errors.
    Lower,
    /// Accuracies and the like.
    Higher,
}

impl Direction {
    /// The other one.
    fn turned(self) -> Self {
        match self {
            Self::Lower => Self::Higher,
            Self::Higher => Self::Lower,
        }
    }
}

/// What a known score is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meaning {
    pub(crate) direction: Direction,
    /// Whether positive values have no common unit between workloads, but
    /// ratios that mean the same everywhere.
    pub(crate) ratios: bool,
}

const LOSS: Meaning = Meaning { direction: Direction::Lower, ratios: true };

/// Losses, and errors in the unit of the data or in bits.
const LOSSES: &str = "\
    bce, bits, bits per byte, bits per char, bits per character, bits per \
    dim, bpb, bpc, bpd, ce, cross entropy, crossentropy, log loss, logloss, \
    loss, losses, mae, mean absolute error, mean square error, mean squared \
    error, mse, neg log likelihood, negative log likelihood, nll, \
    perplexity, ppl, rmse, root mean square error, root mean squared error, \
    xent";

/// Lower is better, but a ratio near 0 says little, or 0 is usual.
const ERRORS: &str = "\
    brier, cer, character error rate, ece, err, error, error rate, errors, \
    fid, kl, lpips, mape, rmsle, smape, wer, word error rate";

/// Higher is better.
const MERITS: &str = "\
    acc, accuracies, accuracy, ap, auc, auprc, auroc, average precision, \
    bertscore, bleu, chrf, correlation, dice, elbo, exact match, explained \
    variance, f1, f1score, fscore, hit rate, hits, iou, jaccard, kappa, \
    likelihood, log likelihood, map, mcc, mean average precision, meteor, \
    miou, mrr, ndcg, pearson, pr auc, precision, psnr, r2, recall, return, \
    reward, roc auc, rocauc, rouge, rougel, rougelsum, sensitivity, \
    spearman, specificity, ssim, success rate, win rate";

/// Words around a score that change nothing about it.
const AROUND: &str = "\
    average, avg, balanced, best, dev, end, epoch, eval, evaluation, final, \
    global, holdout, last, macro, mean, median, metric, metrics, micro, \
    score, step, test, top, total, train, training, val, valid, validation, \
    weighted";

/// What the score column `name` is, from its words: `val/loss`, `eval_loss`
/// and `best-valid-loss` are losses, `testAccuracy` and `top1_acc` accuracies.
/// `neg_` in front turns the direction. `None` where a word is not known, or
/// two say different things: an `accuracy_drop` is no accuracy. Whatever
/// ends in `loss` is one.
pub(crate) fn meaning(name: &str) -> Option<Meaning> {
    let words = words(name);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let negative = matches!(words.first(), Some(&("neg" | "negative")));
    if let Some(likelihood) = known(&words) {
        return Some(likelihood);
    }
    let words = if negative { &words[1..] } else { &words[..] };
    let found =
        if inner(words).last() == Some(&"loss") { LOSS } else { known(words)? };
    Some(if negative {
        Meaning { direction: found.direction.turned(), ratios: false }
    } else {
        found
    })
}

/// The meaning that all words agree on, those around a score left aside.
fn known(words: &[&str]) -> Option<Meaning> {
    /// Words of the longest phrase above.
    const LONGEST: usize = 4;
    let (mut at, mut found) = (0, None);
    while at < words.len() {
        let longest = LONGEST.min(words.len() - at);
        let phrase = (1..=longest).rev().find_map(|length| {
            Some((length, phrase(&words[at..at + length].join(" "))?))
        });
        match phrase {
            Some((length, meaning)) => {
                if found.is_some_and(|found| found != meaning) {
                    return None;
                }
                found = Some(meaning);
                at += length;
            }
            None if is_around(words[at]) => at += 1,
            None => return None,
        }
    }
    found
}

fn phrase(text: &str) -> Option<Meaning> {
    let raw = |direction| Meaning { direction, ratios: false };
    if is_in(LOSSES, text) {
        Some(LOSS)
    } else if is_in(ERRORS, text) {
        Some(raw(Direction::Lower))
    } else if is_in(MERITS, text) {
        Some(raw(Direction::Higher))
    } else {
        None
    }
}

/// Whether `phrase` is one of `list`, which has commas between its phrases.
fn is_in(list: &str, phrase: &str) -> bool {
    list.split(", ").any(|entry| entry == phrase)
}

fn is_around(word: &str) -> bool {
    is_in(AROUND, word) || word.bytes().all(|b| b.is_ascii_digit())
}

/// `words` without those around a score at the end.
fn inner<'a, 'b>(words: &'a [&'b str]) -> &'a [&'b str] {
    let end = words.iter().rposition(|word| !is_around(word));
    &words[..end.map_or(0, |at| at + 1)]
}

/// The words of a name in lower case: parted by anything but letters and
/// digits; what is not known then also by capitals (`valLoss`) and before
/// trailing digits (`acc5`).
fn words(name: &str) -> Vec<String> {
    name.split(|c: char| !c.is_alphanumeric())
        .filter(|part| !part.is_empty())
        .flat_map(|part| {
            let whole = part.to_lowercase();
            if phrase(&whole).is_some() || is_around(&whole) {
                return vec![whole];
            }
            humps(part).flat_map(|hump| numbered(&hump)).collect()
        })
        .collect()
}

/// `valLoss` as `val`, `loss`; `mAP` stays one word.
fn humps(part: &str) -> impl Iterator<Item = String> {
    let mut rest = part;
    iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut before = rest.chars();
        let end = rest
            .char_indices()
            .skip(1)
            .find(|(_, c)| {
                let lower = before.next().is_some_and(char::is_lowercase);
                lower && c.is_uppercase()
            })
            .map_or(rest.len(), |(at, _)| at);
        let hump = rest[..end].to_lowercase();
        rest = &rest[end..];
        Some(hump)
    })
}

/// `acc5` as `acc`, `5`; `f1` stays one word.
fn numbered(word: &str) -> Vec<String> {
    let letters = word.trim_end_matches(|c: char| c.is_ascii_digit());
    if phrase(word).is_some() || letters.is_empty() || letters == word {
        return vec![word.to_owned()];
    }
    vec![letters.to_owned(), word[letters.len()..].to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> Option<(Direction, bool)> {
        meaning(name).map(|m| (m.direction, m.ratios))
    }

    #[test]
    fn losses_under_any_name() {
        for name in [
            "loss",
            "val_loss",
            "val/loss",
            "valid_loss",
            "test_loss",
            "eval_loss",
            "eval/loss",
            "validation_loss",
            "validation-loss",
            "valLoss",
            "Val Loss",
            "loss_mean",
            "best_valid_loss",
            "loss/epoch",
            "train/loss_epoch",
            "huber_loss",
            "dice_loss",
            "nll",
            "val_nll_loss",
            "cross_entropy",
            "crossEntropy",
            "perplexity",
            "test-ppl",
            "bits-per-character",
            "bpc",
            "RMSE",
            "val_rmse",
            "mean_squared_error",
            "eval/mse",
            "neg_log_likelihood",
            "negative-log-likelihood",
        ] {
            assert_eq!(of(name), Some((Direction::Lower, true)), "{name}");
        }
    }

    #[test]
    fn errors_and_merits() {
        for name in ["error", "test_err", "error_rate", "WER", "val/cer"] {
            assert_eq!(of(name), Some((Direction::Lower, false)), "{name}");
        }
        for name in [
            "accuracy",
            "acc",
            "val_acc",
            "eval_accuracy",
            "testAccuracy",
            "test-accuracy_mean",
            "best_acc",
            "acc@5",
            "top1_acc",
            "acc5",
            "f1",
            "F1-score",
            "macro_f1",
            "auc",
            "roc_auc",
            "AUROC",
            "bleu",
            "rougeL",
            "rouge2",
            "r2",
            "R2_score",
            "map",
            "mAP",
            "mAP@0.5",
            "map50",
            "mIoU",
            "iou",
            "dice",
            "precision",
            "recall",
            "average_precision",
            "log_likelihood",
            "neg_mean_squared_error",
            "neg_log_loss",
        ] {
            assert_eq!(of(name), Some((Direction::Higher, false)), "{name}");
        }
    }

    #[test]
    fn what_is_not_known_has_no_meaning() {
        for name in [
            "",
            "score",
            "valid_metric",
            "y",
            "accuracy_drop",
            "loss_scale",
            "recall_error",
            "entropy",
            "glossary",
            "mapping",
            "lossless",
            "train_seconds",
            "/",
            "é",
        ] {
            assert_eq!(of(name), None, "{name}");
        }
    }
}
