use super::*;
use clap::Parser;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    export: Export,
}

/// What `lrscout export ...` prints.
fn printed(arguments: &[&str]) -> anyhow::Result<String> {
    let command = Command::try_parse_from(
        std::iter::once("export").chain(arguments.iter().copied()),
    )?;
    let mut out = vec![];
    command.export.run(&mut out)?;
    Ok(String::from_utf8(out)?)
}

#[test]
fn the_header_says_what_it_is_and_how_to_rescale() {
    let spec = "{ kind = \"cosine\", end_ratio = 0.1 }";
    let got = printed(&[
        spec, "--peak", "0.1", "--steps", "100", "--target", "torch",
    ]);
    let want = "\
# The learning-rate schedule cosine(end_ratio=0.1), for torch.
#
# peak      0.1, the highest learning rate
# steps     100 optimizer updates, counted from 0
# evidence  convex bound 0.2031 (linear 0.2036), best peak expected at 0.91 \
of linear's; no training
# rescale   another model or batch: change PEAK alone, the shape is free of \
it;
#           another budget: write the file again, shares of the steps follow \
it
#           and lengths in steps stay:
#           lrscout export '{ kind = \"cosine\", end_ratio = 0.1 }' --peak \
0.1 --steps 100 --target torch

import math

from torch.optim.lr_scheduler import LambdaLR

PEAK = 0.1
STEPS = 100


def cosine_at(t):
    end_ratio = 0.1
    cycles = 0.5
    steps = 100.0
    p = t / steps
    return end_ratio + (1.0 - end_ratio) * \
((1.0 + math.cos(math.pi * (2.0 * cycles * p))) / 2.0)


def factor(step):
    \"\"\"Share of the peak at update `step`, from 0; the last one holds.\"\"\"
    return cosine_at(float(min(step, STEPS - 1)))


def lr(step):
    \"\"\"Learning rate of update `step`.\"\"\"
    return PEAK * factor(step)


def scheduler(optimizer):
    \"\"\"For an optimizer made with `lr=PEAK`; step it after each update.\"\"\"
    return LambdaLR(optimizer, factor)
";
    assert_eq!(got.expect("stands"), want);
}

#[test]
fn the_place_on_a_leaderboard_is_evidence() {
    let folder = tempfile::tempdir().expect("a folder");
    let rows = (0..40).map(|seed| format!("w,linear,{seed},1.5\n"));
    let rows: String = rows.collect();
    let runs = format!("workload,schedule,seed,valid_loss\n{rows}");
    let path = folder.path().join("runs.csv");
    std::fs::write(path, runs).expect("writable");
    let dir = folder.path().to_str().expect("UTF-8");
    let run = |kind: &str| {
        let spec = format!("{{ kind = \"{kind}\" }}");
        let rest = ["--peak", "1", "--steps", "9", "--target", "candle"];
        printed(&[&[spec.as_str()][..], &rest, &["--results", dir]].concat())
    };
    let got = run("linear").expect("stands");
    let want = format!("//! evidence  control in {dir}: place 1 of 1");
    assert!(got.contains(&want), "{got}");
    let error = run("rex").expect_err("not on the board").to_string();
    assert!(error.ends_with("no schedule `rex`, it has linear"), "{error}");
}

/// The lines of the header with these words in front.
fn header(arguments: &[&str]) -> Vec<String> {
    let text = printed(arguments).expect("stands");
    let keys = ["peak ", "steps ", "evidence "];
    let lines = text.lines().map(|line| line.trim_start_matches("# "));
    let is_key = |line: &&str| keys.iter().any(|key| line.starts_with(key));
    let title = lines.clone().take(1);
    title.chain(lines.filter(is_key)).map(str::to_owned).collect()
}

#[test]
fn a_folder_gives_the_winner_its_peak_and_its_steps() {
    let dir = "results/standard";
    let asked = ["--results", dir, "--workload", "digits-mlp"];
    let target = ["--target", "torch"];
    let at = |rest: &[&str]| header(&[&asked[..], &target, rest].concat());
    let leading = "recommended in results/standard: place 1 of 10, mean \
                   rank 3.60, 110 runs";
    assert_eq!(
        at(&["--steps", "1000"]),
        [
            "The learning-rate schedule wsd(decay=0.6,warmup=5%), for \
             torch.",
            "peak      0.1890038958678249, the highest learning rate",
            "steps     1000 optimizer updates, counted from 0",
            &format!("evidence  {leading}"),
        ]
    );
    // What is given wins.
    let linear = "{ kind = \"linear\", warmup = \"5%\" }";
    let given = at(&[linear, "--peak", "0.5", "--steps", "77"]);
    assert_eq!(
        given[..3],
        [
            "The learning-rate schedule linear(warmup=5%), for torch.",
            "peak      0.5, the highest learning rate",
            "steps     77 optimizer updates, counted from 0",
        ]
    );
    assert!(given[3].contains(" in results/standard: place "), "{given:?}");
}

#[test]
fn what_a_folder_leaves_open_is_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let foreign = folder.path();
    let rows = "workload,schedule,seed,valid_loss\nw,cosine,1,0.5\n\
                w,linear,1,0.4\n";
    std::fs::write(foreign.join("runs.csv"), rows).expect("writable");
    let foreign = foreign.to_str().expect("UTF-8");
    let own = tempfile::tempdir().expect("a folder");
    let rows = "workload,schedule,budget,seed,valid_loss\nw,baseline,9,1,0.3\n\
                w,linear,9,1,0.4\n";
    std::fs::write(own.path().join("runs.csv"), rows).expect("writable");
    let own = own.path().to_str().expect("UTF-8");
    let empty = tempfile::tempdir().expect("a folder");
    let empty = empty.path().to_str().expect("UTF-8");
    let standard = "results/standard";
    let cases: [(&str, &[&str]); 10] = [
        (standard, &[]),
        (standard, &["--steps", "1000"]),
        (standard, &["--steps", "1000", "--workload", "digits"]),
        (standard, &["--steps", "99", "--workload", "digits-mlp"]),
        (standard, &["rex", "--steps", "9", "--peak", "1"]),
        (foreign, &[]),
        (foreign, &["--steps", "9"]),
        (foreign, &["--steps", "9", "--peak", "1"]),
        (own, &["--peak", "1"]),
        (empty, &["--steps", "9", "--peak", "1"]),
    ];
    let said = cases.map(|(dir, rest)| {
        let fixed = ["--target", "hf", "--results", dir];
        let error = printed(&[&fixed, rest].concat()).expect_err("open");
        let said = error.to_string();
        let said = said.replace(foreign, "foreign").replace(own, "own");
        said.replace(empty, "empty")
    });
    insta::assert_snapshot!(said.join("\n"));
}
