use super::*;
use serde_json::Value;
use std::fmt::Write as _;

/// The files that the real packages wrote, and what is right about them.
const TOOLS: [&str; 7] = [
    "fastai",
    "ignite",
    "keras",
    "lightning",
    "monai",
    "torch-lr-finder",
    "wandb",
];

/// Files that show by themselves what they are.
const PLAIN: [&str; 15] = [
    "fastai/no-stop.json",
    "fastai/recorder.json",
    "fastai/wide-range.csv",
    "keras/epochs.csv",
    "lightning/metrics.csv",
    "lightning/results.json",
    "lightning/wide-range.csv",
    "monai/history.json",
    "monai/linear.json",
    "monai/never-diverged.csv",
    "torch-lr-finder/history.json",
    "torch-lr-finder/raw-losses.csv",
    "wandb/lightning.csv",
    "wandb/loop.json",
    "wandb/panel.csv",
];

fn folder(tool: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import").join(tool)
}

fn read(path: &Path, from: Option<&str>, said: Option<Smoothed>) -> Recorded {
    let curve = Curve {
        curve: None,
        from: from.map(|tool| tool.parse().expect("a tool")),
        lr: None,
        loss: None,
        smoothed: said,
    };
    let recorded = curve.recorded(path);
    recorded.unwrap_or_else(|error| panic!("{error}"))
}

/// Every file with its tool and what is right about it.
fn each_file(test: &mut dyn FnMut(&str, &str, &Value)) {
    for tool in TOOLS {
        let text = std::fs::read_to_string(folder(tool).join("right.json"));
        let right: Value =
            serde_json::from_str(&text.expect("a file")).expect("JSON");
        let files = right["files"].as_object().expect("files");
        assert_eq!(files.len(), 3, "{tool}");
        files.iter().for_each(|(name, right)| test(tool, name, right));
    }
}

/// Whether two rates are the same, but for the digits of the files.
fn near(a: f64, b: f64) -> bool {
    (a / b - 1.0).abs() < 1e-5
}

#[test]
fn files_of_real_tools_give_the_rate_of_their_raw_losses() {
    let mut plain = vec![];
    each_file(&mut |tool, name, right| {
        let folder = folder(tool);
        let raw = folder.join(right["raw"].as_str().expect("a name"));
        let raw = read(&raw, None, Some(Smoothed::No(DECLARED)));
        let want = raw.reading(Rule::Lrscout);
        let want_lr = want.lr.expect("an answer");
        let told = read(&folder.join(name), Some(tool), None);
        let got = told.reading(Rule::Lrscout);
        let at = format!("{tool}/{name}: {got:?} is not {want:?}");
        assert!(got.lr.is_some_and(|lr| near(lr, want_lr)), "{at}");
        assert_eq!(got.outcome, want.outcome, "{at}");
        for (ours, theirs) in told.points().iter().zip(raw.points()) {
            let off = (ours.loss - theirs.loss).abs();
            let most = if name == "six-digits.csv" { 1e-3 } else { 2e-4 };
            let alike = off <= most * theirs.loss.abs().max(1.0);
            let unreadable = !theirs.loss.is_finite() || theirs.loss > 1e3;
            assert!(alike || unreadable, "{tool}/{name}: {ours:?} {theirs:?}");
        }
        let guessed = read(&folder.join(name), None, None);
        let lr = guessed.reading(Rule::Lrscout).lr;
        if lr.is_some_and(|lr| near(lr, want_lr)) {
            plain.push(format!("{tool}/{name}"));
        }
    });
    assert_eq!(plain, PLAIN);
}

#[test]
fn rules_answer_as_the_packages_did_on_the_same_files() {
    let mut compared = 0;
    each_file(&mut |tool, name, right| {
        // The package says the rate that it recorded.
        let from = Some(tool).filter(|tool| *tool != "ignite");
        let recorded = read(&folder(tool).join(name), from, None);
        let mut said: Vec<(&str, f64)> = vec![];
        if let Some(rule) = right["rule"].as_str() {
            said.push((rule, right["suggestion"].as_f64().expect("a rate")));
        }
        for (rule, lr) in right["suggestions"].as_object().into_iter().flatten()
        {
            said.push((rule, lr.as_f64().expect("a rate")));
        }
        for (rule, want) in said {
            let rule: Rule = rule.parse().expect("a rule");
            let lr = recorded.reading(rule).lr.expect("an answer");
            assert!(near(lr, want), "{tool}/{name}, {rule}: {lr} {want}");
            compared += 1;
        }
    });
    assert_eq!(compared, 13);
}

#[test]
fn rates_of_ignite_are_those_of_the_update_before() {
    let path = folder("ignite").join("results.json");
    let rate = |from| {
        let found = read(&path, from, None).reading(Rule::Ignite);
        found.lr.expect("an answer")
    };
    let rung = rate(None) / rate(Some("ignite"));
    assert!((rung - 10.0_f64.powf(0.06)).abs() < 1e-6, "{rung}");
}

#[test]
fn one_line_says_what_was_done() {
    let mut said = String::new();
    each_file(&mut |tool, name, _| {
        let recorded = read(&folder(tool).join(name), Some(tool), None);
        let (read, losses) = (&recorded.read, &recorded.losses);
        writeln!(said, "{tool}/{name}: {read}; {losses}").expect("a string");
    });
    insta::assert_snapshot!(said);
}

#[test]
fn words_for_averages_are_read() {
    let by = |average| Smoothed::By(average);
    for (word, want) in [
        ("none", Smoothed::No(DECLARED)),
        ("1", Smoothed::No(DECLARED)),
        ("mean", Smoothed::Means),
        ("keras", Smoothed::Means),
        ("0.05", Smoothed::Weight(0.05)),
        ("lightning", by(Average::LIGHTNING)),
        ("fastai", by(Average::FASTAI)),
        ("monai", by(Average::TORCH_LR_FINDER)),
    ] {
        assert_eq!(smoothed(word).expect(word), want, "{word}");
    }
    for word in ["0", "1.5", "-0.1", "nan", "savgol"] {
        smoothed(word).expect_err(word);
    }
    let message = |word| smoothed(word).expect_err(word).to_string();
    assert_eq!(
        message("lightening"),
        "unknown average `lightening`, did you mean `lightning`?"
    );
    assert_eq!(
        message("savgol"),
        "unknown average `savgol`, expected `none`, `mean`, \
         `torch-lr-finder`, `lightning`, `fastai`, `ignite`, `monai`, \
         `keras`, `wandb` or `plain`"
    );
}
