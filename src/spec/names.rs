//! Names as users write them, and what they probably meant.

/// The known name that `name` was probably meant to be: the one within a
/// third of its letters, by insertions, deletions, replacements and swaps.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    // Longer ones are no typos, and the distance is quadratic.
    if name.len() > 64 {
        return None;
    }
    let plain = |text: &str| -> Vec<char> {
        text.to_lowercase().replace('_', "-").chars().collect()
    };
    let written = plain(name);
    let far = (written.len() / 3).max(1);
    known
        .iter()
        .map(|&name| (distance(&written, &plain(name)), name))
        .filter(|&(distance, _)| distance <= far)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, name)| name)
}

/// Letters to insert, delete, replace or swap to get from `a` to `b`.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let differ = usize::from(a[i - 1] != b[j - 1]);
                let mut least = (rows[i - 1][j] + 1)
                    .min(rows[i][j - 1] + 1)
                    .min(rows[i - 1][j - 1] + differ);
                let swapped = i > 1
                    && j > 1
                    && a[i - 1] == b[j - 2]
                    && a[i - 2] == b[j - 1];
                if swapped {
                    least = least.min(rows[i - 2][j - 2] + 1);
                }
                least
            };
        }
    }
    rows[a.len()][b.len()]
}

/// "unknown `what` `name`", with the nearest of `known`, or all of them.
pub(crate) fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    with_remedy(&format!("unknown {what} {}", quote(name)), name, known)
}

/// The same with where it stands: "unknown key `x` in `home`".
pub(crate) fn unknown_in(
    what: &str,
    name: &str,
    home: &str,
    known: &[&str],
) -> String {
    let start = format!("unknown {what} {} in {home}", quote(name));
    with_remedy(&start, name, known)
}

fn with_remedy(start: &str, name: &str, known: &[&str]) -> String {
    match nearest(name, known) {
        Some(near) => format!("{start}, did you mean `{near}`?"),
        None => format!("{start}, expected {}", one_of(known)),
    }
}

/// `name` in backticks, cut where it is long, without control characters.
pub(crate) fn quote(name: &str) -> String {
    let plain = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let cut: String = name.chars().take(40).map(plain).collect();
    let more = if name.chars().nth(40).is_some() { "..." } else { "" };
    format!("`{cut}{more}`")
}

/// `` `a`, `b` or `c` ``.
pub(crate) fn one_of(names: &[&str]) -> String {
    let quoted: Vec<String> =
        names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => "nothing".to_owned(),
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
    fn quotes_are_short_and_harmless() {
        assert_eq!(quote("a\u{1b}[2Jb"), "`a\u{fffd}[2Jb`");
        assert_eq!(quote(&"x".repeat(41)), format!("`{}...`", "x".repeat(40)));
    }
}
