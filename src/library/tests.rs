use super::*;
use serde_json::Value;
use std::collections::BTreeSet;

/// The sequences of all libraries, a line each.
fn goldens() -> Vec<Value> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/libraries");
    let mut all = vec![];
    for file in std::fs::read_dir(folder).expect("a folder") {
        let path = file.expect("an entry").path();
        if path.extension().is_none_or(|ending| ending != "jsonl") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("text");
        all.extend(text.lines().map(|line| {
            serde_json::from_str::<Value>(line)
                .unwrap_or_else(|e| panic!("{}: {e}", path.display()))
        }));
    }
    all
}

fn text<'a>(golden: &'a Value, key: &str) -> &'a str {
    golden[key].as_str().unwrap_or_else(|| panic!("{golden}: no {key}"))
}

fn count(golden: &Value, key: &str) -> Option<usize> {
    golden[key].as_u64().and_then(|value| value.try_into().ok())
}

#[test]
fn rates_are_those_of_optimizers_in_the_libraries_own_loops() {
    let mut strays = vec![];
    for golden in goldens() {
        let library = text(&golden, "library");
        let Some(package) = Package::named(library) else {
            continue;
        };
        let want: Vec<f64> =
            serde_json::from_value(golden["rates"].clone()).expect("rates");
        let run = Run {
            peak: golden["peak"].as_f64().expect("a peak"),
            steps: want.len(),
            version: Version::read(text(&golden, "version")),
            epoch: count(&golden, "epoch"),
            processes: count(&golden, "processes").unwrap_or(1),
        };
        let call = text(&golden, "call");
        let got = match package.read(call).and_then(|c| package.rates(&c, &run))
        {
            Ok(got) => got,
            Err(error) => {
                strays.push(format!("{library}: {call}: {error}"));
                continue;
            }
        };
        let near = if golden["f32"] == true { 1e-6 } else { 1e-12 };
        let close = |got: f64, want: f64| {
            (got - want).abs() <= near * want.abs().max(1e-6 * run.peak)
        };
        assert_eq!(got.len(), want.len(), "{library}: {call}");
        let pairs = got.iter().zip(&want).enumerate();
        if let Some((update, (got, want))) =
            pairs.into_iter().find(|(_, (g, w))| !close(**g, **w))
        {
            let peak = run.peak;
            strays.push(format!(
                "{library}: {call} at {peak}: update {update} is {got:e}, not \
                 {want:e}"
            ));
        }
    }
    assert!(strays.is_empty(), "{} strays: {strays:#?}", strays.len());
}

#[test]
fn every_entry_was_run() {
    let ran: BTreeSet<(String, String)> = goldens()
        .iter()
        .filter_map(|golden| {
            let library = text(golden, "library");
            let call = Package::named(library)?.read(text(golden, "call"));
            Some((library.to_owned(), call.ok()?.name))
        })
        .collect();
    for package in PACKAGES {
        for entry in package.entries {
            let key = (package.name.to_owned(), entry.name.to_owned());
            assert!(ran.contains(&key), "{key:?} has no golden sequence");
        }
    }
}

#[test]
fn every_example_stands() {
    for package in PACKAGES {
        for entry in package.entries {
            let call = package
                .read(&format!("{}({})", entry.name, entry.example))
                .unwrap_or_else(|e| panic!("{}: {e}", entry.name));
            let run = Run {
                peak: 1.0,
                steps: 100,
                version: None,
                epoch: Some(10),
                processes: 1,
            };
            let rates = package.rates(&call, &run);
            let rates = rates.unwrap_or_else(|e| panic!("{}: {e}", entry.name));
            assert_eq!(rates.len(), 100, "{}", entry.name);
            assert!(rates.iter().all(|rate| rate.is_finite()));
        }
    }
}
