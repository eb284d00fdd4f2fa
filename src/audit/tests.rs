use super::*;
use crate::gzip;
use crate::import::read_rates;
use crate::schedule::{Library, Schedule};
use serde_json::Value;
use std::path::Path;

/// Logs of real trainings, with the fault that was planted into each.
fn planted() -> Vec<Value> {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/audit.jsonl.gz");
    let bytes = std::fs::read(path).expect("a file");
    let text = gzip::unpacked(Path::new(path), &bytes).expect("gzip");
    let text = String::from_utf8(text).expect("text");
    let read = |line| serde_json::from_str(line).expect("JSON");
    text.lines().map(read).collect()
}

fn text<'a>(planted: &'a Value, key: &str) -> &'a str {
    planted[key].as_str().expect("text")
}

fn log(planted: &Value) -> Log {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(text(planted, "file"));
    std::fs::write(&path, text(planted, "text")).expect("written");
    Log::of(&read_rates(&path, None, None).expect("a log"))
}

/// The log against the schedule that was intended.
fn compared(planted: &Value) -> Finding {
    let spec = crate::grid::parse_schedule(text(planted, "spec"));
    let spec = spec.expect("a spec");
    let peak = planted["peak"].as_f64().expect("a peak");
    let steps = planted["steps"].as_u64().expect("steps");
    let library = planted["compat"].as_str().map(|name| {
        let mut all = Library::ALL.into_iter();
        all.find(|library| library.name() == name).expect("a library")
    });
    let of = |plan: u64| -> Option<Rates> {
        let steps = usize::try_from(plan).ok()?;
        let lr: Box<dyn Schedule> = if let Some(library) = library {
            spec.build_compat(library, peak, steps).ok()?
        } else {
            let factor = spec.formula(steps).ok()?;
            Box::new(move |step: usize| peak * factor.at(step as f64))
        };
        Some(Box::new(move |update: u64| {
            lr.lr(usize::try_from(update.min(plan)).expect("fits"))
        }))
    };
    let rate = of(steps).expect("a schedule");
    let intended = Intended::new(steps, &rate, Some(&of));
    against(&log(planted), &intended)
}

#[test]
fn planted_faults_are_found_and_clean_logs_are_not_blamed() {
    let (mut faults, mut updates, mut all) = (0, 0, 0);
    for planted in planted() {
        let name = text(&planted, "name");
        let fault = text(&planted, "fault");
        let finding = compared(&planted);
        let wanted = match fault {
            "none" => Verdict::AsIntended,
            _ => Verdict::Differs,
        };
        assert_eq!(finding.verdict, wanted, "{name}: {}", finding.said);
        if fault == "none" {
            continue;
        }
        all += 1;
        let found = serde_json::to_value(finding.fault).expect("JSON");
        faults += usize::from(found == *fault);
        let first = planted["first_update"].as_u64().expect("an update");
        let every = planted["every"].as_u64().expect("a distance");
        let off = finding.first_update.expect("one").abs_diff(first);
        updates += usize::from(off <= every.max(2));
    }
    assert_eq!((all, faults, updates), (177, 168, 172));
}

#[test]
fn logs_alone_are_rarely_blamed_and_often_named() {
    let (mut clean, mut named, mut blamed, mut seen, mut all) = (0, 0, 0, 0, 0);
    for planted in planted() {
        let log = log(&planted);
        let name = super::named(&log);
        let finding = alone(&log, name.as_ref());
        if text(&planted, "fault") == "none" {
            clean += 1;
            blamed += usize::from(finding.verdict == Verdict::Differs);
            named += usize::from(finding.verdict == Verdict::AsIntended);
        } else {
            all += 1;
            seen += usize::from(finding.verdict == Verdict::Differs);
        }
    }
    assert_eq!((clean, named, blamed), (112, 97, 0));
    assert_eq!((all, seen), (177, 113));
}

/// A log of `rates`, one for each update.
fn log_of(rates: impl IntoIterator<Item = f64>) -> Log {
    let text: String = std::iter::once("step,lr\n".to_owned())
        .chain(
            (rates.into_iter().enumerate()).map(|(i, r)| format!("{i},{r}\n")),
        )
        .collect();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log.csv");
    std::fs::write(&path, text).expect("written");
    Log::of(&read_rates(&path, None, None).expect("a log"))
}

#[test]
fn every_closed_kind_keeps_its_name() {
    for (spec, kind) in [
        ("constant", "constant"),
        ("{ kind = \"linear\", warmup = 100 }", "linear"),
        ("{ kind = \"cosine\", warmup = 50, end_ratio = 0.1 }", "cosine"),
        ("polynomial", "polynomial"),
        ("exponential", "exponential"),
        ("step", "step"),
        ("{ kind = \"inverse-sqrt\", warmup = 100 }", "inverse-sqrt"),
        ("{ kind = \"wsd\", warmup = 100, decay = 0.4 }", "wsd"),
        ("one-cycle", "one-cycle"),
        ("triangular", "triangular"),
        ("cyclical", "cyclical"),
        ("{ kind = \"sgdr\", cycles = 3 }", "sgdr"),
        ("rex", "rex"),
        ("one-minus-sqrt", "one-minus-sqrt"),
        ("k-decay", "k-decay"),
    ] {
        let spec = crate::grid::parse_schedule(spec).expect("a spec");
        let log = log_of(spec.rates(1e-3, 1200).expect("rates"));
        let named = super::named(&log).unwrap_or_else(|| panic!("{kind}"));
        assert_eq!(named.kind, kind);
        let finding = alone(&log, Some(&named));
        assert_eq!(finding.verdict, Verdict::AsIntended, "{}", finding.said);
        let again = crate::grid::parse_schedule(&named.spec).expect("a spec");
        let steps = named.steps.unwrap_or(1200);
        let steps = usize::try_from(steps).expect("fits");
        let rates = again.rates(named.peak, steps).expect("rates");
        for (point, rate) in log.points.iter().zip(rates) {
            let off = (point.rate - rate).abs();
            assert!(off < 1e-4 * 1e-3, "{kind}: {}", named.spec);
        }
    }
}

#[test]
fn too_few_rates_say_nothing() {
    let log = log_of([0.1, 0.1]);
    assert_eq!(alone(&log, None).verdict, Verdict::CannotTell);
}

#[test]
fn rates_of_0_train_nothing() {
    let log = log_of([0.0; 9]);
    let name = super::named(&log);
    let finding = alone(&log, name.as_ref());
    assert_eq!(finding.fault, Some(Fault::ZeroStart));
}
