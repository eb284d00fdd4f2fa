use super::pack::Idx;
use super::plain::{Scale, standardise_columns, standardise_targets};
use super::{Dataset, Split, Task, load};
use crate::error::Result;
use crate::seed::NumpyLegacy;
use crate::spec::{DatasetSpec, TableTask};
use candle_core::{DType, Device, Tensor};
use flate2::{Compression, write::GzEncoder};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;

/// What numpy makes of the same files: tests/golden/data.py.
#[derive(Deserialize)]
struct Golden {
    generator: Generator,
    sets: BTreeMap<String, [Summary; 3]>,
}

#[derive(Deserialize)]
struct Generator {
    uniform: Vec<f64>,
    normal: Vec<f64>,
    below_48: Vec<u32>,
    permutation_12: Vec<u32>,
    after: f64,
}

#[derive(Deserialize)]
struct Summary {
    rows: usize,
    first: Vec<f64>,
    sum: f64,
    placed: f64,
    first_targets: Vec<f64>,
    target_sum: f64,
    target_placed: f64,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../../tests/golden/data.json"))
        .expect("the golden file is JSON")
}

fn builtin(name: &str) -> Dataset {
    Dataset::builtin(name, &Device::Cpu).expect("a built-in set")
}

fn parts(data: &Dataset) -> [&Split; 3] {
    [&data.train, &data.valid, &data.test]
}

/// All values; uncounted targets as -1, as in the golden file.
fn values(tensor: &Tensor) -> Vec<f64> {
    let flat = tensor.flatten_all().expect("a tensor");
    match flat.dtype() {
        DType::U32 => flat
            .to_vec1::<u32>()
            .expect("indices")
            .into_iter()
            .map(|i| if i == u32::MAX { -1.0 } else { f64::from(i) })
            .collect(),
        _ => flat
            .to_vec1::<f32>()
            .expect("numbers")
            .into_iter()
            .map(f64::from)
            .collect(),
    }
}

fn placed(values: &[f64]) -> f64 {
    let weight = |i: usize| (i % 97 + 1) as f64 / 97.0;
    values.iter().enumerate().map(|(i, x)| x * weight(i)).sum()
}

#[track_caller]
fn close(got: f64, expected: f64, within: f64, what: &str) {
    assert!(
        (got - expected).abs() <= within,
        "{what}: {got}, expected {expected}"
    );
}

/// Sums of f32 values lose at most this, per value.
const ROUNDING: f64 = 2e-7;

fn agrees_with_numpy(name: &str) {
    let golden = golden();
    let data = builtin(name);
    data.check().expect("a sound data set");
    for (part, expected) in parts(&data).into_iter().zip(&golden.sets[name]) {
        assert_eq!(part.len(), expected.rows, "{name}");
        let (inputs, targets) = (values(&part.inputs), values(&part.targets));
        assert_eq!(expected.first.len(), data.features(), "{name}");
        for (got, expected) in inputs.iter().zip(&expected.first) {
            close(*got, *expected, 1e-6, name);
        }
        for (got, expected) in targets.iter().zip(&expected.first_targets) {
            close(*got, *expected, 1e-6, name);
        }
        let within = ROUNDING * inputs.len() as f64;
        close(inputs.iter().sum(), expected.sum, within, name);
        close(placed(&inputs), expected.placed, within, name);
        let within = ROUNDING * targets.len() as f64;
        close(targets.iter().sum(), expected.target_sum, within, name);
        close(placed(&targets), expected.target_placed, within, name);
    }
}

#[test]
fn pictures_agree_with_numpy() {
    agrees_with_numpy("fashion");
    agrees_with_numpy("digits");
}

#[test]
fn tables_agree_with_numpy() {
    for name in ["letter", "satimage", "dna", "spam", "diamonds"] {
        agrees_with_numpy(name);
    }
}

#[test]
fn words_agree_with_numpy() {
    agrees_with_numpy("words");
}

#[test]
fn mnist1d_agrees_with_numpy() {
    agrees_with_numpy("mnist1d");
    // The label counts of the published training part, 4,000 signals.
    let data = builtin("mnist1d");
    let mut counts = [0; 10];
    for part in [&data.train, &data.valid] {
        for label in part.targets.to_vec1::<u32>().expect("labels") {
            counts[label as usize] += 1;
        }
    }
    assert_eq!(counts, [398, 396, 411, 394, 394, 402, 401, 404, 402, 398]);
}

#[test]
fn the_generator_is_that_of_numpy() {
    let expected = golden().generator;
    let mut rng = NumpyLegacy::new(42);
    let uniform: Vec<f64> = (0..3).map(|_| rng.uniform()).collect();
    assert_eq!(uniform, expected.uniform);
    for normal in expected.normal {
        close(rng.normal(), normal, 1e-15, "normal");
    }
    let below: Vec<u32> = (0..5).map(|_| rng.below(48)).collect();
    assert_eq!(below, expected.below_48);
    assert_eq!(rng.permutation(12), expected.permutation_12);
    assert_eq!(rng.uniform(), expected.after, "as many words are drawn");
}

#[test]
fn shapes_and_tasks_are_as_documented() {
    let classify = |classes| Task::Classify { classes };
    let value = Task::Regress { width: 1 };
    let text = Task::NextToken { vocabulary: 28, padding: Some(27) };
    for (name, shape, task) in [
        ("fashion", &[1, 14, 14][..], classify(10)),
        ("letter", &[16], classify(26)),
        ("satimage", &[36], classify(6)),
        ("dna", &[180], classify(3)),
        ("spam", &[57], classify(2)),
        ("digits", &[1, 8, 8], classify(10)),
        ("diamonds", &[26], value),
        ("words", &[16], text),
        ("mnist1d", &[1, 40], classify(10)),
        ("teacher-student", &[32], value),
        ("power-law", &[64], value),
    ] {
        let data = builtin(name);
        assert_eq!(data.input_shape(), shape, "{name}");
        assert_eq!(data.task, task, "{name}");
        if let Task::Classify { classes } = task {
            for part in parts(&data) {
                let labels: BTreeSet<u32> = part
                    .targets
                    .to_vec1::<u32>()
                    .expect("labels")
                    .into_iter()
                    .collect();
                assert_eq!(labels.len(), classes, "{name}: every class");
            }
        }
    }
}

#[test]
fn training_inputs_have_mean_0_and_deviation_1() {
    let moments = |column: &[f64]| {
        let n = column.len() as f64;
        let mean = column.iter().sum::<f64>() / n;
        (mean, column.iter().map(|x| x * x).sum::<f64>() / n)
    };
    let data = builtin("letter");
    let inputs = values(&data.train.inputs);
    for i in 0..16 {
        let column: Vec<f64> =
            inputs.iter().skip(i).step_by(16).copied().collect();
        let (mean, square) = moments(&column);
        close(mean, 0.0, 1e-2, "letter, less what was clipped");
        close(square, 1.0, 2e-2, "letter, less what was clipped");
    }
    let data = builtin("fashion");
    let (mean, square) = moments(&values(&data.train.inputs));
    close(mean, 0.0, 1e-5, "fashion");
    close(square, 1.0, 1e-5, "fashion");
    let data = builtin("diamonds");
    let (mean, square) = moments(&values(&data.train.targets));
    close(mean, 0.0, 1e-5, "prices");
    close(square, 1.0, 1e-5, "prices");
    let inputs = values(&data.train.inputs);
    assert!(inputs.iter().all(|x| x.abs() <= 6.0), "clipped");
}

/// Rows that the source does not repeat are in one part only.
#[test]
fn no_word_and_no_signal_is_in_two_parts() {
    for name in ["words", "mnist1d", "teacher-student", "power-law"] {
        let data = builtin(name);
        let mut seen = BTreeSet::new();
        for part in parts(&data) {
            for row in values(&part.inputs).chunks_exact(data.features()) {
                let bits: Vec<u64> = row.iter().map(|x| x.to_bits()).collect();
                assert!(seen.insert(bits), "{name}: a row twice");
            }
        }
    }
}

#[test]
fn builtin_names_that_need_more_say_so() {
    let message = |name: &str| {
        let got = Dataset::builtin(name, &Device::Cpu);
        got.expect_err("no data set").to_string()
    };
    assert_eq!(
        message("leter"),
        "unknown data set `leter`, did you mean `letter`?"
    );
    assert_eq!(
        message("csv"),
        "data set `csv` needs more than a name: give its file in a grid, or \
         to `Dataset::csv`"
    );
    #[cfg(not(feature = "hub"))]
    assert_eq!(
        message("cifar-10"),
        "`cifar-10` without `dir` must be downloaded: give the folder of its \
         files with `dir`, or build with `--features hub`"
    );
}

#[test]
fn label_noise_is_exact_and_repeatable() {
    let noisy = |share| {
        load(&DatasetSpec::Digits {}, share, Path::new(""), &Device::Cpu)
            .expect("digits")
    };
    let (clean, some, all) = (noisy(0.0), noisy(0.1234), noisy(1.0));
    let wrong = |data: &Dataset| {
        let (a, b) =
            (values(&clean.train.targets), values(&data.train.targets));
        a.iter().zip(&b).filter(|(a, b)| a != b).count()
    };
    assert_eq!(wrong(&some), 123);
    assert_eq!(wrong(&all), 1000);
    some.check().expect("labels stay classes");
    assert_eq!(values(&some.valid.targets), values(&clean.valid.targets));
    let print = |data: &Dataset| data.fingerprint().expect("a digest");
    assert_eq!(print(&some), print(&noisy(0.1234)));
    assert_ne!(print(&some), print(&clean));
    let spec = DatasetSpec::Words {};
    let error = load(&spec, 0.1, Path::new(""), &Device::Cpu);
    assert_eq!(
        error.expect_err("text has no labels").to_string(),
        "`label_noise` needs classes: leave it out for regression and text"
    );
}

/// Mean squared error of `predict` on the validation part.
fn valid_loss(data: &Dataset, predict: impl Fn(&[f64]) -> f64) -> f64 {
    let inputs = values(&data.valid.inputs);
    let targets = values(&data.valid.targets);
    let rows = inputs.chunks_exact(data.features());
    let square = |(x, y): (&[f64], &f64)| (predict(x) - y).powi(2);
    rows.zip(&targets).map(square).sum::<f64>() / targets.len() as f64
}

#[test]
fn the_power_laws_optimum_is_the_true_weights_loss() {
    let data = builtin("power-law");
    let optimum = data.optimum.expect("it is known");
    let total: f64 = (1..=64).map(|i| f64::from(i).powf(-1.5)).sum();
    let loss = valid_loss(&data, |x| x.iter().sum::<f64>() / total.sqrt());
    close(loss, optimum, 1e-6, "true weights");
    close(optimum, 0.25, 0.05, "noise of 0.5");
    close(valid_loss(&data, |_| 0.0), 1.25, 0.2, "clean variance of 1");
    let first = values(&data.train.inputs);
    let variance = |column: usize| {
        let cells = first.iter().skip(column).step_by(64);
        cells.map(|x| x * x).sum::<f64>() / 4000.0
    };
    close(variance(0), 1.0, 0.1, "first feature");
    close(variance(15) * 64.0, 1.0, 0.1, "sixteenth feature");
}

#[test]
fn the_teachers_targets_are_standardised_before_the_noise() {
    let spec = DatasetSpec::TeacherStudent { noise: 0.0 };
    let clean = load(&spec, 0.0, Path::new(""), &Device::Cpu).expect("clean");
    assert_eq!(clean.optimum, Some(0.0));
    let noisy = builtin("teacher-student");
    close(noisy.optimum.expect("known"), 0.01, 0.002, "noise of 0.1");
    let (mut n, mut sum, mut square, mut errors) = (0.0, 0.0, 0.0, 0.0);
    for (a, b) in parts(&clean).into_iter().zip(parts(&noisy)) {
        let (a, b) = (values(&a.targets), values(&b.targets));
        for (a, b) in a.into_iter().zip(b) {
            n += 1.0;
            sum += a;
            square += a * a;
            errors += (b - a).powi(2);
        }
    }
    close(sum / n, 0.0, 1e-6, "mean");
    close(square / n, 1.0, 1e-6, "variance");
    close(errors / n, 0.01, 1e-3, "noise");
}

#[test]
fn constant_columns_become_0_everywhere() {
    let mut parts =
        [vec![0.1, 1.0, 0.1, 3.0], vec![7.0, 2.0], vec![0.1, 100.0]];
    standardise_columns(&mut parts, 2);
    assert_eq!(parts[0], [0.0, -1.0, 0.0, 1.0]);
    assert_eq!(parts[1], [0.0, 0.0]);
    assert_eq!(parts[2], [0.0, 6.0], "clipped");
    // Sums of 0.1 round, so that the deviation is not quite 0.
    assert!(Scale::of([0.1; 7].into_iter()).is_constant());
    assert!(!Scale::of([1.7e9, 1.7e9 + 1.0].into_iter()).is_constant());
    let targets = [vec![0.0, 2.0], vec![1.0], vec![21.0]];
    let [_, _, test] = standardise_targets(targets);
    assert_eq!(test, [20.0], "targets are not clipped");
}

/// A row for each of 0..n, of what `row` writes.
fn csv(header: &str, n: usize, row: impl Fn(usize) -> String) -> String {
    let rows: Vec<String> = (0..n).map(row).collect();
    format!("{header}\n{}\n", rows.join("\n"))
}

/// The data set of `text` as a table, in a file `t.csv`.
fn read_table(
    text: impl AsRef<[u8]>,
    target: &str,
    task: Option<TableTask>,
) -> Result<Dataset> {
    read_table_without(text, target, &[], task)
}

/// The same without the columns `drop`.
fn read_table_without(
    text: impl AsRef<[u8]>,
    target: &str,
    drop: &[&str],
    task: Option<TableTask>,
) -> Result<Dataset> {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("t.csv"), text).expect("a file");
    let spec = DatasetSpec::Csv {
        file: "t.csv".into(),
        target: target.to_owned(),
        drop: drop.iter().map(|&name| name.to_owned()).collect(),
        task,
        split: [0.1, 0.2],
    };
    let data = load(&spec, 0.0, dir.path(), &Device::Cpu)?;
    data.check()?;
    Ok(data)
}

/// The complaint about a table, from the file's name on.
fn complaint(text: impl AsRef<[u8]>, target: &str) -> String {
    complaint_of(read_table(text, target, None))
}

fn complaint_of(got: Result<Dataset>) -> String {
    let message = got.expect_err("no data set").to_string();
    let start = message.find("t.csv").expect("it names the file");
    message[start..].to_owned()
}

#[test]
fn columns_that_are_left_out_change_nothing() {
    let plain = csv("a,b", 50, |i| format!("{i},{}", i % 2));
    let with_more =
        csv(",a,name,b", 50, |i| format!("{i},{i},name {i} of many,{}", i % 2));
    let want = read_table(plain, "b", None).expect("a table");
    let got = read_table_without(&with_more, "b", &["", "name"], None);
    let got = got.expect("a table");
    assert_eq!(
        got.fingerprint().expect("a digest"),
        want.fingerprint().expect("a digest")
    );
    let refuse = |drop: &[&str]| {
        complaint_of(read_table_without(&with_more, "b", drop, None))
    };
    for (drop, want) in [
        (
            &["", "nmae"][..],
            "unknown column `nmae` in `drop`, did you mean `name`?",
        ),
        (&["", "b"], "`drop` has the target `b`: leave one of them out"),
        (&["", "name", "a"], "the table has no column besides the target"),
        (
            &["name"],
            "column 1 has no name: name it, or leave it out (`drop = [\"\"]`) \
             if it only numbers the rows",
        ),
    ] {
        assert_eq!(refuse(drop), format!("t.csv:1:1: {want}"));
    }
}

#[test]
fn a_table_of_numbers_and_words_becomes_inputs() {
    let colours = ["red", "green, light", "blue"];
    let text = csv("\u{feff}size,\"colour\", kind,same", 50, |i| {
        let size = if i == 7 { "NA".to_owned() } else { format!("{i}e0") };
        let kind = if i % 2 == 0 { "even" } else { "odd" };
        format!("{size},\"{}\", {kind} ,0.1", colours[i % 3])
    });
    let data = read_table(&text, "kind", None).expect("a table");
    assert_eq!(data.task, Task::Classify { classes: 2 });
    assert_eq!(data.input_shape(), [1 + 3 + 1]);
    assert_eq!(
        [data.train.len(), data.valid.len(), data.test.len()],
        [35, 5, 10]
    );
    let mut sizes: Vec<f64> = parts(&data)
        .into_iter()
        .flat_map(|part| {
            let all = values(&part.inputs);
            assert!(all.iter().skip(4).step_by(5).all(|&x| x == 0.0));
            all.into_iter().step_by(5)
        })
        .collect();
    assert!(sizes.contains(&0.0), "the missing one is the mean");
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    assert_eq!(sizes.len(), 50, "every row once");
    let again = read_table(&text, "kind", None).expect("a table");
    assert_eq!(
        data.fingerprint().expect("a digest"),
        again.fingerprint().expect("a digest")
    );
}

#[test]
fn the_task_follows_the_targets_values() {
    let text = csv("a,many,few,word,real", 60, |i| {
        format!("{i},{i},{},w{},{}", 9 + i % 3, i % 4, (i % 4) as f64 / 8.0)
    });
    for (target, task) in [
        ("many", Task::Regress { width: 1 }),
        ("few", Task::Classify { classes: 3 }),
        ("word", Task::Classify { classes: 4 }),
        ("real", Task::Regress { width: 1 }),
    ] {
        let data = read_table(&text, target, None).expect("a table");
        assert_eq!(data.task, task, "{target}");
    }
    let regress = Some(TableTask::Regress);
    let data = read_table(&text, "few", regress).expect("a table");
    let targets = values(&data.train.targets);
    close(targets.iter().sum(), 0.0, 1e-4, "standardised");
}

/// Classes that are numbers count in their order: 9 before 10.
#[test]
fn numbered_classes_keep_their_order() {
    let text = csv("a,b", 60, |i| format!("{0},{0}", 8 + i % 3));
    let data = read_table(text, "b", None).expect("a table");
    let inputs = values(&data.train.inputs);
    for (x, label) in inputs.iter().zip(values(&data.train.targets)) {
        let expected = if *x < -0.6 { 0.0 } else { label.max(1.0) };
        assert_eq!(label, expected, "the least number is class 0");
    }
}

#[test]
fn broken_tables_are_refused_with_their_place() {
    let good = |i: usize| format!("{i},{}", i % 2);
    let table = |header: &str| csv(header, 40, good);
    let at = |row: usize, cells: &'static str| {
        csv("a,b", 40, |i| if i == row { cells.to_owned() } else { good(i) })
    };
    assert_eq!(
        complaint(table("age,kind"), "kin"),
        "t.csv:1:1: unknown column `kin`, did you mean `kind`?"
    );
    assert_eq!(
        complaint(table("a,b"), "price"),
        "t.csv:1:1: unknown column `price`, expected `a` or `b`"
    );
    assert_eq!(
        complaint(at(4, "1,2,3"), "b"),
        "t.csv:6:1: this row has 3 fields and the header 2; quote cells that \
         contain commas"
    );
    assert_eq!(
        complaint(format!("\u{feff}{}", at(4, "1")), "b"),
        "t.csv:6:1: this row has 1 fields and the header 2; quote cells that \
         contain commas"
    );
    assert_eq!(
        complaint(at(9, "1,\"0"), "b"),
        "t.csv:11:1: a cell of this row goes on over several lines: close its \
         quotes, or put it on one line"
    );
    assert_eq!(
        complaint(at(9, "1,"), "b"),
        "t.csv:11:1: target `b` is missing here: fill it or drop the row"
    );
    assert_eq!(
        complaint("", "b"),
        "t.csv:1:1: the file is empty; its first line must name the columns"
    );
    assert_eq!(
        complaint(csv("a,b", 5, good), "b"),
        "t.csv:6:4: 5 rows are too few, 30 are needed"
    );
    assert_eq!(
        complaint(table("b,b"), "b"),
        "t.csv:1:1: two columns are named `b`: rename or drop one"
    );
    assert_eq!(
        complaint(table(",b"), "b"),
        "t.csv:1:1: column 1 has no name: name it, or leave it out (`drop = \
         [\"\"]`) if it only numbers the rows"
    );
    assert_eq!(
        complaint(table("a,b").replace(',', ";"), "b"),
        "t.csv:1:1: columns are separated by ';': save the table with commas"
    );
    assert_eq!(
        complaint(b"a,b\n1,\xff\n", "b"),
        "t.csv:2:3: not UTF-8; save it as UTF-8"
    );
    assert_eq!(
        complaint(csv("b", 40, |i| (i % 2).to_string()), "b"),
        "t.csv:1:1: the table has no column besides the target"
    );
}

#[test]
fn columns_that_say_nothing_useful_are_refused() {
    let table = |cell: fn(usize) -> String| {
        csv("a,b", 80, move |i| format!("{},{}", cell(i), i % 2))
    };
    let with = |cell: fn(usize) -> String| {
        csv("a,b", 80, move |i| format!("{},{}", i % 2, cell(i)))
    };
    assert_eq!(
        complaint(
            table(|i| {
                if i == 5 { "\"12,5\"".into() } else { i.to_string() }
            }),
            "b"
        ),
        "t.csv:7:1: `a` is `12,5`; correct this number, or leave the column \
         out (`drop = [\"a\"]`), whose 80 different words are too many for a \
         category (at most 50)"
    );
    assert!(
        complaint(table(|i| format!("{i}e60")), "b")
            .starts_with("t.csv:3:1: `a` is `1e60`; correct this number")
    );
    assert!(
        complaint(
            table(|i| if i == 9 { "inf".into() } else { i.to_string() }),
            "b"
        )
        .starts_with("t.csv:11:1: `a` is `inf`; correct this number")
    );
    assert_eq!(
        complaint(with(|_| "yes".to_owned()), "b"),
        "t.csv:1:1: target `b` has one value only: name another"
    );
    assert_eq!(
        complaint(with(|i| format!("name {i}")), "b"),
        "t.csv:1:1: target `b` has 80 different values in 80 rows, too many \
         for classes: name another, or take `task = \"regress\"` if they are \
         numbers"
    );
    let regress = |text: String| {
        complaint_of(read_table(text, "b", Some(TableTask::Regress)))
    };
    assert_eq!(
        regress(with(|i| if i == 3 { "x".into() } else { i.to_string() })),
        "t.csv:5:3: `b` is `x`; correct this number, or take `task = \
         \"classify\"`"
    );
    assert_eq!(
        regress(with(|_| "0.1".to_owned())),
        "t.csv:1:1: target `b` has one value only in the training rows: name \
         another"
    );
}

#[test]
fn large_numbers_keep_their_differences() {
    let text =
        csv("time,b", 40, |i| format!("{},{}", 1_700_000_000 + i, i % 2));
    let data = read_table(text, "b", None).expect("a table");
    let times: BTreeSet<u64> = parts(&data)
        .into_iter()
        .flat_map(|part| values(&part.inputs))
        .map(f64::to_bits)
        .collect();
    assert_eq!(times.len(), 40, "f32 alone would make them one");
}

fn read_text(text: impl AsRef<[u8]>, context: usize) -> Result<Dataset> {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("t.txt"), text).expect("a file");
    let file = "t.txt".into();
    let spec = DatasetSpec::Text { file, context, split: [0.1, 0.2] };
    let data = load(&spec, 0.0, dir.path(), &Device::Cpu)?;
    data.check()?;
    Ok(data)
}

#[test]
fn text_becomes_windows_and_the_characters_that_follow() {
    let text = format!("\u{feff}{}{}", "ab\u{e9}".repeat(24), "abz".repeat(10));
    let data = read_text(&text, 4).expect("102 characters");
    assert_eq!(data.task, Task::NextToken { vocabulary: 4, padding: None });
    // 72 characters train: 17 windows of 4, each with the one that follows.
    assert_eq!(data.train.len(), 17);
    let inputs = values(&data.train.inputs);
    let targets = values(&data.train.targets);
    assert_eq!(inputs[..6], [0.0, 1.0, 2.0, 0.0, 1.0, 2.0]);
    assert_eq!(targets[..67], inputs[1..]);
    let test = values(&data.test.inputs);
    assert_eq!(test[..4], [1.0, 3.0, 0.0, 1.0], "`z` is unknown");
}

#[test]
fn texts_without_enough_in_them_are_refused() {
    let message = |text: &[u8], context| {
        let got = read_text(text, context).expect_err("no data set");
        let message = got.to_string();
        let start = message.find("t.txt").expect("it names the file");
        message[start..].to_owned()
    };
    assert_eq!(
        message(b"", 4),
        "t.txt:1:1: 0 characters are too few: each part of `split` [0.1, 0.2] \
         needs more than `context` = 4, give a longer text or a shorter \
         context"
    );
    assert!(
        message(&b"ab".repeat(20), 4).contains("40 characters are too few")
    );
    assert_eq!(
        message(&b"a".repeat(100), 4),
        "t.txt:1:1: the training part repeats one character: there is nothing \
         to predict, give another text"
    );
    assert_eq!(
        message(b"one\nt\xffwo", 4),
        "t.txt:2:2: not UTF-8; save it as UTF-8"
    );
}

fn idx(shape: &[u32], values: &[u8]) -> Vec<u8> {
    let rank = u8::try_from(shape.len()).expect("a small rank");
    let mut bytes = vec![0, 0, 8, rank];
    bytes.extend(shape.iter().flat_map(|e| e.to_be_bytes()));
    bytes.extend(values);
    bytes
}

/// A folder of 40 training and 10 test pictures of 3x3.
fn mnist_folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, n) in [("train", 40_u8), ("t10k", 10)] {
        let pixels: Vec<u8> = (0..n).flat_map(|i| [i; 9]).collect();
        let labels: Vec<u8> = (0..n).map(|i| i % 10).collect();
        let images = idx(&[n.into(), 3, 3], &pixels);
        write(dir.path(), &format!("{name}-images-idx3-ubyte"), &images);
        let labels = idx(&[n.into()], &labels);
        write(dir.path(), &format!("{name}-labels-idx1-ubyte"), &labels);
    }
    dir
}

fn write(dir: &Path, name: &str, bytes: &[u8]) {
    std::fs::write(dir.join(name), bytes).expect("a file");
}

fn read_mnist(dir: &Path) -> Result<Dataset> {
    let spec = DatasetSpec::Mnist { dir: Some("".into()) };
    let data = load(&spec, 0.0, dir, &Device::Cpu)?;
    data.check()?;
    Ok(data)
}

#[test]
fn a_folder_of_mnist_is_read() {
    let dir = mnist_folder();
    let data = read_mnist(dir.path()).expect("a folder");
    assert_eq!(data.input_shape(), [1, 3, 3]);
    assert_eq!(
        [data.train.len(), data.valid.len(), data.test.len()],
        [36, 4, 10]
    );
    let labels = |part: &Split| values(&part.targets);
    assert_eq!(labels(&data.valid), [6.0, 7.0, 8.0, 9.0], "the last tenth");
    // Training values are 0 to 35, nine of each.
    let deviation = ((36.0_f64 * 36.0 - 1.0) / 12.0).sqrt();
    close(values(&data.train.inputs)[0], -17.5 / deviation, 1e-6, "first");
    close(values(&data.valid.inputs)[0], 18.5 / deviation, 1e-6, "valid");

    let name = "train-images-idx3-ubyte";
    let bytes = std::fs::read(dir.path().join(name)).expect("a file");
    std::fs::remove_file(dir.path().join(name)).expect("a file");
    let mut zip = GzEncoder::new(vec![], Compression::fast());
    zip.write_all(&bytes).expect("memory");
    let zipped = zip.finish().expect("memory");
    write(dir.path(), "train-images-idx3-ubyte.gz", &zipped);
    let again = read_mnist(dir.path()).expect("a compressed file serves");
    assert_eq!(
        again.fingerprint().expect("a digest"),
        data.fingerprint().expect("a digest")
    );
    write(dir.path(), "train-images-idx3-ubyte.gz", &zipped[..50]);
    assert!(read_mnist(dir.path()).is_err(), "cut short");
}

#[test]
fn broken_folders_of_mnist_are_refused() {
    let message = |name: &str, bytes: &[u8]| {
        let dir = mnist_folder();
        write(dir.path(), name, bytes);
        let got = read_mnist(dir.path()).expect_err("no data set").to_string();
        got.replace(&dir.path().display().to_string(), "DIR")
    };
    let labels = "train-labels-idx1-ubyte";
    assert!(message(labels, &idx(&[39], &[0; 39])).ends_with(
        "images of shape [40, 3, 3] with labels of shape [39]: the files \
             do not belong together"
    ));
    assert!(message(labels, &idx(&[40], &[77; 40])).ends_with(
        "a training label is 77, but there are only 10 classes: check that \
         this is the right file"
    ));
    assert_eq!(
        message(labels, &idx(&[40], &[0; 7])),
        "DIR/train-labels-idx1-ubyte: an idx file of shape [40] with 7 values"
    );
    for (bytes, fault) in [
        (&b""[..], "not an idx file: it does not start with two zero bytes"),
        (
            b"PK\x03\x04",
            "not an idx file: it does not start with two zero bytes",
        ),
        (&[0, 0, 8, 0, 1], "an idx file without extents"),
        (&[0, 0, 8, 255, 1], "an idx file cut short in its header"),
        (
            &[0, 0, 9, 1, 0, 0, 0, 0],
            "idx type 0x09 is unknown, expected 0x08 \
                                     (u8) or 0x0b (i16)",
        ),
        (
            &[0, 0, 11, 1, 0, 0, 0, 1, 0, 1, 2],
            "an idx file that ends within a value",
        ),
    ] {
        let got = message(labels, bytes);
        assert!(got.ends_with(fault), "{got}");
    }
    let huge = idx(&[u32::MAX; 3], &[]);
    assert!(
        message("train-images-idx3-ubyte", &huge).contains("with 0 values")
    );
    let wide = idx(&[10, 4, 4], &[0; 160]);
    assert!(message("t10k-images-idx3-ubyte", &wide).ends_with(
        "10 test labels for 160 pixels in pictures of shape [1, 3, 3]: \
             the files do not belong together"
    ));
    let dir = tempfile::tempdir().expect("a folder");
    let missing = read_mnist(dir.path()).expect_err("nothing there");
    assert!(missing.to_string().ends_with(
        "`dir` is the folder of the files themselves, such as \
             torchvision's `MNIST/raw` or `cifar-10-batches-bin`"
    ));
}

#[test]
fn a_folder_of_cifar_is_read() {
    let dir = tempfile::tempdir().expect("a folder");
    let record = |label: u8| {
        let mut bytes = vec![label];
        bytes.extend((0..3072_u32).map(|i| {
            u8::try_from(u32::from(label) + i / 1024).expect("small")
        }));
        bytes
    };
    for i in 1..=5_u8 {
        let bytes: Vec<u8> = (0..2).flat_map(|k| record(i + k)).collect();
        write(dir.path(), &format!("data_batch_{i}.bin"), &bytes);
    }
    write(dir.path(), "test_batch.bin", &record(9));
    let spec = DatasetSpec::Cifar10 { dir: Some("".into()) };
    let read = || load(&spec, 0.0, dir.path(), &Device::Cpu);
    let data = read().expect("a folder");
    assert_eq!(data.input_shape(), [3, 32, 32]);
    assert_eq!(
        [data.train.len(), data.valid.len(), data.test.len()],
        [9, 1, 1]
    );
    let labels = [1., 2., 2., 3., 3., 4., 4., 5., 5.];
    assert_eq!(values(&data.train.targets), labels);
    let first = values(&data.train.inputs);
    let (red, green, blue) = (first[1023], first[1024], first[2048]);
    assert!(red == first[0] && red < green && green < blue, "planes");
    write(dir.path(), "test_batch.bin", &record(10));
    let got = read().expect_err("label 10").to_string();
    assert!(
        got.contains("a test label is 10, but there are only 10 classes"),
        "{got}"
    );
    write(dir.path(), "data_batch_3.bin", &[0; 3074]);
    let got = read().expect_err("a wrong length").to_string();
    assert!(
        got.ends_with(
            "data_batch_3.bin: 3074 bytes are not a whole number of pictures \
             of 3073"
        ),
        "{got}"
    );
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let real = |shape: &[usize]| {
        Tensor::zeros(shape, DType::F32, &Device::Cpu).expect("a tensor")
    };
    let index = |shape: &[usize]| {
        Tensor::zeros(shape, DType::U32, &Device::Cpu).expect("a tensor")
    };
    let split = |inputs: &Tensor, targets: &Tensor| Split {
        inputs: inputs.clone(),
        targets: targets.clone(),
    };
    let good = split(&real(&[8, 3]), &index(&[8]));
    let classes = Task::Classify { classes: 2 };
    let of = |valid: Split, task| {
        Dataset::new(good.clone(), valid, good.clone(), task).check()
    };
    of(good.clone(), classes).expect("a data set");
    let message = |inputs: &Tensor, targets: &Tensor| {
        of(split(inputs, targets), classes).expect_err("a fault").to_string()
    };
    let bytes = index(&[8]).to_dtype(DType::U8).expect("bytes");
    let two = (index(&[8]) + 2.0).expect("twos");
    let nan = (real(&[8, 3]) * f64::NAN).expect("nans");
    for (inputs, targets, expected) in [
        (
            real(&[8, 3]),
            index(&[7]),
            "its targets have shape [7], expected [8]",
        ),
        (
            real(&[8, 4]),
            index(&[8]),
            "its examples have shape [4], those of the training part [3]",
        ),
        (real(&[0, 3]), index(&[0]), "there are no examples in it"),
        (
            real(&[8, 3]),
            bytes,
            "its targets are u8, expected u32: convert them with `to_dtype`",
        ),
        (
            real(&[8, 3]),
            two,
            "its targets hold 2, but only 2 are declared, from 0",
        ),
        (
            nan,
            index(&[8]),
            "its inputs hold NaN: replace it by a finite number",
        ),
    ] {
        assert_eq!(
            message(&inputs, &targets),
            format!("validation part of the data set: {expected}")
        );
    }
    let regress = of(good.clone(), Task::Regress { width: 1 });
    assert_eq!(
        regress.expect_err("a fault").to_string(),
        "training part of the data set: its targets have shape [8], expected \
         [8, 1]"
    );
    let scalar = split(&real(&[]), &index(&[]));
    let flat = Dataset::new(scalar.clone(), scalar.clone(), scalar, classes);
    assert_eq!(flat.input_shape(), [0; 0]);
    assert!(flat.check().is_err());
    let text = split(&index(&[2, 4]), &(index(&[2, 4]) + 3.0).expect("threes"));
    let task = Task::NextToken { vocabulary: 3, padding: None };
    let text = Dataset::new(text.clone(), text.clone(), text, task);
    assert!(text.check().is_err(), "a character beyond the vocabulary");
}

#[test]
fn fingerprints_tell_data_apart() {
    let digest = |name: &str| builtin(name).fingerprint().expect("a digest");
    assert_eq!(digest("digits"), digest("digits"));
    assert_ne!(digest("digits"), digest("letter"));
    let mut swapped = builtin("digits");
    std::mem::swap(&mut swapped.valid, &mut swapped.test);
    assert_ne!(swapped.fingerprint().expect("a digest"), digest("digits"));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn no_table_makes_it_panic(
        cells in proptest::collection::vec("[a0-9\"\n,;.e-]{0,6}", 0..200),
        width in 1..5_usize,
    ) {
        let mut text = "a,b,c,d\n".to_owned();
        for row in cells.chunks(width) {
            text.push_str(&row.join(","));
            text.push('\n');
        }
        let _ = read_table(text, "b", None);
    }

    #[test]
    fn no_idx_file_makes_it_panic(
        kind in 7..13_u8,
        rank in 0..4_u8,
        rest in proptest::collection::vec(0..4_u8, 0..40),
    ) {
        let bytes = [&[0, 0, kind, rank], &rest[..]].concat();
        if let Ok(idx) = Idx::parse(&bytes) {
            let values = idx.shape.iter().product::<usize>();
            proptest::prop_assert_eq!(values, idx.values.len());
            proptest::prop_assert_eq!(
                idx.rows(0..idx.shape[0]).len(),
                values
            );
        }
    }
}
