//! The architecture as a test: a room imports only rooms on lower floors, and
//! each outside crate has one home.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Floors from the ground up; a room may use rooms of lower floors, and those
/// of its own floor that are named after it.
const FLOORS: &[&[(&str, &[&str])]] = &[
    &[
        ("error", &[]),
        ("text", &[]),
        ("synonyms", &[]),
        ("digest", &["error"]),
        ("gzip", &["error"]),
        ("seed", &[]),
    ],
    &[
        ("record", &[]),
        ("spec", &[]),
        ("schedule", &[]),
        ("stats", &[]),
        ("kernels", &[]),
    ],
    &[("nn", &[]), ("optim", &[]), ("grid", &[]), ("library", &[])],
    &[("plan", &[]), ("store", &[])],
    &[("results", &[])],
    &[("data", &[]), ("ranking", &[])],
    &[("model", &[]), ("report", &[]), ("import", &[])],
    &[("workload", &[]), ("audit", &[])],
    &[("train", &[])],
    &[("lr_find", &[])],
    &[("runner", &[])],
    &[("learner", &[])],
    &[("cli", &[])],
    &[("main", &[]), ("lib", &[])],
];

/// Phrases that may stand in the code of only these files and folders.
const HOMES: &[(&str, &[&str])] = &[
    ("askama", &["report"]),
    ("blake3::", &["digest.rs"]),
    ("candle_datasets::", &["data/vision.rs"]),
    (
        "candle_core::",
        &[
            "data",
            "digest.rs",
            "error.rs",
            "learner",
            "lr_find",
            "model",
            "nn",
            "optim",
            "runner",
            "train",
            "workload.rs",
        ],
    ),
    ("clap::", &["cli"]),
    ("comfy_table::", &["report"]),
    ("csv::", &["results", "grid/factors.rs"]),
    ("flate2::", &["gzip.rs"]),
    ("gemm::", &["kernels"]),
    ("indicatif::", &["runner"]),
    // For tests alone.
    ("insta::", &[]),
    ("libm::", &["data/generated"]),
    ("mimalloc::", &["main.rs"]),
    ("plotters::", &["report"]),
    ("eprintln!", &["cli"]),
    ("println!", &["cli"]),
    ("rand_mt::", &["seed.rs"]),
    ("rayon::", &["runner"]),
    ("rusqlite::", &["import/database.rs"]),
    ("rustix::", &["train/external"]),
    ("seed_from_u64", &["seed.rs"]),
    ("signal_hook::", &["runner"]),
    ("statrs::", &["stats"]),
    ("strsim::", &["text.rs"]),
    (
        "std::process::Command",
        &["runner/external.rs", "runner/script.rs", "train/external"],
    ),
    ("std::fs", &["cli", "data", "grid", "import", "results", "store"]),
    ("tempfile::", &["store"]),
    ("toml::", &["grid"]),
    ("unsafe ", &["kernels"]),
];

#[test]
fn rooms_import_only_lower_floors() {
    let mut strays = vec![];
    each_source(&mut |place, code| {
        let room = room_of(place);
        let Some(floor) = floor_of(&room) else {
            strays.push(format!("{place}: no floor for room `{room}`"));
            return;
        };
        for import in imports(code) {
            let Some(other) = floor_of(&import) else { continue };
            let neighbours = FLOORS[floor]
                .iter()
                .find(|(name, _)| *name == room)
                .map_or(&[][..], |(_, neighbours)| *neighbours);
            let allowed = other < floor
                || import == room
                || neighbours.contains(&import.as_str());
            if !allowed {
                strays.push(format!("{place} imports {import}"));
            }
        }
    });
    assert!(strays.is_empty(), "{strays:#?}");
}

#[test]
fn each_outside_crate_has_one_home() {
    let mut strays = vec![];
    each_source(&mut |place, code| {
        for (phrase, homes) in HOMES {
            let at_home =
                homes.iter().any(|home| Path::new(place).starts_with(home));
            let used = code.lines().any(|line| {
                let line = line.trim_start();
                !line.starts_with("//") && uses(line, phrase)
            });
            if !at_home && used {
                strays.push(format!("{place} has {phrase}"));
            }
        }
    });
    assert!(strays.is_empty(), "{strays:#?}");
}

/// Whether `line` has `phrase` as a word of its own (`gemm::`, neither
/// `my_gemm::` nor a module of ours, `kernels::gemm::`).
fn uses(line: &str, phrase: &str) -> bool {
    line.match_indices(phrase).any(|(at, _)| {
        let before = &line[..at];
        !before.ends_with(|c: char| c.is_alphanumeric() || c == '_')
            && !before.ends_with("::")
    })
}

fn floor_of(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.iter().any(|(name, _)| *name == room))
}

/// `train/step.rs` belongs to `train`, `seed.rs` to `seed`.
fn room_of(place: &str) -> String {
    let first = place.split('/').next().unwrap_or(place);
    first.trim_end_matches(".rs").to_owned()
}

/// Rooms named after `crate::`, one or several in braces.
fn imports(code: &str) -> BTreeSet<String> {
    let word = |text: &str| {
        text.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect::<String>()
    };
    let mut rooms = BTreeSet::new();
    for (at, phrase) in code.match_indices("crate::") {
        let line_start = code[..at].rfind('\n').map_or(0, |i| i + 1);
        if code[line_start..at].trim_start().starts_with("//") {
            continue;
        }
        let rest = &code[at + phrase.len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let list = list.split('}').next().unwrap_or_default();
            rooms.extend(list.split(',').map(|part| word(part.trim())));
        } else {
            rooms.insert(word(rest));
        }
    }
    rooms
}

/// Calls `check` with each source file's place under `src/` and its code
/// without the tests.
fn each_source(check: &mut impl FnMut(&str, &str)) {
    visit(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), check);
}

fn visit(folder: &Path, check: &mut impl FnMut(&str, &str)) {
    for entry in fs::read_dir(folder).expect("readable src") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            visit(&path, check);
        } else if path.extension().is_some_and(|e| e == "rs")
            && path.file_name().is_none_or(|name| name != "tests.rs")
            && !path.components().any(|part| part.as_os_str() == "tests")
        {
            let text = fs::read_to_string(&path).expect("UTF-8");
            let code = text.split("mod tests {").next().unwrap_or_default();
            let root = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
            let place = path.strip_prefix(root).expect("under src");
            check(&place.to_string_lossy(), code);
        }
    }
}
