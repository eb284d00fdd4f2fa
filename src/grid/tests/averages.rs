//! Schedules that average weights, and workloads that they do not suit.

use super::*;

/// The error about the valid grid with these keys in place of a line.
fn refused(workload: &str, schedule: &str) -> String {
    let mut lines = BASE.map(str::to_owned);
    lines[4] = workload.to_owned();
    lines[8] = schedule.to_owned();
    parse(&lines.join("\n")).expect_err("misfits").to_string()
}

#[test]
fn an_average_is_an_axis_like_others() {
    let grid = valid(&with(9, "kind = \"wsd\"\naverage = [\"off\", \"ema\"]"));
    assert_eq!(labels(&grid), ["linear", "wsd", "wsd(average=ema)"]);
    let ratios =
        "kind = \"schedule-free\"\nlr_ratio = [1, 10]\nwarmup = \"5%\"";
    let grid = valid(&with(9, ratios));
    assert_eq!(
        labels(&grid)[1..],
        ["schedule-free(warmup=5%)", "schedule-free(lr_ratio=10,warmup=5%)"]
    );
}

#[test]
fn an_optimizer_without_a_schedule_free_form_is_refused_with_its_workload() {
    let free = "kind = \"schedule-free\"";
    let error = refused("dataset = \"letter\"\noptimizer = \"lion\"", free);
    assert_eq!(
        error,
        "grid.toml:10:8: `schedule-free`: the workload `letter-mlp` cannot \
         be trained so: lion has no schedule-free form, only sgd and adamw \
         have one: take one of them, or give the schedule a grid without it"
    );
    let nesterov = "dataset = \"letter\"\noptimizer = { kind = \"sgd\", \
                    nesterov = true }";
    let error = refused(nesterov, free);
    assert!(error.contains("`nesterov` looks ahead"), "{error}");
    // An average of the weights is taken of any optimizer's.
    let ema = "kind = \"constant\"\naverage = \"ema\"";
    let lion = with(5, "dataset = \"letter\"\noptimizer = \"lion\"");
    valid(&lion.replace("kind = \"cosine\"", ema));
}

#[test]
fn a_program_averages_its_weights_itself() {
    for schedule in
        ["kind = \"schedule-free\"", "kind = \"constant\"\naverage = \"swa\""]
    {
        let text = with(9, schedule)
            .replace("model = \"mlp\"\n", "name = \"p\"\n")
            .replace(
                "dataset = \"letter\"\n",
                "command = [\"sh\"]\nfingerprint = []\n",
            );
        let error = parse(&text).expect_err("misfits").to_string();
        assert!(error.contains("keeps its weights to itself"), "{error}");
    }
}
