//! Schedules and grids as people bring them, through the binary: other
//! libraries' conventions and words, runs too short for a schedule, names of
//! weights.

mod program;

use program::{folder_with, lrscout};

/// Exit code, standard output and standard error of `lrscout ARGUMENTS` beside
/// `grid`.
fn said(grid: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let folder = folder_with(grid);
    let output = lrscout(folder.path()).args(arguments).output();
    let output = output.expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// The rows that `schedules values` prints with a library's conventions at
/// peak 1, or what it refuses.
fn values(spec: &str, steps: usize, library: &str) -> Result<Vec<f64>, String> {
    let steps = steps.to_string();
    let (code, out, error) = said(
        "",
        &[
            "schedules",
            "values",
            spec,
            "--peak",
            "1",
            "--steps",
            &steps,
            "--compat",
            library,
        ],
    );
    if code != Some(0) {
        return Err(error);
    }
    let rows = out.lines().skip(1).filter_map(|row| row.split_once(','));
    Ok(rows.map(|(_, lr)| lr.parse().expect("a number")).collect())
}

#[test]
fn a_share_of_warmup_is_rounded_up_as_by_hugging_face() {
    // TrainingArguments.get_warmup_steps of transformers 5.24.
    for (share, steps, want) in
        [("5%", 101, 6), ("3%", 1010, 31), ("10%", 333, 34), ("6%", 70, 5)]
    {
        let spec = format!("{{ kind = \"linear\", warmup = \"{share}\" }}");
        let rates = values(&spec, steps, "hf").expect("it stands");
        assert_eq!(rates.iter().position(|&lr| lr == 1.0), Some(want));
    }
    let spec = "{ kind = \"linear\", warmup = \"5%\" }";
    let rates = values(spec, 101, "hf").expect("it stands");
    assert_eq!(rates[5], 0.833_333_333_333_333_4);
    assert_eq!(rates[7], 0.989_473_684_210_526_3);
}

#[test]
fn torch_takes_whole_cycles_alone() {
    let refused =
        values("{ kind = \"sgdr\", t_0 = 3, t_mult = 1.5 }", 12, "torch");
    let want = "error: torch has no such `t_mult`: it takes a whole number\n";
    assert_eq!(refused.expect_err("as torch"), want);
    let refused = values("{ kind = \"sgdr\", cycles = 3 }", 10, "torch");
    let refused = refused.expect_err("as torch");
    assert!(
        refused.starts_with("error: torch has no such `cycles`"),
        "{refused}"
    );
}

#[test]
fn kerass_warmup_counts_among_the_updates() {
    // CosineDecay(0, 7, warmup_target=1, warmup_steps=3) of Keras 3.15, in f32.
    let rates = values("{ kind = \"cosine\", warmup = 3 }", 10, "keras");
    let rates = rates.expect("it stands");
    for (step, want) in [(3, 1.0), (5, 0.811_744_9), (9, 0.049_515_566)] {
        assert!((rates[step] - want).abs() < 1e-6, "{step}: {}", rates[step]);
    }
    // The rates of decay_steps = 10.
    let rates = values("{ kind = \"cosine\", warmup = 3 }", 13, "keras");
    let rates = rates.expect("it stands");
    assert!((rates[9] - 0.345_491_5).abs() < 1e-6, "{}", rates[9]);
}

#[test]
fn timms_warmup_comes_before_with_a_prefix() {
    let spec = "{ kind = \"linear\", warmup = 2 }";
    let over = values(spec, 4, "timm").expect("it stands");
    assert_eq!(over, [0.0, 0.5, 0.5, 0.25]);
    let before = values(spec, 4, "timm-prefix").expect("it stands");
    assert_eq!(before, [0.0, 0.5, 1.0, 0.5]);
}

#[test]
fn words_of_other_libraries_say_what_does_it_here() {
    for (spec, want) in [
        ("{ kind = \"cosine\", warmup_steps = 10 }", "`warmup`, in steps"),
        ("{ kind = \"cosine\", warmup_ratio = 0.1 }", "such as \"10%\""),
        ("{ kind = \"cosine\", warmup = 5.0 }", "a whole number such as 5,"),
        ("{ kind = \"cosine\", eta_min = 0.1 }", "`end_ratio`, a ratio"),
        ("{ kind = \"CosineAnnealingLR\" }", "`kind = \"cosine\"`"),
        ("{ kind = \"cosine_with_restarts\" }", "`kind = \"sgdr\"`"),
        ("{ kind = \"ReduceLROnPlateau\" }", "`kind = \"plateau\"`"),
        ("{ kind = \"warmup_stable_decay\" }", "`kind = \"wsd\"`"),
    ] {
        let refused = values(spec, 20, "torch").expect_err("another's word");
        assert!(refused.contains(want), "{refused}");
    }
    let percent = values("{ kind = \"wsd\", decay = \"20%\" }", 20, "torch");
    assert_eq!(percent, values("{ kind = \"wsd\", decay = 0.2 }", 20, "torch"));
}

const SHORT: &str = r#"
seeds = 1
budgets = [30]
[lr_find]
verify = false
[[workload]]
model = { kind = "mlp", hidden = [8] }
dataset = "digits"
[[schedule]]
kind = "constant"
[[schedule]]
kind = "step"
milestones = [60, 90]
[[schedule]]
kind = "noam"
"#;

#[test]
fn schedules_that_never_reach_their_point_are_told_of() {
    let want = "grid: warning: `step(milestones=[60,90])` at a budget of 30 \
                steps: no milestone lies within the 30 steps, it is \
                `constant`\n\
                grid: warning: `noam` at a budget of 30 steps: its 4000 \
                warm-up steps do not end within the 30 steps, it only rises\n";
    let (code, _, error) =
        said(SHORT, &["check", "grid.toml", "--no-estimate"]);
    assert_eq!((code, error.as_str()), (Some(0), want));
    let (code, _, error) = said(SHORT, &["run", "grid.toml", "--dry-run"]);
    assert_eq!((code, error.as_str()), (Some(0), want));
    let (_, out, _) = said(
        SHORT,
        &["check", "grid.toml", "--no-estimate", "--format", "json"],
    );
    let json: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(json["never_reached"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_weight_that_is_not_there_is_found_before_any_training() {
    let grid = |model: &str, dataset: &str, weight: &str| {
        format!(
            "seeds = 1\nbudgets = [20]\n[[workload]]\nmodel = {model:?}\n\
             dataset = {dataset:?}\noptimizer = {{ kind = \"adamw\", \
             lr_multipliers = {{ bias = 0.5, {weight:?} = 0.1 }} }}\n\
             [[schedule]]\nkind = \"linear\"\n"
        )
    };
    let check = ["check", "grid.toml", "--no-estimate"];
    let (code, _, error) = said(&grid("mlp", "digits", "layers.0"), &check);
    assert_eq!(code, Some(1), "{error}");
    let want = "`lr_multipliers` has `layers.0`, which is part of no weight's \
                name; they are head.bias, head.weight, hidden0.bias";
    assert!(error.contains(want), "{error}");
    // Those of the format's page.
    for (model, dataset, weight) in [
        ("mlp", "digits", "hidden0"),
        ("transformer", "words", "block1"),
        ("resnet", "digits", "head"),
    ] {
        let (code, _, error) = said(&grid(model, dataset, weight), &check);
        assert_eq!(code, Some(0), "{error}");
    }
}
