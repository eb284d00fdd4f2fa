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
    let specs = [
        "{ kind = \"cosine\", warmup_steps = 10 }",
        "{ kind = \"cosine\", warmup_ratio = 0.1 }",
        "{ kind = \"cosine\", warmup = 5.0 }",
        "{ kind = \"cosine\", eta_min = 0.1 }",
        "{ kind = \"CosineAnnealingLR\" }",
        "{ kind = \"cosine_with_restarts\" }",
        "{ kind = \"ReduceLROnPlateau\" }",
        "{ kind = \"warmup_stable_decay\" }",
    ];
    let refused = specs
        .map(|spec| values(spec, 20, "torch").expect_err("another's word"));
    insta::assert_snapshot!(refused.concat());
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
                steps: no milestone lies within the 30 steps, so it \
                is `constant`\n\
                grid: warning: `noam` at a budget of 30 steps: its 4000 \
                warm-up steps do not end within the 30 steps, so it only \
                rises\n";
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

    let folder = folder_with(SHORT);
    for verb in
        [&["run", "grid.toml", "--quiet"][..], &["report", "results/grid"]]
    {
        lrscout(folder.path()).args(verb).assert().success();
        let report = folder.path().join("results/grid/report.md");
        let report = std::fs::read_to_string(report).expect("a report");
        let note = "at a budget of 30 steps: its 4000 warm-up steps do not \
                    end within the 30 steps, so it only rises.";
        assert!(report.contains(note), "{verb:?}: {report}");
    }
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

const KNOWN: &str = r#"
seeds = 2
budgets = [20, 40]
lr_multiples = [0.5, 1]
control = "constant"
[lr_find]
per = "schedule"
[[workload]]
name = "{dataset} at {lr}"
model = { kind = "mlp", hidden = [8] }
dataset = "digits"
lr = [0.05, 2e-3]
[[workload]]
name = "found"
model = { kind = "mlp", hidden = [8] }
dataset = "digits"
[[schedule]]
kind = ["constant", "linear"]
"#;

/// The fields `names` of every row of a CSV without quotes.
fn fields(csv: &str, names: &[&str]) -> Vec<Vec<String>> {
    let mut lines = csv.lines().map(|line| line.split(','));
    let head: Vec<&str> = lines.next().expect("a header").collect();
    let at = |name: &&str| head.iter().position(|h| h == name);
    let at: Vec<usize> =
        names.iter().map(|name| at(name).expect("a column")).collect();
    lines
        .map(|line| {
            let cells: Vec<&str> = line.collect();
            at.iter().map(|&i| cells[i].to_owned()).collect()
        })
        .collect()
}

#[test]
fn a_rate_that_is_known_takes_the_finders_place() {
    let known = KNOWN.split("[[workload]]\nname = \"found\"").next();
    let rest = KNOWN.split("[[schedule]]").nth(1).expect("a schedule");
    let known = format!("{}[[schedule]]{rest}", known.expect("a workload"));
    let folder = folder_with(&known);
    let run = |arguments: &[&str]| {
        let output = lrscout(folder.path()).args(arguments).output();
        let output = output.expect("it starts");
        assert!(output.status.success(), "{output:?}");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        (text(output.stdout), text(output.stderr))
    };
    let (out, _) = run(&["check", "grid.toml", "--no-estimate"]);
    assert!(out.contains("  0 learning rates to find, 32 runs"), "{out}");
    let (out, _) = run(&["run", "grid.toml", "--dry-run"]);
    assert!(out.contains("0 of 0 learning rates and 32 of 32 runs"), "{out}");
    let (_, error) = run(&["run", "grid.toml", "--jobs", "2"]);
    assert!(!error.contains("learning rates"), "{error}");

    let results = folder.path().join("results/grid");
    let read = |name: &str| {
        std::fs::read_to_string(results.join(name)).expect("a table")
    };
    let finds = fields(
        &read("lr_find.csv"),
        &[
            "workload",
            "budget",
            "lr",
            "low",
            "high",
            "outcome",
            "rule",
            "cost_steps",
        ],
    );
    assert_eq!(
        finds,
        [
            ["digits at 0.05", "40", "0.05", "0.05", "0.05", "given", "", "0"],
            [
                "digits at 0.002",
                "40",
                "0.002",
                "0.002",
                "0.002",
                "given",
                "",
                "0"
            ],
        ]
    );
    assert!(!results.join("lr_find").exists(), "no range test, no curve");
    let names = ["workload", "cluster", "lr_multiple", "peak_lr", "outcome"];
    let runs = fields(&read("runs.csv"), &names);
    assert_eq!(runs.len(), 32);
    for run in &runs {
        let want = match (run[0].as_str(), run[2].as_str()) {
            ("digits at 0.05", "0.5") => "0.025",
            ("digits at 0.05", "1.0") => "0.05",
            ("digits at 0.002", "0.5") => "0.001",
            _ => "0.002",
        };
        assert_eq!([&run[1], &run[3], &run[4]], ["digits", want, "completed"]);
    }
    let report = read("report.md");
    assert!(!report.contains("did not settle"), "{report}");

    let (out, error) = run(&["find-lr", "grid.toml"]);
    assert_eq!(fields(&out, &["outcome"]), [["given"], ["given"]]);
    let want = "digits at 0.05, 40 steps: the rate is given";
    assert!(error.starts_with(want), "{error}");
}

#[test]
fn a_grids_own_runs_stay_as_they_are_beside_a_rate_that_is_known() {
    let ids = |grid: &str| {
        let folder = folder_with(grid);
        let quick = ["run", "grid.toml", "--quiet", "--filter", "seed=0"];
        let output = lrscout(folder.path()).args(quick).output();
        assert!(output.expect("it starts").status.success());
        let path = folder.path().join("results/grid/runs.csv");
        let csv = std::fs::read_to_string(path).expect("runs.csv");
        let rows = fields(&csv, &["workload", "run_id"]).into_iter();
        rows.filter(|row| row[0] == "found").collect::<Vec<_>>()
    };
    let quick = KNOWN
        .replace("per = \"schedule\"", "verify = false\nseeds = 1\nsteps = 20");
    let (head, first) =
        quick.split_once("[[workload]]").expect("two workloads");
    let (_, second) = first.split_once("[[workload]]").expect("two");
    let alone = format!("{head}[[workload]]{second}");
    assert_eq!(ids(&quick), ids(&alone));
    assert_eq!(ids(&alone).len(), 8);
}

#[test]
fn a_budget_in_epochs_is_in_steps_in_every_table() {
    // 1,000 digits train, and 64 make a batch: 15 whole ones a pass.
    let grid = SHORT.replace("budgets = [30]", "budgets = [\"4 epochs\"]");
    let check = ["check", "grid.toml", "--no-estimate", "--format", "json"];
    let (code, out, error) = said(&grid, &check);
    assert_eq!(code, Some(0), "{error}");
    let json: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(json["budgets"], serde_json::json!([60]));
}
