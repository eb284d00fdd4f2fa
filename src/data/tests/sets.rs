//! The data sets of the catalogue against numpy and a reference
//! implementation: tests/golden/sets.py.

use super::{ROUNDING, Summary, builtin, close, parts, placed, values};
use crate::data::{Dataset, Task};
use crate::spec::{Form, Set, SetKind, Target};
use insta::assert_snapshot;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

#[derive(Deserialize)]
struct Golden {
    parts: [Summary; 3],
    /// Rows of each class.
    class_counts: Option<Vec<usize>>,
    /// FNV-1a of all labels or tokens, training part first or, of words, in
    /// the order of the file.
    fnv: Option<String>,
    vocabulary: Option<usize>,
}

fn goldens() -> BTreeMap<String, Golden> {
    serde_json::from_str(include_str!("../../../tests/golden/sets.json"))
        .expect("the golden file is JSON")
}

fn fnv(bytes: impl IntoIterator<Item = u8>) -> String {
    let start = 0xcbf2_9ce4_8422_2325_u64;
    let hash = bytes.into_iter().fold(start, |h, byte| {
        (h ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{hash:016x}")
}

/// That `data` is what the catalogue says of `set`.
fn is_as_listed(set: &Set, data: &Dataset) {
    let name = set.name;
    data.check().expect("a sound data set");
    assert_eq!(data.input_shape(), set.form.shape(), "{name}");
    let rows = parts(data).map(crate::data::Split::len);
    assert_eq!(rows, set.rows, "{name}");
    match (data.task, set.target) {
        (Task::Classify { classes }, Target::Classes(listed))
        | (Task::Regress { width: classes }, Target::Values(listed))
        | (
            Task::NextToken { vocabulary: classes, .. },
            Target::Characters(listed),
        ) => assert_eq!(classes, listed, "{name}"),
        (task, target) => panic!("{name}: {task:?} is not {target:?}"),
    }
}

/// That the numbers of `data` are those that numpy computed.
fn agrees(set: &Set, data: &Dataset, golden: &Golden) {
    let name = set.name;
    for (part, expected) in parts(data).into_iter().zip(&golden.parts) {
        assert_eq!(part.len(), expected.rows, "{name}");
        let sides = [
            (
                values(&part.inputs),
                &expected.first,
                expected.sum,
                expected.placed,
            ),
            (
                values(&part.targets),
                &expected.first_targets,
                expected.target_sum,
                expected.target_placed,
            ),
        ];
        for (got, first, sum, place) in sides {
            assert!(!first.is_empty(), "{name}");
            for (got, expected) in got.iter().zip(first) {
                close(*got, *expected, 1e-5, name);
            }
            let within = ROUNDING * got.len() as f64;
            close(got.iter().sum(), sum, within, name);
            close(placed(&got), place, within, name);
        }
    }
    if let Some(counts) = &golden.class_counts {
        let labels: Vec<u8> = parts(data)
            .into_iter()
            .flat_map(|part| part.targets.to_vec1::<u32>().expect("labels"))
            .map(|label| u8::try_from(label).expect("few classes"))
            .collect();
        let mut got = vec![0; counts.len()];
        for &label in &labels {
            got[usize::from(label)] += 1;
        }
        assert_eq!(got, *counts, "{name}");
        assert_eq!(Some(fnv(labels)), golden.fnv, "{name}");
    }
    if let Some(vocabulary) = golden.vocabulary {
        assert_eq!(data.outputs(), vocabulary, "{name}");
    }
    if let (Task::NextToken { padding: Some(start), .. }, Some(expected)) =
        (data.task, &golden.fnv)
    {
        let tokens = parts(data).into_iter().flat_map(|p| tokens(p, start));
        assert_eq!(fnv(tokens), *expected, "{name}");
    }
}

/// The rows of tokens that a part was made from: each is an input after it was
/// a target, and all targets count but those that are given.
fn tokens(part: &crate::data::Split, start: u32) -> Vec<u8> {
    let rows = |tensor: &candle_core::Tensor| {
        tensor.to_vec2::<u32>().expect("rows of tokens")
    };
    let mut tokens = vec![];
    for (seen, asked) in rows(&part.inputs).iter().zip(rows(&part.targets)) {
        let next = seen[1..].iter().chain([&start]);
        tokens.extend(next.zip(asked).map(|(&next, asked)| {
            let token = match (next, asked) {
                (next, _) if next != start => next,
                (_, u32::MAX) => start,
                (_, asked) => asked,
            };
            u8::try_from(token).expect("a small vocabulary")
        }));
    }
    tokens
}

/// Checks the chosen sets. The digests of all their numbers, a line each: they
/// are the same on every machine.
fn all_agree(chosen: impl Fn(&Set) -> bool) -> String {
    let goldens = goldens();
    let mut digests = String::new();
    for set in Set::all().filter(|set| chosen(set)) {
        let Some(golden) = goldens.get(set.name) else { continue };
        let data = builtin(set.name);
        is_as_listed(set, &data);
        agrees(set, &data, golden);
        let digest = data.fingerprint().expect("a digest");
        writeln!(digests, "{} {digest}", set.name).expect("room");
    }
    digests
}

#[test]
fn tables_of_the_study_agree_with_numpy() {
    let rows = |set: &Set| matches!(set.form, Form::Rows(_));
    assert_snapshot!(all_agree(|set| !set.is_generated() && rows(set)));
}

#[test]
fn pictures_and_signals_of_the_study_agree_with_numpy() {
    let shaped =
        |set: &Set| matches!(set.form, Form::Picture(_) | Form::Signal(..));
    assert_snapshot!(all_agree(|set| !set.is_generated() && shaped(set)));
}

#[test]
fn texts_of_the_study_agree_with_numpy() {
    let text = |set: &Set| matches!(set.form, Form::Text(_));
    assert_snapshot!(all_agree(|set| !set.is_generated() && text(set)));
}

#[test]
fn rules_and_points_agree_with_the_reference() {
    let kinds = [SetKind::Algorithm, SetKind::Points];
    assert_snapshot!(all_agree(
        |set| set.is_generated() && kinds.contains(&set.kind)
    ));
}

#[test]
fn functions_and_series_agree_with_the_reference() {
    let kinds = [SetKind::Regression, SetKind::Forecast, SetKind::Signal];
    assert_snapshot!(all_agree(
        |set| set.is_generated() && kinds.contains(&set.kind)
    ));
}

#[test]
fn generated_pictures_agree_with_the_reference() {
    assert_snapshot!(all_agree(
        |set| set.is_generated() && set.kind == SetKind::Picture
    ));
}

#[test]
fn formal_languages_agree_with_the_reference() {
    assert_snapshot!(all_agree(
        |set| set.is_generated() && set.kind == SetKind::Sequence
    ));
}

#[test]
fn the_older_sets_are_as_listed() {
    let goldens = goldens();
    let older: Vec<_> =
        Set::all().filter(|set| !goldens.contains_key(set.name)).collect();
    assert_eq!((older.len(), goldens.len()), (11, 56));
    for set in older {
        is_as_listed(set, &builtin(set.name));
    }
}

/// Facts of the files, by those who made them.
#[derive(Deserialize)]
struct Facts {
    classes: Option<usize>,
    counts: Option<[usize; 3]>,
    shape: Option<Vec<usize>>,
    context: Option<usize>,
    /// Characters that occur.
    vocabulary: Option<usize>,
    task: String,
}

#[test]
fn the_catalogue_has_the_facts_of_the_files() {
    let facts = include_str!("../../../tests/golden/study.json");
    let facts: BTreeMap<String, Facts> =
        serde_json::from_str(facts).expect("JSON");
    assert_eq!(facts.len(), 31);
    for (name, facts) in facts {
        let set = Set::named(&name).expect("it is embedded");
        if let Some(counts) = facts.counts {
            assert_eq!(set.rows, counts, "{name}");
        }
        if let Some(shape) = facts.shape {
            let known = set.form.shape();
            // Pictures and single signals have a channel here.
            let known = if known.len() > shape.len() {
                assert_eq!(known[0], 1, "{name}");
                &known[1..]
            } else {
                &known
            };
            assert_eq!(known, shape, "{name}");
        }
        if let Some(context) = facts.context {
            assert_eq!(set.form.shape().last(), Some(&context), "{name}");
        }
        match set.target {
            Target::Classes(classes) => {
                assert_eq!(facts.task, "classify", "{name}");
                assert_eq!(facts.classes, Some(classes), "{name}");
            }
            Target::Values(width) => {
                let tasks = ["regress", "forecast"];
                assert!(tasks.contains(&facts.task.as_str()), "{name}");
                assert_eq!(width, 1, "{name}");
            }
            // One symbol more: for the start, or for the unknown.
            Target::Characters(characters) => {
                let known = facts.vocabulary.expect("of a text");
                assert_eq!(characters, known + 1, "{name}");
            }
        }
    }
}

#[test]
fn names_are_unique_and_cousins_mutual() {
    let mut names: Vec<&str> = Set::all().map(|set| set.name).collect();
    names.sort_unstable();
    let n = names.len();
    names.dedup();
    assert_eq!(names.len(), n);
    for set in Set::all() {
        for cousin in set.cousins() {
            let cousin = Set::named(cousin).expect("a set");
            assert!(cousin.cousins().any(|name| name == set.name));
        }
        assert!(!set.about.is_empty() && !set.licence.is_empty());
    }
    let cousins: Vec<_> =
        Set::named("places").expect("a set").cousins().collect();
    assert_eq!(cousins, ["first-names", "phonemes"]);
}
