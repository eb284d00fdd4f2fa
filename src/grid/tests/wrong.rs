//! What is refused, and in which words.

use super::*;

/// Compares the error of each case with the snapshot `topic`. A case is what
/// replaces one line of the valid grid: `LINE| text`, and ` | text` for the
/// lines after the first.
fn check(topic: &str, cases: &str) {
    let mut all: Vec<(usize, String)> = vec![];
    for row in cases.trim().lines() {
        let (line, text) = row.split_once('|').expect("a bar");
        match (line.parse(), all.last_mut()) {
            (Err(_), Some((_, case))) => {
                case.push('\n');
                case.push_str(text.trim());
            }
            (line, _) => {
                all.push((line.expect("a line"), text.trim().to_owned()));
            }
        }
    }
    let mut shown = vec![];
    for (line, new) in all {
        let error = parse(&with(line, &new)).expect_err(&new);
        assert!(matches!(error, Error::Input { .. }), "{new}");
        for (line, text) in (line..).zip(new.split('\n')) {
            shown.push(format!("{line}| {text}"));
        }
        shown.push(format!("   {error}\n"));
    }
    let shown = shown.join("\n").replace("grid.toml:", "");
    insta::assert_snapshot!(topic, shown);
}

#[test]
fn the_head() {
    check(
        "the_head",
        r#"
1| sedes = 3
1| seeds = 0
1| seeds = []
1| seeds = -1
1| seeds = "3"
1| seeds = 2.5
1| seeds = [1, 2, 1]
1| seeds = [1, -2]
1| seeds = 99999999999999999999
1| seeds = 1000001
1| title = 3
1| jobs = 0
1| jobs = "all"
1| steps = 100
1| learning_rate = 0.1
1| epochs = 3
1| batch = 64
2|
2| budgets = 300
2| budgets = []
2| budgets = [100, 5]
2| budgets = [100, 250, 100]
2| budgets = [1e3]
2| budgets = [100000000]
1| lr_multiples = 2
1| lr_multiples = [1, 0]
1| lr_multiples = [1, inf]
1| lr_multiples = [nan]
1| lr_multiples = [1, 1.0]
1| lr_multiples = [1e999]
1| control = "cosin"
1| control = "rex"
1| control = 1
1| device = "gpu"
1| device = "cuda:x"
1| device = 0
1| "seeds" = 3
 | "" = 2
1| [workload]
1| workload = [1]
1| control = "linear"
 | workload = []
"#,
    );
}

#[test]
fn the_range_test() {
    check(
        "the_range_test",
        r#"
2| budgets = [100]
 | lr_find = 3
2| budgets = [100]
 | [lr_find]
 | steep = 3
2| budgets = [100]
 | [lr_find]
 | per = "budgets"
2| budgets = [100]
 | [lr_find]
 | seeds = 0
2| budgets = [100]
 | [lr_find]
 | verify = 1
2| budgets = [100]
 | [lr_find]
 | from = 0
2| budgets = [100]
 | [lr_find]
 | from = 1
 | to = 0.1
2| budgets = [100]
 | [lr_find]
 | steps = 5
2| budgets = [100]
 | [lr_find]
 | ladder = "log"
"#,
    );
}

#[test]
fn tables_and_toml() {
    check(
        "tables_and_toml",
        r#"
3| [workload]
6| [schedule]
6| [[schedule]]
 | kind = "rex"
 | [[shedule]]
7|
3| [[schedule]]
"#,
    );
}

#[test]
fn models() {
    check(
        "models",
        r#"
4| model = "mpl"
4| model = "gan"
4|
4| model = []
4| model = 3
4| modle = "mlp"
4| model = { hidden = [64] }
4| model = { kind = 3 }
4| model = { kind = "mlp", widths = [64] }
4| model = { kind = "mlp", hidden = 64 }
4| model = { kind = "mlp", hidden = [64, "32"] }
4| model = { kind = "mlp", hidden = [64, 0] }
4| model = { kind = "mlp", hidden = [[64], 32] }
4| model = { kind = "mlp", hidden = [100000] }
4| model = "cnn"
4| model = "resnet"
4| model = "transformer"
4| model = { kind = "transformer", width = 65 }
4| model = { kind = "transformer", heads = 0 }
"#,
    );
}

#[test]
fn optimizers() {
    check(
        "optimizers",
        r#"
4| model = "mlp"
 | optimizer = "adamx"
4| model = "mlp"
 | optimizer = { kind = "rmsprop", rho = 0.9 }
4| model = "mlp"
 | optimizer = { kind = "adam", colour = 1 }
4| model = "mlp"
 | optimizer = { kind = "lion", beta1 = 1 }
4| model = "mlp"
 | optimizer = { kind = "muon", ns_steps = 0 }
4| model = "mlp"
 | optimizer = { kind = "muon", adjust_lr_fn = "match_rms_adamw" }
4| model = "mlp"
 | optimizer = { kind = "sgd", lr = 0.1 }
4| model = "mlp"
 | optimizer = { kind = "sgd", momentum = 1 }
4| model = "mlp"
 | optimizer = { kind = "sgd", momentum = 0, nesterov = true }
4| model = "mlp"
 | optimizer = { kind = "muon", momentum = 0 }
4| model = "mlp"
 | optimizer = { kind = "lion", eps = 1e-6 }
4| model = "mlp"
 | optimizer = { kind = "sgd", beta2 = 0.95 }
4| model = "mlp"
 | optimizer = { kind = "adamw", nesterov = true }
4| model = "mlp"
 | optimizer = { kind = "lion", momentum = 0.9 }
4| model = "mlp"
 | optimizer = { kind = "adam", alpha = 0.9 }
4| model = "mlp"
 | optimizer = { kind = "adamw", beta1 = [] }
4| model = "mlp"
 | optimizer = { kind = "sgd", nesterov = 1 }
4| model = "mlp"
 | optimizer = { kind = "sgd", clip_norm = 0 }
4| model = "mlp"
 | optimizer = { kind = "sgd", weight_decay = inf }
4| model = "mlp"
 | optimizer = [{ kind = "sgd" }, { kind = "sgd", momentum = 0.5 }]
"#,
    );
}

#[test]
fn workloads() {
    check(
        "workloads",
        r#"
4| model = "mlp"
 | batch = 0
4| model = "mlp"
 | batch = []
4| model = "mlp"
 | batch = [32, 64]
4| model = "mlp"
 | label_noise = 1
4| model = "mlp"
 | label_noise = -0.1
4| model = "mlp"
 | name = "{data}"
4| model = "mlp"
 | name = "a/b"
4| model = "mlp"
 | name = ""
4| model = "mlp"
 | name = ".."
4| model = "mlp"
 | fingerprint = ["train.py"]
4| model = "mlp"
 | seeds = 4
4| model = "mlp"
 | cluster = 3
4| model = "mlp"
 | name = "{x"
 | batch = 1e3
"#,
    );
}

#[test]
fn data_sets() {
    check(
        "data_sets",
        r#"
4| model = "mlp"
 | name = "{dataset"
5| dataset = "leter"
5| dataset = "words"
5| dataset = "diamonds"
 | label_noise = 0.1
5| dataset = { kind = "csv", file = "no.csv", target = "y" }
5| dataset = { kind = "csv", file = "no.csv" }
5| dataset = { kind = "csv", file = "no.csv", target = "y", split = [0.5, 0.5] }
5| dataset = { kind = "csv", file = "no.csv", target = "y", split = [0.5] }
5| dataset = { kind = "csv", file = "no.csv", target = "y", drop = "id" }
5| dataset = { kind = "csv", file = "no.csv", target = "y", exclude = ["id"] }
5| dataset = { kind = "csv", file = "no.csv", target = "y", task = "regression" }
5| dataset = { kind = "teacher-student", noise = -1 }
5| dataset = { kind = "mnist", dir = "nowhere" }
5| dataset = "letter"
 | [[workload]]
 | model = "mlp"
 | dataset = "letter"
 | batch = 32
5| dataset = 1979-05-27
4| model = { kind = "cnn", channels = [8, 8, 8, 8] }
 | [[workload]]
 | model = { kind = "cnn", channels = [8, 8, 8, 8] }
 | dataset = "fashion"
 | [[workload]]
 | model="mlp"
5| dataset = "fashion"
 | [[workload]]
 | model = { kind = "cnn", channels = [8, 8, 8, 8] }
 | dataset = "fashion"
5| dataset = "mnist1d"
 | [[workload]]
 | model = { kind = "cnn", kernels = [3, 3, 3] }
 | dataset = "mnist1d"
5| dataset = { kind = "text", file = "tests", context = 1 }
5| dataset = "letter"
 | label_noise = "100%"
"#,
    );
}

#[test]
fn rates_that_are_given() {
    check(
        "rates_that_are_given",
        r#"
5| dataset = "letter"
 | lr = 0
5| dataset = "letter"
 | lr = []
5| dataset = "letter"
 | lr = [0.1, 0.2]
5| dataset = "letter"
 | name = "at-{lr}"
"#,
    );
}

#[test]
fn words_of_other_libraries() {
    check(
        "words_of_other_libraries",
        r#"
5| dataset = "letter"
 | batch_size = 32
5| dataset = "letter"
 | weight_decay = 0.1
5| dataset = "letter"
 | max_steps = 100
5| dataset = "letter"
 | eps = 1e-6
5| dataset = "letter"
 | alpha = 0.9
5| dataset = "letter"
 | optimizer = { kind = "adamw", betas = [0.9, 0.95] }
7| kind = "cosine"
 | warmup_steps = 10
7| kind = "cosine"
 | eta_min = 1e-6
7| kind = "cosine"
 | alpha = 0.1
7| kind = "ReduceLROnPlateau"
7| join = [{ kind = "rex", T_max = 10 }]
"#,
    );
}

#[test]
fn schedules() {
    check(
        "schedules",
        r#"
7| kind = "lineer"
7| kind = 3
7| kind = "linear"
 | end_ration = 0.1
7| kind = "linear"
 | end_ratio = []
7| kind = "cosine"
7| kind = "linear"
 | warmup = 100
7| kind = "linear"
 | warmup = "5"
7| kind = "linear"
 | warmup = -1
7| kind = "linear"
 | end_ratio = "x"
7| kind = "linear"
 | end_ratio = 2
7| kind = "step"
 | milestones = []
7| kind = "step"
 | milestones = [[0.5], [0.5]]
7| kind = "wsd"
 | shape = "squared"
7| kind = "one-cycle"
 | anneal = "cosine"
7| kind = "piecewise"
 | points = [[0, 1], [1]]
7| kind = "table"
 | file = "no.csv"
7| kind = "table"
7| join = []
7| join = [{ kind = "linear", share = 0.5 }]
7| join = [{ kind = "lineer", share = 1 }]
7| join = [{ kind = "linear", share = 1 }]
 | kind = "cosine"
7| kind = "linear
7| kind = "linear"
 | kind = "cosine"
7| kind == "linear"
7| kind = "linear"
 | power = 2
7| kind = "table"
 | file = "."
7| join = [{ kind = "linear", share = 0.5 }, { kind = "cosine", end_ratio = 3, share = 0.5 }]
7| join = [{ kind = "linear", steps = 50 }, { kind = "cosine", steps = 60 }]
7| join = [{ kind = "linear", steps = 50 }, { kind = "cosine", share = 0.5, warmup = 60 }]
7| join = [{ kind = "linear" }]
7| join = 3
7| join = ["linear"]
7| join = [{ kind = "linear", share = 1, stepz = 2 }]
7| kind = "linear"
 | warmup_shape = "cosine"
7| kind = "linear"
 | warmup = 1979-05-27
7| kind = "wsd"
 | decay = [0.2, 0.2]
8| [[schedule]]
 | kind = "linear"
 | [[schedule]]
 | kind = "linear"
 | warmup = 5
 | [control]
 | x=1
 | [[schedule]]
"#,
    );
}

#[test]
fn a_grid_too_large_is_refused_before_it_is_made() {
    let many: Vec<String> = (1..=1000).map(|n| n.to_string()).collect();
    let many = many.join(", ");
    let text = with(
        4,
        &format!(
            "model = \"mlp\"\nbatch = [{many}]\noptimizer = {{ kind = \"sgd\", \
             momentum = [{many}] }}\nlabel_noise = [{many}]"
        ),
    );
    let error = parse(&text).expect_err("a thousand million workloads");
    assert_eq!(
        error.to_string(),
        "grid.toml:3:1: the grid has 6000000000 runs (1000000000 workloads x \
         2 schedules x 1 budget x 1 multiple x 3 seeds), at most 1000000 \
         are allowed; this list is the longest, shorten it"
    );
    // Far beyond what 128 bits can count.
    let keys: Vec<String> = crate::schedule::ScheduleSpec::kinds()[9]
        .keys
        .iter()
        .map(|key| key.name.to_owned())
        .chain((0..60).map(|n| format!("key{n}")))
        .map(|key| format!("{key} = [{many}]"))
        .collect();
    let text = with(9, &format!("kind = \"step\"\n{}", keys.join("\n")));
    let error = parse(&text).expect_err("a thousand to the 60").to_string();
    assert!(error.contains(&u128::MAX.to_string()), "{error}");
    let error = parse(&with(1, "seeds = 1000000")).expect_err("two million");
    assert_eq!(
        error.to_string(),
        "grid.toml:1:9: the grid has 2000000 runs (1 workload x 2 schedules \
         x 1 budget x 1 multiple x 1000000 seeds), at most 1000000 are \
         allowed; this list is the longest, shorten it"
    );
}

#[test]
fn deep_nesting_is_refused() {
    let deep = |open: &str, close: &str| {
        format!("seeds = {}{}", open.repeat(200_000), close.repeat(200_000))
    };
    let mut shown = vec![];
    for line in [
        deep("[", "]"),
        deep("{ a = ", "}"),
        format!("{}b = 1", "a.".repeat(100_000)),
    ] {
        let error = parse(&with(1, &line)).expect_err("deep");
        shown.push(error.to_string());
    }
    insta::assert_snapshot!(shown.join("\n"));
    let error = parse_schedule(&"[".repeat(100_000)).expect_err("deep");
    assert!(matches!(error, Error::Input { .. }), "{error}");
}

#[test]
fn long_names_are_cut() {
    let text = with(4, &format!("model = \"{}\"", "x".repeat(1_000_000)));
    let error = parse(&text).expect_err("no such model").to_string();
    assert!(error.len() < 200, "{error}");
}

#[test]
fn what_is_no_grid_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path().display().to_string();
    let load = |path: &Path| {
        Experiment::load(path, &Known::default()).expect_err("refused")
    };
    let mut shown = vec![];
    for bytes in [
        &b""[..],
        b"seeds = 3\ntitle = \"Gr\xfc\xdfe\"\n",
        &vec![b'#'; (4 << 20) + 1],
        b"seeds = 3\n\0\n",
    ] {
        let path = folder.path().join("grid.toml");
        std::fs::write(&path, bytes).expect("written");
        let error = load(&path);
        assert!(matches!(error, Error::Input { .. }), "{error}");
        shown.push(error.to_string());
    }
    let error = load(folder.path());
    assert!(matches!(error, Error::Invalid(_)), "{error}");
    shown.push(error.to_string());
    let error = load(&folder.path().join("none.toml"));
    assert!(matches!(error, Error::Io { .. }), "{error}");
    shown.push(error.to_string());
    insta::assert_snapshot!(shown.join("\n").replace(&here, "HERE"));
}

#[test]
fn data_files_must_be_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("grid.toml");
    let complaint = |text: &str| {
        let error = Experiment::parse(&path, text, &Known::default());
        let error = error.expect_err(text).to_string();
        error.replace(&folder.path().display().to_string(), "HERE")
    };
    std::fs::create_dir(folder.path().join("sub")).expect("made");
    let file = "sub/train-images-idx3-ubyte";
    std::fs::write(folder.path().join(file), "").expect("written");
    assert_eq!(
        complaint(&with(5, "dataset = { kind = \"mnist\", dir = \"sub\" }")),
        "HERE/grid.toml:5:35: missing file: \
         `HERE/sub/train-labels-idx1-ubyte`; put it there or correct `dir` \
         (it is relative to the folder of the grid)"
    );
    assert_eq!(
        complaint(&with(5, "dataset = { kind = \"text\", file = \"sub\" }")),
        "HERE/grid.toml:5:35: `HERE/sub` is a folder, name a file in it"
    );
    let factors = folder.path().join("f.csv");
    std::fs::write(&factors, "step,factor\n0,1\n1,0.5\n").expect("written");
    let table = with(7, "kind = \"table\"\nfile = \"f.csv\"");
    assert_eq!(
        complaint(&table),
        "HERE/grid.toml:8:8: `file` has 2 rows, the budget is 100 steps; a \
         table needs one row a step (at the budget of 100 steps)"
    );
    std::fs::write(&factors, "step,factor\n0,1\n2,0.5\n").expect("written");
    assert_eq!(
        complaint(&table),
        "HERE/f.csv:3:1: the step of this row must be 1"
    );
    let header = b"{'descr': '<f8', 'shape': (2,)}";
    let mut array = b"\x93NUMPY\x01\x00\x1f\x00".to_vec();
    array.extend(header);
    array.extend([1.0, f64::NAN].map(f64::to_le_bytes).concat());
    std::fs::write(&factors, array).expect("written");
    assert_eq!(
        complaint(&table),
        "HERE/grid.toml:8:8: `file` has NaN at step 1, a factor is 0 or more"
    );
}

#[test]
#[cfg(not(feature = "hub"))]
fn downloads_need_a_binary_that_can() {
    check(
        "downloads_need_a_binary_that_can",
        r#"
5| dataset = "cifar-10"
"#,
    );
}

#[test]
fn scripts() {
    check(
        "scripts",
        r#"
4| script = "train.py"
4| script = "train.sh"
4| script = ["train.py"]
4| args = ["--epochs", "3"]
4| command = ["sh"]
 | args = ["--epochs", "3"]
4| script = "wrong.py"
 | weights = "w.safetensors"
"#,
    );
}

#[test]
fn programs() {
    check(
        "programs",
        r#"
4| command = "python train.py"
4| command = ["sh", 1]
4| command = [""]
4| command = ["./train"]
4| command = ["sh"]
4| command = ["sh"]
 | fingerprint = []
4| command = ["sh"]
 | fingerprint = "train.py"
4| command = ["sh"]
 | fingerprint = ["train.py"]
4| command = ["sh"]
 | fingerprint = []
 | protocol = 2
4| command = ["sh"]
 | fingerprint = []
 | timeout = "soon"
4| command = ["sh"]
 | fingerprint = []
 | timeout = "0s"
4| command = ["sh"]
 | fingerprint = []
 | model = { kind = "mlp" }
4| command = ["sh"]
 | fingerprint = []
 | metric = ""
4| command = ["sh"]
 | fingerprint = []
 | name = "{label_noise}"
4| command = ["sh"]
 | fingerprint = []
 | batch = []
4| command = ["sh"]
 | fingerprint = []
 | label_noise = 0.1
4| command = ["sh"]
 | fingerprint = []
 | comand = 1
4| command = ["sh"]
 | fingerprint = []
 | seeds = 4
4| command = ["sh"]
 | fingerprint = []
 | name = "x"
 | optimizer = ["sgd", "lion"]
"#,
    );
}
