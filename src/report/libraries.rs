//! The page of other libraries' schedules, from their table.

use crate::library::{Entry, Notes, Package};
use serde_json::json;
use std::fmt::Write as _;

/// The SPEC that is equal to an entry's example, if there is one.
type Equal<'a> = &'a dyn Fn(&Package, &Entry) -> Option<String>;

/// What the notes of an entry say, with a title each.
fn notes(notes: &Notes) -> impl Iterator<Item = (&'static str, &'static str)> {
    let Notes { frame, absolute, changes, after, resume, versions } = *notes;
    [
        ("Frame", frame),
        ("Absolute", absolute),
        ("Also changes", changes),
        ("After the end", after),
        ("Resume", resume),
        ("Versions", versions),
    ]
    .into_iter()
    .filter(|(_, text)| !text.is_empty())
}

/// The page, in Markdown.
pub(crate) fn markdown(packages: &[&Package], equal: Equal<'_>) -> String {
    let schedules: usize = packages.iter().map(|p| p.entries.len()).sum();
    let mut page = format!(
        "# Schedules of other libraries, as their own loops run them\n\n\
         Written by `make docs`. {} libraries, {schedules} schedules. Every one \
         was run in its library's own trainer or documented loop, and the rate \
         was read from the optimizer at each update (`tests/golden/libraries`).\n\
         \n`lrscout schedules values 'CALL' --compat LIBRARY --peak P --steps N` \
         prints the rates of a call. `lr` is the rate that the optimizer was made \
         with, `t` the scheduler's own count from 0. The equal SPEC is that of \
         the example over 100 updates at a peak of 1.\n",
        packages.len()
    );
    for package in packages {
        let Package { name, title, version, frame, .. } = package;
        let _ = write!(
            page,
            "\n## {title}\n\n`--compat {name}`, version {version}. {frame}\n"
        );
        for entry in package.entries {
            let Entry { name, signature, example, formula, .. } = entry;
            let _ = write!(
                page,
                "\n### `{name}`\n\n```\n{name}({signature})\nlr(t) = {formula}\n\
                 ```\n\n"
            );
            for (title, text) in notes(&entry.notes) {
                let _ = writeln!(page, "- {title}: {text}");
            }
            let call = format!("{name}({example})");
            let spec = equal(package, entry);
            let spec = spec.map_or("none of one kind".to_owned(), |spec| {
                format!("`{spec}`")
            });
            let _ = writeln!(page, "- `{call}` is equal to: {spec}");
        }
    }
    page
}

/// The same for a terminal, shorter.
pub(crate) fn text(packages: &[&Package]) -> String {
    let mut page = String::new();
    for package in packages {
        let Package { name, title, version, frame, .. } = package;
        let _ = writeln!(page, "{title} {version} (--compat {name}): {frame}");
        for entry in package.entries {
            let Entry { name, signature, .. } = entry;
            let _ = writeln!(page, "  {name}({signature})");
            for (title, text) in notes(&entry.notes) {
                let _ = writeln!(page, "      {title}: {text}");
            }
        }
    }
    page
}

/// The same for scripts.
pub(crate) fn json(
    packages: &[&Package],
    equal: Equal<'_>,
) -> Vec<serde_json::Value> {
    let entry = |package: &Package, entry: &Entry| {
        let Notes { frame, absolute, changes, after, resume, versions } =
            entry.notes;
        json!({
            "library": package.name,
            "version": package.version,
            "name": entry.name,
            "signature": entry.signature,
            "formula": entry.formula,
            "frame": if frame.is_empty() { package.frame } else { frame },
            "absolute": absolute,
            "changes": changes,
            "after": after,
            "resume": resume,
            "versions": versions,
            "example": entry.example,
            "equal_spec": equal(package, entry),
        })
    };
    packages
        .iter()
        .flat_map(|package| package.entries.iter().map(|of| entry(package, of)))
        .collect()
}
