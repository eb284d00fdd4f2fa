//! Names, lists and counts as they stand in a sentence.

use std::fmt::Display;

/// Letters of a name that an [`excerpt`] shows.
const SHOWN: usize = 40;

/// `name` between backticks, on one line: names come from anywhere, and what
/// is said about them is shown in terminals.
pub(crate) fn quoted(name: &str) -> String {
    let plain = |c: char| match c {
        '`' => '\'',
        c if c.is_control() => ' ',
        c => c,
    };
    format!("`{}`", name.chars().map(plain).collect::<String>())
}

/// The first letters of `name`, [`quoted`]: for messages about input of any
/// length.
pub(crate) fn excerpt(name: &str) -> String {
    match name.char_indices().nth(SHOWN) {
        Some((end, _)) => quoted(&format!("{}...", &name[..end])),
        None => quoted(name),
    }
}

/// "`a`, `b` and `c`"; "nothing" of an empty list.
pub(crate) fn listed(names: &[impl AsRef<str>]) -> String {
    joined(names, "and")
}

/// "`a`, `b` or `c`"; "nothing" of an empty list.
pub(crate) fn either(names: &[impl AsRef<str>]) -> String {
    joined(names, "or")
}

fn joined(names: &[impl AsRef<str>], word: &str) -> String {
    let names: Vec<_> = names.iter().map(|n| quoted(n.as_ref())).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} {word} {last}", rest.join(", ")),
        None => "nothing".to_owned(),
    }
}

/// "1 run", "2 runs".
pub(crate) fn count(number: impl Display, one: &str, many: &str) -> String {
    let number = number.to_string();
    let noun = if number == "1" { one } else { many };
    format!("{number} {noun}")
}

/// The candidate that `name` was probably meant to be: the one within a third
/// of its letters, by insertions, deletions, replacements and swaps.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: &[&'a str],
) -> Option<&'a str> {
    // Longer ones are no typos, and the distance is quadratic.
    if name.len() > 64 {
        return None;
    }
    let plain = |text: &str| text.to_lowercase().replace('_', "-");
    let written = plain(name);
    let far = (written.chars().count() / 3).max(1);
    candidates
        .iter()
        .map(|&other| (strsim::osa_distance(&written, &plain(other)), other))
        .filter(|&(distance, _)| distance <= far)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, other)| other)
}

/// "unknown `what` `name`", with the nearest of `known`, or all of them.
pub(crate) fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    format!("unknown {what} {}, {}", excerpt(name), remedy(name, known))
}

/// The same with where it stands: "unknown key `x` in `home`".
pub(crate) fn unknown_in(
    what: &str,
    name: &str,
    home: &str,
    known: &[&str],
) -> String {
    let (shown, remedy) = (excerpt(name), remedy(name, known));
    format!("unknown {what} {shown} in {home}, {remedy}")
}

fn remedy(name: &str, known: &[&str]) -> String {
    match nearest(name, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("expected {}", either(known)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typos_find_their_name() {
        let known = ["mlp", "cnn", "resnet", "transformer", "end_ratio"];
        for (typo, name) in [
            ("mpl", Some("mlp")),
            ("MLP", Some("mlp")),
            ("resnt", Some("resnet")),
            ("transfromer", Some("transformer")),
            ("end-ratio", Some("end_ratio")),
            ("end_ration", Some("end_ratio")),
            ("rnn", Some("cnn")),
            ("gan", None),
            ("", None),
            ("perceptron", None),
        ] {
            assert_eq!(nearest(typo, &known), name, "{typo}");
        }
        assert_eq!(nearest(&"m".repeat(1000), &known), None);
    }

    #[test]
    fn a_name_far_from_all_gets_the_list() {
        assert_eq!(
            unknown("model", "gan", &["mlp", "cnn", "resnet"]),
            "unknown model `gan`, expected `mlp`, `cnn` or `resnet`"
        );
        assert_eq!(
            unknown_in("key", "hiden", "model `mlp`", &["kind", "hidden"]),
            "unknown key `hiden` in model `mlp`, did you mean `hidden`?"
        );
    }

    #[test]
    fn quotes_are_on_one_line_and_excerpts_short() {
        assert_eq!(quoted("a\u{1b}[2J`\nb"), "`a [2J' b`");
        assert_eq!(excerpt("a\u{1b}[2Jb"), "`a [2Jb`");
        assert_eq!(excerpt(&"é".repeat(40)), quoted(&"é".repeat(40)));
        let cut = format!("`{}...`", "é".repeat(40));
        assert_eq!(excerpt(&"é".repeat(41)), cut);
    }

    #[test]
    fn lists_end_with_a_word() {
        assert_eq!(listed(&["a", "b", "c"]), "`a`, `b` and `c`");
        assert_eq!(either(&["a", "b"]), "`a` or `b`");
        assert_eq!(listed(&["a".to_owned()]), "`a`");
        assert_eq!(either(&[""; 0]), "nothing");
    }

    #[test]
    fn things_are_counted_in_singular_and_plural() {
        assert_eq!(count(1, "run", "runs"), "1 run");
        assert_eq!(count(0, "run", "runs"), "0 runs");
    }
}
