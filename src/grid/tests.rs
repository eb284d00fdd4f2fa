//! What a grid becomes. The complaints are in `wrong`, mutations in `fuzz`.

mod averages;
mod fuzz;
mod wrong;

use super::*;
use crate::spec::{
    DatasetSpec, Form, Ladder, LossKind, ModelSpec, OptimizerSpec,
    ScriptFolder, Set, WorkloadSpec,
};

/// A valid grid, one thing a line.
const BASE: [&str; 9] = [
    "seeds = 3",
    "budgets = [100]",
    "[[workload]]",
    "model = \"mlp\"",
    "dataset = \"letter\"",
    "[[schedule]]",
    "kind = \"linear\"",
    "[[schedule]]",
    "kind = \"cosine\"",
];

/// The valid grid with line `line` (from 1) replaced by `new`.
fn with(line: usize, new: &str) -> String {
    let mut lines = BASE;
    lines[line - 1] = new;
    lines.join("\n") + "\n"
}

fn parse(text: &str) -> Result<Experiment> {
    Experiment::parse(Path::new("grid.toml"), text, &Known::default())
}

fn valid(text: &str) -> Experiment {
    parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn names(grid: &Experiment) -> Vec<&str> {
    grid.workloads.iter().map(|w| w.name.as_str()).collect()
}

/// The workload, which no program trains.
fn candle(entry: &WorkloadEntry) -> &WorkloadSpec {
    let TrainerSpec::Candle(spec) = &entry.spec else {
        unreachable!("{} is a program", entry.name);
    };
    spec
}

fn labels(grid: &Experiment) -> Vec<String> {
    grid.schedules.iter().map(ScheduleSpec::label).collect()
}

#[test]
fn what_the_file_leaves_out_has_a_default() {
    let text = "budgets = [100]\n[[workload]]\nmodel = \"mlp\"\ndataset = \
                \"letter\"\n[[schedule]]\nkind = \"cosine\"\n";
    let grid = valid(text);
    assert_eq!(grid.name, "grid");
    assert_eq!(grid.title, None);
    assert_eq!(grid.seeds, [0, 1, 2, 3, 4]);
    assert_eq!(grid.jobs, None);
    assert!(!grid.race);
    assert_eq!(grid.lr_multiples, [1.0]);
    assert_eq!(grid.device, DeviceSpec::Cpu);
    assert_eq!(grid.lr_find, LrFindSpec::default());
    assert_eq!(grid.control, "cosine");
    assert_eq!(grid.text, text);
    let [entry @ WorkloadEntry { name, cluster, .. }] =
        grid.workloads.as_slice()
    else {
        panic!("one workload");
    };
    assert_eq!(cluster, "letter");
    assert_eq!(name, "letter-mlp");
    let spec = candle(entry);
    assert_eq!(spec.model, ModelSpec::Mlp { hidden: vec![128, 64] });
    assert_eq!(spec.dataset.kind(), "letter");
    assert_eq!(spec.optimizer, OptimizerSpec::sgd());
    assert_eq!((spec.batch, spec.label_noise), (64, 0.0));
}

#[test]
fn every_key_of_the_top_is_read() {
    let grid = valid(
        &with(
            1,
            "title = \"Why?\"\nseeds = [7, 3]\njobs = 2\nrace = true\n\
         device = \"cuda:1\"\nlr_multiples = [4, 0.25]\ncontrol = \"cosine\"\n\
         [lr_find]\nper = \"workload\"\nseeds = 5\nverify = false\n\
         from = 1e-6\nto = 1\nsteps = 200\nladder = \"linear\"\n\
         on = \"valid\"\nrule = \"fastai-valley\"",
        )
        .replace("\nbudgets = [100]", "")
        .replacen("title", "budgets = [1000, 100]\ntitle", 1),
    );
    assert_eq!(grid.title.as_deref(), Some("Why?"));
    assert_eq!(grid.seeds, [7, 3]);
    assert_eq!(grid.jobs, NonZeroUsize::new(2));
    assert!(grid.race);
    assert_eq!(grid.budgets, [1000, 100], "in the order of the file");
    assert_eq!(grid.lr_multiples, [0.25, 1.0, 4.0], "1 is put in its place");
    assert_eq!(grid.device, DeviceSpec::Cuda(1));
    assert_eq!(grid.control, "cosine");
    let control = &grid.schedules[grid.control_index()];
    assert_eq!(control.label(), "cosine");
    let LrFindSpec { from, to, steps, .. } = grid.lr_find;
    assert_eq!((from, to, steps), (Some(1e-6), Some(1.0), Some(200)));
    assert_eq!(grid.lr_find.per, LrFindPer::Workload);
    assert_eq!(grid.lr_find.ladder, Ladder::Linear);
    assert_eq!(grid.lr_find.on, LossKind::Valid);
    assert_eq!(grid.lr_find.rule, "fastai-valley");
    assert_eq!((grid.lr_find.seeds, grid.lr_find.verify), (Some(5), false));
}

#[test]
fn devices_have_names() {
    for (name, device) in [
        ("cpu", DeviceSpec::Cpu),
        ("cuda", DeviceSpec::Cuda(0)),
        ("cuda:0", DeviceSpec::Cuda(0)),
        ("metal", DeviceSpec::Metal),
        ("auto", DeviceSpec::Auto),
    ] {
        let text = with(1, &format!("device = \"{name}\""));
        assert_eq!(valid(&text).device, device);
    }
}

#[test]
fn lists_of_things_make_products() {
    let grid = valid(&with(
        4,
        "name = \"{dataset}-{model}-{optimizer}-{batch}\"\n\
         model = [\"mlp\", { kind = \"mlp\", hidden = [64] }]\n\
         optimizer = [\"adamw\", { kind = \"sgd\", momentum = [0, 0.5] }]\n\
         batch = [32, 64]",
    ));
    assert_eq!(grid.workloads.len(), 2 * 3 * 2);
    assert_eq!(
        names(&grid)[..7],
        [
            "letter-mlp-adamw-32",
            "letter-mlp-adamw-64",
            "letter-mlp-sgd(momentum=0)-32",
            "letter-mlp-sgd(momentum=0)-64",
            "letter-mlp-sgd(momentum=0.5)-32",
            "letter-mlp-sgd(momentum=0.5)-64",
            "letter-mlp(hidden=64)-adamw-32",
        ]
    );
}

#[test]
fn a_list_of_lists_is_an_axis_where_lists_are_values() {
    let grid = valid(&with(
        4,
        "model = { kind = \"mlp\", hidden = [[], [64], [32, 16]] }",
    ));
    assert_eq!(
        names(&grid),
        [
            "letter-mlp(hidden=none)",
            "letter-mlp(hidden=64)",
            "letter-mlp(hidden=32-16)"
        ]
    );
}

#[test]
fn schedules_have_axes_too() {
    let grid = valid(&with(9, "kind = \"cosine\"\nend_ratio = [0, 0.1]"));
    assert_eq!(labels(&grid), ["linear", "cosine", "cosine(end_ratio=0.1)"]);
    assert_eq!(grid.control, "linear");
    let grid = valid(&with(9, "kind = [\"cosine\", \"rex\"]\nwarmup = 5"));
    assert_eq!(labels(&grid), ["linear", "cosine(warmup=5)", "rex(warmup=5)"]);
}

#[test]
fn a_kind_serves_as_control_where_it_is_the_only_one() {
    let text = with(7, "kind = \"linear\"\nwarmup = \"5%\"");
    assert_eq!(valid(&text).control, "linear(warmup=5%)");
    let text = format!("control = \"cosine\"\n{text}");
    assert_eq!(valid(&text).control, "cosine");
    let text = with(7, "kind = \"rex\"");
    assert_eq!(valid(&text).control, "rex", "neither linear nor constant");
    let text = with(9, "kind = \"constant\"").replace("linear", "rex");
    assert_eq!(valid(&text).control, "constant");
}

#[test]
fn workloads_on_one_data_set_form_a_cluster() {
    let grid = valid(&with(
        4,
        "name = \"{model}-{label_noise}\"\nmodel = [\"mlp\", { kind = \
         \"mlp\", hidden = [8] }]\nlabel_noise = [0, 0.1]",
    ));
    assert_eq!(names(&grid)[1], "mlp-0.1");
    assert!(grid.workloads.iter().all(|w| w.cluster == "letter"));
    let grid = valid(&with(4, "model = \"mlp\"\ncluster = \"mine\""));
    assert_eq!(grid.workloads[0].cluster, "mine");
}

#[test]
fn registered_names_come_first() {
    let known = Known {
        models: vec!["mine".to_owned(), "cnn".to_owned()],
        datasets: vec!["ours".to_owned()],
        rules: vec!["lrscout".to_owned()],
        ..Known::default()
    };
    let text = with(4, "model = [\"mine\", \"cnn\", { kind = \"mine\" }]")
        .replace("\"letter\"", "\"ours\"\nname = \"{dataset}-{model}\"");
    let text = text.replace(", { kind = \"mine\" }", "");
    let grid = Experiment::parse(Path::new("g.toml"), &text, &known)
        .expect("registered");
    assert_eq!(names(&grid), ["ours-mine", "ours-cnn"]);
    let own = ModelSpec::Registered { name: "cnn".to_owned() };
    assert_eq!(candle(&grid.workloads[1]).model, own);
    assert_eq!(grid.workloads[1].cluster, "ours");
}

#[test]
fn a_rate_that_is_known_is_an_axis_of_workloads() {
    let rates = |text: &str| -> Vec<(String, Option<f64>)> {
        let grid = valid(text);
        grid.workloads.into_iter().map(|w| (w.name, w.lr)).collect()
    };
    let none = rates(&with(5, BASE[4]));
    assert_eq!(none, [("letter-mlp".to_owned(), None)]);
    let one = rates(&with(5, "dataset = \"letter\"\nlr = 2e-5"));
    assert_eq!(one, [("letter-mlp".to_owned(), Some(2e-5))]);
    let text = "dataset = \"letter\"\nname = \"at {lr}\"\nlr = [2e-5, 1]";
    let two = rates(&with(5, text));
    let want = [("at 2e-5", 2e-5), ("at 1", 1.0)];
    assert_eq!(two, want.map(|(name, lr)| (name.to_owned(), Some(lr))));
    let clusters = valid(&with(5, text)).workloads;
    assert!(clusters.iter().all(|workload| workload.cluster == "letter"));
    let program = with(
        4,
        "command = [\"sh\"]\nfingerprint = []\nmodel = \"net\"\nlr = \
         [0.1, 0.2]\nname = \"{lr}\"",
    );
    let want = [("0.1", 0.1), ("0.2", 0.2)];
    let want = want.map(|(name, lr)| (name.to_owned(), Some(lr)));
    assert_eq!(rates(&program), want);
}

/// Names for 1000 examples of `letter` and 100 of any other data set.
fn sized() -> Known {
    let updates = |spec: &WorkloadSpec, _: &Path| {
        let len = if spec.dataset.kind() == "letter" { 1000 } else { 100 };
        Ok(len / spec.batch)
    };
    Known { epoch: Epoch(Some(Arc::new(updates))), ..Known::default() }
}

#[test]
fn epochs_are_whole_batches_of_the_data() {
    let parse =
        |text: &str| Experiment::parse(Path::new("grid.toml"), text, &sized());
    let budgets = |line: &str| {
        let text = with(2, &format!("budgets = {line}"));
        parse(&text).map(|grid| grid.budgets)
    };
    // 1000 / 64 is 15.6: fifteen batches a pass.
    for (line, want) in [
        ("[\"10 epochs\"]", &[150][..]),
        ("[\"1 epoch\", 100, \" 2.5epochs \"]", &[15, 100, 38]),
    ] {
        assert_eq!(budgets(line).expect("stands"), want, "{line}");
    }
    for (line, want) in [
        (
            "[\"ten epochs\"]",
            "`budgets` must be a list of steps such as 1000 or epochs such as \
             \"10 epochs\", got the string \"ten epochs\"",
        ),
        (
            "[\"0.5 epochs\"]",
            "0.5 epochs of `letter-mlp` are 7.5 steps, a budget is from 10 to \
             10000000 (15 steps an epoch)",
        ),
        ("[\"2 epochs\", 30]", "30 appears twice in `budgets`, leave one out"),
    ] {
        let error = budgets(line).expect_err(line).to_string();
        let at = if line.contains("30]") { 24 } else { 12 };
        assert_eq!(error, format!("grid.toml:2:{at}: {want}"));
    }
    let two = with(5, "dataset = [\"letter\", \"digits\"]\nbatch = 10");
    let two = two.replace("[100]", "[\"10 epochs\"]");
    assert_eq!(
        parse(&two).expect_err("two sizes").to_string(),
        "grid.toml:2:12: 10 epochs are 1000 steps of `letter-mlp` and 100 of \
         `digits-mlp`, and schedules are compared at one budget for all \
         workloads: give steps, or a grid for each size"
    );
    let program = with(4, "command = [\"sh\"]\nfingerprint = []\nname = \"x\"");
    let program = program.replace("[100]", "[\"10 epochs\"]");
    assert_eq!(
        parse(&program).expect_err("a program").to_string(),
        "grid.toml:2:12: nothing tells how many examples `x` trains on, give \
         this budget in steps: epochs x examples / batch"
    );
    // A warm-up is as long as the budget in steps.
    let late = with(7, "kind = \"linear\"\nwarmup = 20");
    let late = late.replace("[100]", "[\"1 epoch\"]");
    assert_eq!(
        parse(&late).expect_err("too long").to_string(),
        "grid.toml:8:10: `warmup` is 20 steps, but the budget is 15; leave at \
         least one step after the warm-up (at the budget of 15 steps)"
    );
}

#[test]
fn a_program_trains_every_product_of_its_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("train.py"), "").expect("written");
    let text = with(
        4,
        "command = [\"python\", \"train.py\", \"--spec={spec}\"]\n\
         model = \"net\"\noptimizer = [\"sgd\", \"lion\"]\n\
         batch = [8, 16]\ntimeout = \"2m\"\nmetric = \"accuracy\"\n\
         name = \"{dataset}-{optimizer}-{batch}\"",
    );
    std::fs::write(at("grid.toml"), &text).expect("written");
    let grid = Experiment::load(&at("grid.toml"), &Known::default())
        .expect("the file is there");
    let wanted =
        ["letter-sgd-8", "letter-sgd-16", "letter-lion-8", "letter-lion-16"];
    assert_eq!(names(&grid), wanted);
    assert!(grid.workloads.iter().all(|w| w.cluster == "letter"));
    let TrainerSpec::External(spec) = &grid.workloads[3].spec else {
        unreachable!("a program");
    };
    assert_eq!(spec.command, ["python", "train.py", "--spec={spec}"]);
    // The arguments that are files, unless the grid says otherwise.
    assert_eq!(spec.fingerprint, [Path::new("train.py")]);
    assert_eq!(spec.timeout, std::time::Duration::from_secs(120));
    assert_eq!(spec.optimizer.as_deref(), Some("lion"));
    assert_eq!(spec.batch, Some(16));
    assert_eq!(grid.workloads[3].spec.optimizer_label(), "lion");
    assert!(grid.workloads[3].spec.is_adaptive());
    assert!(!grid.workloads[0].spec.is_adaptive());
    let alone = with(4, "command = [\"sh\"]\nfingerprint = []\nname = \"x\"");
    let alone = valid(&alone.replace("dataset", "# dataset"));
    assert_eq!(alone.workloads[0].cluster, "x");
    assert_eq!(alone.workloads[0].spec.optimizer_label(), "external");
}

#[test]
fn a_script_is_a_program_of_its_own_name_and_modules() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("train.py"), "import model\n").expect("written");
    std::fs::write(at("model.py"), "").expect("written");
    let read = |lines: &str| {
        let text = with(4, &format!("script = \"train.py\"\n{lines}"));
        let text = text.replace("dataset", "# dataset");
        std::fs::write(at("grid.toml"), &text).expect("written");
        Experiment::load(&at("grid.toml"), &Known::default())
    };
    let spec = |lines: &str| {
        let mut grid = read(lines).expect(lines);
        let entry = grid.workloads.remove(0);
        match entry.spec {
            TrainerSpec::External(spec) => (entry.name, spec),
            TrainerSpec::Candle(_) => unreachable!("a script"),
        }
    };
    let (name, plain) = spec("args = [\"--epochs\", \"3\"]");
    assert_eq!(name, "train");
    assert_eq!(plain.command, ["python3", "train.py", "--epochs", "3"]);
    assert_eq!(plain.script, Some(ScriptFolder::Own));
    assert_eq!(plain.fingerprint, ["model.py", "train.py"].map(Path::new));
    let (_, two) = spec(
        "python = [\"torchrun\", \"--nproc-per-node\", \"2\"]\ncwd = \"grid\"\n\
         fingerprint = []",
    );
    let wanted = ["torchrun", "--nproc-per-node", "2", "train.py"];
    assert_eq!(two.command, wanted);
    assert_eq!(two.script, Some(ScriptFolder::Grid));
    assert!(two.fingerprint.is_empty());
    for (lines, part) in [
        ("cwd = \"here\"", "`cwd` must be \"task\""),
        ("python = []", "`python` must name a program"),
        ("args = [1]", "`args` must be a list of strings"),
        ("command = [\"sh\"]", "a `script` or a `command`, not both"),
    ] {
        let error = read(lines).expect_err(lines).to_string();
        assert!(error.contains(part), "{lines}: {error}");
    }
}

#[test]
fn files_count_from_the_folder_of_the_grid() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("iris.csv"), "a,b\n1,2\n").expect("written");
    let text = with(
        5,
        "dataset = { kind = \"csv\", file = \"iris.csv\", target = \"b\" }",
    );
    std::fs::write(at("flowers.toml"), &text).expect("written");
    let grid = Experiment::load(&at("flowers.toml"), &Known::default())
        .expect("the file is there");
    assert_eq!(grid.name, "flowers");
    assert_eq!(names(&grid), ["iris-mlp"]);
    assert_eq!(grid.workloads[0].cluster, "csv:iris.csv");
    let DatasetSpec::Csv { file, split, .. } =
        &candle(&grid.workloads[0]).dataset
    else {
        panic!("a csv");
    };
    assert_eq!(file, Path::new("iris.csv"), "as written");
    assert_eq!(split, &[0.1, 0.2]);
}

#[test]
fn shares_may_stand_in_per_cent() {
    let text = with(5, "dataset = \"letter\"\nlabel_noise = [\"10%\", 0.3]");
    let text = text.replacen(
        "[[workload]]",
        "[[workload]]\nname = \"{dataset}-{label_noise}\"",
        1,
    );
    assert_eq!(names(&valid(&text)), ["letter-0.1", "letter-0.3"]);
    let noise = candle(&valid(&text).workloads[0]).label_noise;
    assert_eq!(noise.to_bits(), 0.1_f64.to_bits());
}

#[test]
fn what_schedules_never_come_to_is_said_for_each_budget() {
    let text = with(7, "kind = \"step\"\nmilestones = [150, 300]");
    let text = text.replace("budgets = [100]", "budgets = [100, 200, 400]");
    assert_eq!(
        valid(&text).never_reached(),
        [
            "`step(milestones=[150,300])` at a budget of 100 steps: no \
             milestone lies within the 100 steps, so it is `constant`",
            "`step(milestones=[150,300])` at a budget of 200 steps: the \
             milestones 300 do not lie within the 200 steps",
        ]
    );
}

#[test]
fn line_ends_and_byte_order_marks_do_not_matter() {
    let text = BASE.join("\r\n");
    let marked = format!("\u{feff}{text}");
    assert_eq!(names(&valid(&text)), ["letter-mlp"]);
    let grid = valid(&marked);
    assert_eq!(grid.text, marked, "kept as read");
    let error = parse(&marked.replace("seeds", "sedes")).expect_err("typo");
    assert_eq!(
        error.to_string(),
        "grid.toml:1:1: unknown key `sedes` in the head of the file, did you \
         mean `seeds`?"
    );
    let error = parse(&text.replace("\"mlp\"", "\"mpl\"")).expect_err("typo");
    assert_eq!(
        error.to_string(),
        "grid.toml:4:9: unknown model `mpl`, did you mean `mlp`?"
    );
}

#[test]
fn the_shipped_grids_are_valid() {
    let smoke = valid(include_str!("../../experiments/smoke.toml"));
    assert_eq!(names(&smoke), ["letter-mlp", "satimage-mlp", "digits-mlp"]);
    assert_eq!(labels(&smoke), ["constant", "linear", "cosine", "one-cycle"]);
    assert_eq!((smoke.seeds.len(), smoke.budgets), (3, vec![300]));
    assert_eq!(candle(&smoke.workloads[2]).label_noise, 0.1);

    let standard = valid(include_str!("../../experiments/standard.toml"));
    assert_eq!(
        names(&standard),
        [
            "fashion-mlp",
            "fashion-cnn",
            "mnist1d-cnn",
            "letter-mlp",
            "satimage-mlp",
            "diamonds-mlp",
            "dna-mlp",
            "spam-mlp",
            "digits-mlp",
            "words-transformer",
            "teacher-student",
        ]
    );
    assert_eq!(
        labels(&standard),
        [
            "constant(warmup=5%)",
            "linear(warmup=5%)",
            "cosine(warmup=5%)",
            "cosine(end_ratio=0.1,warmup=5%)",
            "step(warmup=5%)",
            "wsd(warmup=5%)",
            "wsd(shape=one-minus-sqrt,warmup=5%)",
            "wsd(decay=0.6,warmup=5%)",
            "rex(warmup=5%)",
            "one-cycle",
        ]
    );
    assert_eq!(standard.control, "linear(warmup=5%)");
    let clusters: std::collections::BTreeSet<_> =
        standard.workloads.iter().map(|w| &w.cluster).collect();
    assert_eq!(clusters.len(), 10, "the two on fashion count once");
}

#[test]
fn a_schedule_can_stand_in_one_line() {
    let spec = parse_schedule(" { kind = \"cosine\", warmup = 50 } ");
    assert_eq!(spec.expect("valid").label(), "cosine(warmup=50)");
    for (text, message) in [
        (
            "{ kind = \"cosin\" }",
            "<spec>:1:10: unknown schedule `cosin`, did you mean `cosine`?",
        ),
        (
            "{ kind = \"cosine\", warmpu = 5 }",
            "<spec>:1:20: unknown key `warmpu` in schedule `cosine`, did you \
             mean `warmup`?",
        ),
        (
            "\"cosine\"",
            "<spec>:1:1: a schedule is the name of a kind or an inline table \
             such as { kind = \"cosine\", warmup = 50 }, got `\"cosine\"`",
        ),
        (
            "{ kind = \"cosine\", end_ratio = [0, 0.1] }",
            "<spec>:1:1: the lists in this table make 2 schedules, one is \
             wanted",
        ),
        (
            "",
            "<spec>:1:1: a schedule is the name of a kind or an inline table \
             such as { kind = \"cosine\", warmup = 50 }, got ``",
        ),
        (
            "{",
            "<spec>:1:2: not valid TOML: unclosed inline table, expected `}`",
        ),
    ] {
        let error = parse_schedule(text).expect_err(text);
        assert_eq!(error.to_string(), message, "{text}");
    }
}

#[test]
fn the_schema_knows_every_kind() {
    let schema = schema().to_string();
    let kinds =
        [ModelSpec::kinds(), DatasetSpec::kinds(), OptimizerSpec::kinds()];
    for kind in kinds.concat() {
        assert!(
            schema.contains(&format!("{{\"const\":\"{kind}\"}}")),
            "{kind}"
        );
    }
    assert!(schema.contains("{\"const\":\"one-cycle\"}"));
}

#[test]
fn the_table_of_keys_knows_every_kind_and_its_defaults() {
    use super::keys::{DATASETS, MODELS, OPTIMIZERS};
    let of = |family: &super::keys::Family| -> Vec<&str> {
        family.kinds().map(|kind| kind.name).collect()
    };
    assert_eq!(of(&MODELS), ModelSpec::kinds());
    assert_eq!(of(&DATASETS), DatasetSpec::kinds());
    assert_eq!(of(&OPTIMIZERS), OptimizerSpec::kinds());
    for kind in OPTIMIZERS.kinds() {
        let text =
            with(5, "dataset = \"letter\"") + &format!("# {}\n", kind.name);
        let text = text.replace(
            "model =",
            &format!("optimizer = \"{}\"\nmodel =", kind.name),
        );
        let grid = valid(&text);
        assert_eq!(candle(&grid.workloads[0]).optimizer.label(), kind.name);
    }
}

#[test]
fn a_key_of_some_optimizers_is_said_to_be_theirs() {
    for key in ["nesterov", "eps", "beta2"] {
        let kinds = keys::OPTIMIZERS
            .kinds()
            .filter(|kind| kind.keys.iter().any(|known| known.name == key));
        let owners: Vec<&str> = kinds.map(|kind| kind.name).collect();
        let text = with(4, &format!("model = \"mlp\"\n{key} = 1"));
        let error = parse(&text).expect_err("no key of a workload").to_string();
        let owners = crate::text::listed(&owners);
        let said = format!("here it is a key of the optimizers {owners}: ");
        assert!(error.contains(&said), "{error}");
    }
}

/// `thing` written down and read back.
fn again<T>(thing: &T) -> T
where
    T: serde::Serialize + serde::de::DeserializeOwned,
{
    let text = serde_json::to_string(thing).expect("plain data");
    serde_json::from_str(&text).expect("its own words")
}

#[test]
fn things_survive_being_written_down() {
    let grid = valid(include_str!("../../experiments/standard.toml"));
    for entry in &grid.workloads {
        let spec = candle(entry);
        assert_eq!(again(&spec.model), spec.model);
        assert_eq!(again(&spec.dataset), spec.dataset);
        assert_eq!(again(&spec.optimizer), spec.optimizer);
    }
    for schedule in &grid.schedules {
        assert_eq!(again(schedule), *schedule);
    }
}

/// The rows of the key tables of the format's page: section and example.
fn examples(page: &str) -> Vec<(&str, &str)> {
    let mut section = "";
    let mut examples = vec![];
    for line in page.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            section = title;
        } else if let Some(row) = line.strip_prefix("| `") {
            let cell = row.trim_end_matches('|').rsplit('|').next();
            let cell = cell.expect("cells").trim().trim_matches('`');
            examples.push((section, cell));
        }
    }
    examples
}

/// A grid with an example of a section of the format's page; the table of
/// grids has none.
fn grid_with(section: &str, example: &str) -> Option<String> {
    Some(match section {
        "Top-level keys" if example.starts_with("budgets") => with(2, example),
        "Top-level keys" => with(1, example),
        "`[lr_find]`" => with(2, &format!("{}\n[lr_find]\n{example}", BASE[1])),
        "`[[workload]]`" if example.starts_with("model") => with(4, example),
        "`[[workload]]`" if example.starts_with("dataset") => with(5, example),
        "`[[workload]]`" => with(4, &format!("{}\n{example}", BASE[3])),
        "`[[workload]]` with a `command`" => {
            let name = match example.split(' ').next() {
                Some(axis @ ("optimizer" | "batch")) => {
                    format!("{{{axis}}}")
                }
                _ => "x".to_owned(),
            };
            let command = match example {
                e if e.starts_with("command") => "",
                e if e.starts_with("fingerprint") => "command = [\"sh\"]",
                _ => "command = [\"sh\"]\nfingerprint = []",
            };
            with(4, &format!("{command}\nname = \"{name}\"\n{example}"))
        }
        "`[[workload]]` with a `script`" => {
            let script = match example {
                e if e.starts_with("script") => "",
                _ => "script = \"train.py\"",
            };
            with(4, &format!("{script}\nname = \"x\"\n{example}"))
        }
        "Grids" => return None,
        "Models" => {
            let (data, model) = match example {
                e if e.contains("transformer") || e.contains("gru") => {
                    ("words", e)
                }
                e if e.contains("cnn") || e.contains("resnet") => {
                    ("fashion", e)
                }
                e => ("letter", e),
            };
            with(4, model).replace("letter", data)
        }
        "Data sets" => {
            let text = with(5, example);
            let name = example.split('"').nth(1).unwrap_or_default();
            let listed = Set::named(name).map(|set| set.form);
            if name == "text" || matches!(listed, Some(Form::Text(_))) {
                text.replace("\"mlp\"", "\"transformer\"")
            } else {
                text
            }
        }
        "Optimizers" => {
            let name = "name = \"{optimizer}\"";
            with(4, &format!("{}\n{name}\n{example}", BASE[3]))
        }
        "`[[schedule]]`" | "Schedules" => {
            format!(
                "{}
{example}
",
                BASE[..6].join(
                    "
"
                )
            )
        }
        other => panic!("an example in the section {other:?}"),
    })
}

#[test]
fn every_example_of_the_formats_page_works() {
    let page = include_str!("../../experiments/README.md");
    let mut tried = 0;
    for (section, example) in examples(page) {
        let lines = example.replace("; ", "\n");
        let example = lines.as_str();
        let Some(text) = grid_with(section, example) else { continue };
        tried += 1;
        match parse(&text) {
            Ok(_) => {}
            // Examples name files that only their readers have.
            Err(error) => {
                let error = error.to_string();
                let absent = error.contains("missing file")
                    || error.contains("is a file beside the grid")
                    || error.contains("cannot download");
                assert!(absent, "{example}: {error}");
            }
        }
    }
    assert!(tried > 40, "only {tried} examples found");
    let infos = ScheduleSpec::kinds().iter();
    let schedules = infos.flat_map(|info| {
        info.keys.iter().map(|key| key.name).chain([info.name])
    });
    let kinds = [&keys::MODELS, &keys::DATASETS, &keys::OPTIMIZERS]
        .into_iter()
        .flat_map(keys::Family::kinds);
    let things = kinds.flat_map(|kind| {
        kind.keys.iter().map(|key| key.name).chain([kind.name])
    });
    for name in settings::KEYS.iter().copied().chain(schedules).chain(things) {
        let shown = page.contains(&format!("`{name}`"))
            || page.contains(&format!("[{name}]"));
        assert!(shown || name == "factors", "the page lacks `{name}`");
    }
    let blocks = page.split("```toml\n").skip(1);
    for block in blocks.filter_map(|rest| rest.split("```").next()) {
        valid(block);
    }
}
