use super::{Export, Target};
use crate::schedule::{Schedule, ScheduleSpec, kinds};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

const PEAK: f64 = 0.3;
const STEPS: usize = 97;

/// Every kind with its defaults, every formula of every kind, and what may
/// stand around them.
fn specs() -> Vec<ScheduleSpec> {
    let plain = kinds().iter().filter(|kind| kind.stands_alone());
    let plain = plain.map(|kind| format!(r#"{{"kind":"{}"}}"#, kind.name));
    let rows: Vec<f64> = (0..STEPS).map(|t| 1.0 / (1.0 + t as f64)).collect();
    let table = format!(r#"{{"kind":"table","factors":{rows:?}}}"#);
    let others = [
        r#"{"kind":"step","milestones":[1,20,60],"gamma":0.3}"#,
        r#"{"kind":"wsd","shape":"one-minus-sqrt","decay":0.3}"#,
        r#"{"kind":"wsd","shape":"cosine","end_ratio":0.1}"#,
        r#"{"kind":"wsd","shape":"square"}"#,
        r#"{"kind":"wsd","shape":"exponential","decay":1}"#,
        r#"{"kind":"one-cycle","anneal":"linear"}"#,
        r#"{"kind":"one-cycle","three_phase":true,"warmup":4,
            "cycle_momentum":[0.85,0.95]}"#,
        r#"{"kind":"triangular","inc_fraction":0}"#,
        r#"{"kind":"triangular","inc_fraction":1}"#,
        r#"{"kind":"cyclical","mode":"triangular2","step_size_down":3}"#,
        r#"{"kind":"cyclical","mode":"exp-range","gamma":0.99}"#,
        r#"{"kind":"sgdr","cycles":3,"magnitude_decay":0.5}"#,
        r#"{"kind":"sgdr","t_0":7,"t_mult":2,"end_ratio":0.01}"#,
        r#"{"kind":"sgdr","cycles":3,"t_mult":1.5}"#,
        r#"{"kind":"noam","warmup_steps":11}"#,
        r#"{"kind":"piecewise","points":[[0.1,0],[0.3,1],[0.3,0.5],[1,0]]}"#,
        r#"{"kind":"rex","warmup":9}"#,
        r#"{"kind":"inverse-sqrt","warmup":"10%","warmup_shape":"cosine"}"#,
        r#"{"kind":"linear","warmup":5,"warmup_shape":"exponential",
            "warmup_start_ratio":0.01}"#,
        r#"{"kind":"constant","warmup":5,"warmup_start_ratio":0.1,
            "warmup_shape":"cosine","cooldown":0.4}"#,
        r#"{"kind":"cosine","cooldown":0.2,"cooldown_shape":"exponential"}"#,
        r#"{"join":[{"kind":"linear","warmup":3,"steps":30},
            {"kind":"linear","end_ratio":0.5,"steps":30},
            {"kind":"step","steps":37}],"cooldown":0.5}"#,
    ]
    .map(str::to_owned);
    plain
        .chain(others)
        .chain([table])
        .map(|json| serde_json::from_str(&json).expect("a spec that reads"))
        .collect()
}

fn source(spec: &ScheduleSpec, target: Target) -> String {
    exported(spec, |export| export.source(target)).expect("stands")
}

/// What `ask` gets from the export of a schedule.
pub(super) fn exported<T>(
    spec: &ScheduleSpec,
    ask: impl FnOnce(&Export<'_>) -> T,
) -> T {
    let momentum = spec.momentum(STEPS).expect("stands");
    ask(&Export {
        label: &spec.label(),
        text: "{ kind = \"any\" }",
        spec,
        formula: &spec.formula(STEPS).expect("stands"),
        momentum: momentum.as_ref(),
        peak: PEAK,
        steps: STEPS,
        evidence: &[],
    })
}

/// The output of `command`, which has to succeed; `None` if it is not at
/// hand.
fn output(command: &mut Command) -> Option<String> {
    let done = match command.output() {
        Ok(done) => done,
        Err(error) => {
            eprintln!("skipped: {command:?}: {error}");
            return None;
        }
    };
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{command:?}: {said}");
    Some(String::from_utf8(done.stdout).expect("UTF-8"))
}

/// Compares what a program printed, a line for each schedule and way of
/// asking, with the rates of a run; two further steps hold the last rate.
fn compare(printed: &str, ways: usize) {
    let specs = specs();
    assert_eq!(printed.lines().count(), specs.len() * ways);
    for (row, line) in printed.lines().enumerate() {
        let spec = &specs[row / ways];
        let schedule = spec.build(PEAK, STEPS).expect("stands");
        let got: Vec<f64> =
            line.split(' ').map(|n| n.parse().expect("a number")).collect();
        assert_eq!(got.len(), STEPS + 2, "{}", spec.label());
        for (step, got) in got.into_iter().enumerate() {
            let want = schedule.lr(step);
            let close = (got - want).abs() <= 1e-6 * want.abs();
            let label = spec.label();
            assert!(close, "{label} at {step}: {got} is not {want}");
        }
    }
}

#[test]
fn cycled_momentum_is_written_too() {
    let spec = r#"{"kind":"one-cycle","cycle_momentum":[0.85,0.95]}"#;
    let spec = serde_json::from_str(spec).expect("a spec that reads");
    let python = source(&spec, Target::Torch);
    assert!(python.contains("\n    low = 0.85\n    high = 0.95\n"), "{python}");
    assert!(python.contains("return momentum_at(float("), "{python}");
    let rust = source(&spec, Target::Candle);
    assert!(rust.contains("momentum_at(step.min(STEPS - 1)"), "{rust}");
}

#[test]
fn no_name_leaves_the_header() {
    let formula = ScheduleSpec::constant().formula(STEPS).expect("stands");
    let export = Export {
        label: "table(file=a\nraise SystemExit\r.csv)",
        text: "{ kind = \"table\" }",
        spec: &ScheduleSpec::constant(),
        formula: &formula,
        momentum: None,
        peak: PEAK,
        steps: STEPS,
        evidence: &["of a folder\nb".to_owned()],
    };
    for target in Target::ALL {
        let source = export.source(target).expect("stands");
        if target == Target::Deepspeed {
            let json: serde_json::Value =
                serde_json::from_str(&source).expect("JSON");
            let first = json["comment"][0].as_str().expect("a line");
            assert!(first.contains("table(file=a raise SystemExit"), "{first}");
            continue;
        }
        let mark = if target.is_rust() { "//!" } else { "#" };
        let (header, _) = source.split_once("\n\n").expect("a header");
        assert!(header.lines().all(|line| line.starts_with(mark)), "{header}");
        assert!(header.contains("table(file=a raise SystemExit"), "{header}");
    }
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).expect("writable");
}

/// What the generated code takes from the frameworks, and no more.
const CANDLE: &str = "
pub trait Optimizer { fn set_learning_rate(&mut self, lr: f64); }";

const BURN: &str = "
pub type LearningRate = f64;
pub mod tensor { pub mod backend { pub trait Backend {} } }
pub mod record {
    pub trait Record<B> {}
    impl<B> Record<B> for usize {}
}
pub mod lr_scheduler {
    use super::{record::Record, tensor::backend::Backend};
    pub trait LrScheduler: Clone + Send + Sync {
        type Record<B: Backend>: Record<B> + Clone + 'static;
        fn step(&mut self) -> f64;
        fn to_record<B: Backend>(&self) -> Self::Record<B>;
        fn load_record<B: Backend>(self, record: Self::Record<B>) -> Self;
    }
}";

/// How a program asks for the rate of a step.
fn ask(target: Target, module: usize) -> String {
    match target {
        Target::Burn => format!(
            "{{ use burn::lr_scheduler::LrScheduler; \
             let mut s = s{module}::Schedule::default(); \
             show(|_| s.step()); }}"
        ),
        _ => format!(
            "{{ let mut o = Rate(0.0); show(|step| {{ \
             s{module}::set_lr(&mut o, step); o.0 }}); }}"
        ),
    }
}

#[test]
fn rust_code_gives_the_same_rates() {
    for (target, name, stub) in
        [(Target::Candle, "candle_nn", CANDLE), (Target::Burn, "burn", BURN)]
    {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let rustc = |arguments: &[&str]| {
            let mut command = Command::new("rustc");
            command.current_dir(folder.path()).args(["--edition", "2021"]);
            output(command.args(["-D", "warnings"]).args(arguments))
        };
        write(&at("stub.rs"), stub);
        let library = ["--crate-type", "lib", "--crate-name", name, "stub.rs"];
        if rustc(&library).is_none() {
            return;
        }
        let mut main = String::from(
            "#![allow(dead_code)]\n\
             struct Rate(f64);\n\
             fn show(mut lr: impl FnMut(usize) -> f64) {\n    \
             let all: Vec<_> = (0..COUNT).map(|t| format!(\"{:?}\", lr(t)))\
             .collect();\n    println!(\"{}\", all.join(\" \"));\n}\n",
        );
        let _ = writeln!(main, "const COUNT: usize = {};", STEPS + 2);
        if target == Target::Candle {
            main += "impl candle_nn::Optimizer for Rate {\n    \
                     fn set_learning_rate(&mut self, lr: f64) \
                     { self.0 = lr; }\n}\n";
        }
        let mut body = String::new();
        for (number, spec) in specs().iter().enumerate() {
            write(&at(&format!("s{number}.rs")), &source(spec, target));
            let _ = writeln!(main, "mod s{number};");
            let _ = writeln!(body, "    {}", ask(target, number));
        }
        let _ = writeln!(main, "fn main() {{\n{body}}}");
        write(&at("main.rs"), &main);
        let external = format!("{name}=lib{name}.rlib");
        rustc(&["--extern", &external, "main.rs"]);
        let mut program = Command::new(at("main"));
        compare(&output(&mut program).expect("just made"), 1);
    }
}

/// Stand-ins for the frameworks, and every way of asking for a rate.
const PYTHON: &str = r#"
import sys, types

def module(name, **members):
    made = types.ModuleType(name)
    made.__dict__.update(members)
    sys.modules[name] = made
    parent, _, last = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], last, made)

class Base:
    def __init__(self, base_lr=None):
        self.base_lr = base_lr

class Lambda:
    def __init__(self, optimizer, factor):
        self.optimizer, self.factor, self.last_epoch = optimizer, factor, 0
        self.get_lr()

    def get_lr(self):
        return [PEAK * self.factor(self.last_epoch)]

class Arguments:
    def __init__(self, output_dir, *, learning_rate, max_steps, **others):
        assert (learning_rate, max_steps) == (PEAK, STEPS)

class Optimizer:
    defaults = {"betas": (0.9, 0.99)}
    def __init__(self):
        self.param_groups = [{"lr": PEAK, "betas": (0.9, 0.99)}]

class Accelerator:
    num_processes, split_batches, step_scheduler_with_optimizer = 2, False, True

module("torch")
module("torch.optim")
module("torch.optim.lr_scheduler", LambdaLR=Lambda)
module("transformers", TrainingArguments=Arguments)
module("jax")
module("jax.numpy", asarray=list, minimum=min)
module("keras")
module("keras.optimizers")
module("keras.optimizers.schedules", LearningRateSchedule=Base)
module("keras.saving", register_keras_serializable=lambda **_: lambda one: one)
module("keras.ops", minimum=min, cast=lambda x, _: int(x),
       take=lambda rates, i: rates[i],
       convert_to_tensor=lambda rates, _: rates)
module("mxnet")
module("mxnet.lr_scheduler", LRScheduler=Base)

def rates(target, space):
    if target in ["optax", "keras", "mxnet"]:
        schedule = space["schedule" if target == "optax" else "Schedule"]()
        return (lambda t: schedule(t + 1)) if target == "mxnet" else schedule
    if "training_arguments" in space:
        space["training_arguments"]("here")
        return space["lr"]
    optimizer, times = Optimizer(), 1
    if target == "accelerate":
        times, made = 2, space["scheduler"](optimizer, Accelerator())
    elif target == "lightning":
        made = space["scheduled"](optimizer)["lr_scheduler"]
        assert made["interval"] == "step"
        made = made["scheduler"]
    elif target == "hf":
        _, made = space["optimizers"](optimizer)
    else:
        made = space["scheduler"](optimizer)
    def rate(t):
        made.last_epoch = times * t
        if "momentum" in space:
            made.get_lr()
            assert optimizer.param_groups[0]["betas"] == (space["momentum"](t), 0.99)
        return made.get_lr()[0]
    return rate

PEAK, STEPS = float(sys.argv[2]), int(sys.argv[3])
for number in range(int(sys.argv[1])):
    for target in sys.argv[4:]:
        space = {}
        exec(open(f"{number}-{target}.py").read(), space)
        rate = rates(target, space)
        print(*[repr(rate(t)) for t in range(STEPS + 2)])
"#;

#[test]
fn python_code_gives_the_same_rates() {
    let folder = tempfile::tempdir().expect("a folder");
    let specs = specs();
    // DeepSpeed has JSON and Megatron flags where they can say it.
    let is_run = |target: &Target| {
        let other = [Target::Deepspeed, Target::Megatron];
        !target.is_rust() && !other.contains(target)
    };
    let targets: Vec<Target> = Target::ALL.into_iter().filter(is_run).collect();
    for (number, spec) in specs.iter().enumerate() {
        for &target in &targets {
            let name = format!("{number}-{}.py", target.name());
            write(&folder.path().join(name), &source(spec, target));
        }
    }
    write(&folder.path().join("run.py"), PYTHON);
    let mut python = Command::new("python3");
    let numbers =
        [specs.len().to_string(), PEAK.to_string(), STEPS.to_string()];
    python.current_dir(folder.path()).arg("run.py").args(numbers);
    python.args(targets.iter().map(|target| target.name()));
    if let Some(printed) = output(&mut python) {
        compare(&printed, targets.len());
    }
}
