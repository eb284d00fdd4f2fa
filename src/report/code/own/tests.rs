use super::exact;
use crate::grid::parse_schedule;
use crate::report::code::Target;
use crate::report::code::tests::exported;
use std::fmt::Write as _;

/// The settings of a framework's own scheduler, on one line.
fn settings(spec: &str, target: Target) -> String {
    let spec = parse_schedule(spec).expect("a spec that reads");
    let Some(own) = exported(&spec, |export| exact(export, target)) else {
        return "none".to_owned();
    };
    let settings = own.listed(", ", |key, value| format!("{key} {value}"));
    format!("{}: {settings}", own.name)
}

/// `python/tests/exports.py` runs them in the frameworks.
#[test]
fn they_are_used_where_they_are_exact() {
    let mut said = String::new();
    for spec in [
        "{ kind = \"constant\" }",
        "{ kind = \"constant\", warmup = 9 }",
        "{ kind = \"linear\" }",
        "{ kind = \"linear\", warmup = 9 }",
        "{ kind = \"linear\", warmup = 9, warmup_start_ratio = 0 }",
        "{ kind = \"linear\", end_ratio = 0.1 }",
        "{ kind = \"cosine\", cooldown = 0.2 }",
        "{ kind = \"cosine\" }",
        "{ kind = \"cosine\", warmup = 9, end_ratio = 0.1 }",
        "{ kind = \"polynomial\", power = 3 }",
        "{ kind = \"sgdr\", cycles = 3 }",
        "{ kind = \"inverse-sqrt\", warmup = 9, warmup_start_ratio = 0 }",
        "{ kind = \"wsd\", decay = 0.5, warmup = 7 }",
        "{ kind = \"triangular\", inc_fraction = 1 }",
        "{ kind = \"one-cycle\" }",
        "{ kind = \"one-cycle\", cycle_momentum = [0.85, 0.95] }",
        "{ kind = \"rex\" }",
    ] {
        let _ = writeln!(said, "{spec}");
        for target in [Target::Hf, Target::Deepspeed, Target::Megatron] {
            let own = settings(spec, target);
            let _ = writeln!(said, "  {}: {own}", target.name());
        }
    }
    insta::assert_snapshot!(said);
}

#[test]
fn megatron_says_what_comes_nearest() {
    let spec = parse_schedule("{ kind = \"rex\" }").expect("it reads");
    let source = exported(&spec, |export| export.source(Target::Megatron));
    let error = source.expect_err("no flags").to_string();
    insta::assert_snapshot!(error);
}
