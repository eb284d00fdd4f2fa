//! The file of a framework: its imports, the pure function, its wrapper.

use super::dialect::{Dialect, Functions};
use super::own::Own;
use super::python::wrapper;
use super::{Export, Target};

/// Everything after the header.
pub(super) fn body(
    export: &Export<'_>,
    target: Target,
    own: Option<&Own>,
) -> String {
    if target.is_rust() {
        rust(export, target)
    } else {
        python(export, target, own)
    }
}

fn python(export: &Export<'_>, target: Target, own: Option<&Own>) -> String {
    let Export { peak, steps, formula, momentum, .. } = export;
    let mut functions = Functions::new(Dialect::Python);
    let entry = functions.entry(formula);
    let momentum = momentum.map(|formula| {
        let entry = functions.entry(formula);
        format!(
            "def momentum(step):\n    \
             \"\"\"Momentum (Adam's first beta) of update `step`, to be set \
             before it.\"\"\"\n    \
             return {entry}(float(min(step, STEPS - 1)))\n\n\n"
        )
    });
    let momentum = momentum.unwrap_or_default();
    let code = functions.code();
    let (imports, rest) = wrapper(export, target, own);
    let math = if code.contains("math.") { "import math\n\n" } else { "" };
    format!(
        "{math}{imports}\nPEAK = {peak:?}\nSTEPS = {steps}\n\n\n{code}\n\n\
         def factor(step):\n    \
         \"\"\"Share of the peak at update `step`, from 0; the last one \
         holds.\"\"\"\n    \
         return {entry}(float(min(step, STEPS - 1)))\n\n\n\
         def lr(step):\n    \
         \"\"\"Learning rate of update `step`.\"\"\"\n    \
         return PEAK * factor(step)\n\n\n{momentum}{rest}"
    )
}

fn rust(export: &Export<'_>, target: Target) -> String {
    let Export { peak, steps, formula, momentum, .. } = export;
    let mut functions = Functions::new(Dialect::Rust);
    let entry = functions.entry(formula);
    let momentum = momentum.map(|formula| {
        let entry = functions.entry(formula);
        format!(
            "/// Momentum (Adam's first beta) of update `step`, to be set \
             before it.\n\
             pub fn momentum(step: usize) -> f64 {{\n    \
             {entry}(step.min(STEPS - 1) as f64)\n}}\n\n"
        )
    });
    let momentum = momentum.unwrap_or_default();
    let code = functions.code();
    let rest = if target == Target::Burn { BURN } else { CANDLE };
    let (imports, rest) = rest.split_once("\n\n").unwrap_or(("", rest));
    format!(
        "{imports}\n\n\
         /// Highest learning rate.\npub const PEAK: f64 = {peak:?};\n\
         /// Optimizer updates.\npub const STEPS: usize = {steps};\n\n\
         /// Learning rate of update `step`, from 0.\n\
         pub fn lr(step: usize) -> f64 {{\n    PEAK * factor(step)\n}}\n\n\
         /// Share of the peak at update `step`, from 0; the last one holds.\n\
         pub fn factor(step: usize) -> f64 {{\n    \
         {entry}(step.min(STEPS - 1) as f64)\n}}\n\n{momentum}{code}\n{rest}"
    )
}

const CANDLE: &str = r"use candle_nn::Optimizer;

/// Gives `optimizer` the rate of update `step`; call it before each update.
pub fn set_lr(optimizer: &mut impl Optimizer, step: usize) {
    optimizer.set_learning_rate(lr(step));
}
";

const BURN: &str = r"use burn::LearningRate;
use burn::lr_scheduler::LrScheduler;
use burn::tensor::backend::Backend;

/// For burn's training loop (0.17 to 0.21); in a loop of your own, give
/// `lr(step)` to the optimizer's `step`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Schedule {
    done: usize,
}

impl LrScheduler for Schedule {
    type Record<B: Backend> = usize;

    fn step(&mut self) -> LearningRate {
        let rate = lr(self.done);
        self.done += 1;
        rate
    }

    fn to_record<B: Backend>(&self) -> Self::Record<B> {
        self.done
    }

    fn load_record<B: Backend>(self, record: Self::Record<B>) -> Self {
        Self { done: record }
    }
}
";
