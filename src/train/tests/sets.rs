//! Each data set of the catalogue in a grid, and twenty updates on it.

use crate::data::{Split, load};
use crate::grid::{Experiment, Known};
use crate::learner::Learner;
use crate::record::Outcome;
use crate::schedule::ScheduleSpec;
use crate::spec::{Form, Set, TrainerSpec};
use crate::workload::Registry;
use candle_core::Device;
use std::path::Path;
use std::sync::Arc;

const STEPS: usize = 20;

/// A small model that can learn from `form`.
fn small(form: Form) -> &'static str {
    match form {
        Form::Signal(_, length) if length < 8 => r#""mlp", hidden = [8]"#,
        Form::Signal(..) | Form::Picture(_) => {
            r#""cnn", channels = [4], hidden = [8]"#
        }
        Form::Text(_) => r#""transformer", width = 8, layers = 1, heads = 2"#,
        Form::Rows(_) | Form::Switches(_) => r#""mlp", hidden = [8]"#,
    }
}

/// The first rows: evaluations are not what is tested.
fn beginning(split: &Split, rows: usize) -> Split {
    let cut = |tensor: &candle_core::Tensor| {
        tensor.narrow(0, 0, rows.min(split.len())).expect("that many")
    };
    Split { inputs: cut(&split.inputs), targets: cut(&split.targets) }
}

/// Trains on `set` as a grid describes it.
fn trains(set: &Set) {
    let name = set.name;
    let text = format!(
        "budgets = [{STEPS}]\n[[workload]]\n\
         model = {{ kind = {} }}\ndataset = \"{name}\"\n\
         optimizer = \"adamw\"\nbatch = 32\n\
         [[schedule]]\nkind = \"linear\"\n",
        small(set.form)
    );
    let grid =
        Experiment::parse(Path::new("grid.toml"), &text, &Known::default());
    let grid = grid.expect("a grid");
    let TrainerSpec::Candle(spec) = &grid.workloads[0].spec else {
        panic!("{name}: no program was named")
    };
    let data = load(&spec.dataset, 0.0, Path::new(""), &Device::Cpu);
    let mut data = data.expect("it loads");
    data.valid = beginning(&data.valid, 64);
    data.test = beginning(&data.test, 64);
    let registry = Registry::builtin();
    let workload =
        registry.workload(name, spec, Arc::new(data), Arc::default());
    let workload = workload.expect("a model that fits");
    let fit = Learner::of(workload, 0)
        .fit_spec(&ScheduleSpec::linear(), 0.003, STEPS)
        .expect("trains");
    assert_eq!((fit.outcome, fit.steps), (Outcome::Completed, STEPS), "{name}");
    let loss = fit.valid.map(|score| score.loss).expect("a score");
    assert!(loss.is_finite() && loss > 0.0, "{name}: {loss}");
}

#[test]
fn every_embedded_set_trains() {
    Set::all().filter(|set| !set.is_generated()).for_each(trains);
}

#[test]
fn every_generated_set_trains() {
    Set::all().filter(|set| set.is_generated()).for_each(trains);
}
