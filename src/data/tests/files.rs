//! Data sets from tables and texts of the user.

use super::*;

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
        "t.csv:6:1: this row has 3 fields, but the header has 2; quote cells \
         that contain commas"
    );
    assert_eq!(
        complaint(format!("\u{feff}{}", at(4, "1")), "b"),
        "t.csv:6:1: this row has 1 field, but the header has 2; quote cells \
         that contain commas"
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
}
