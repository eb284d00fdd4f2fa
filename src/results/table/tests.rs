use super::*;
use serde::Deserialize;
use std::path::PathBuf;

fn file(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("runs.csv");
    fs::write(&path, bytes).expect("writable");
    (folder, path)
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
struct Line {
    name: String,
    value: f64,
    other: Option<f64>,
}

#[test]
fn rows_come_back_and_formulas_are_disarmed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("new/rows.csv");
    let line =
        |name: &str, value, other| Line { name: name.to_owned(), value, other };
    let rows = [
        line("=1+1", -0.1, None),
        line("@x, \"y\"\nz", 1e-300, Some(-3.0)),
        line("-minus", f64::INFINITY, Some(0.1)),
        line("+1", 0.0, Some(f64::NEG_INFINITY)),
        line("plain", -1.0, Some(2.0)),
    ];
    write_rows(&path, &rows).expect("writable");
    let text = fs::read_to_string(&path).expect("just written");
    assert!(text.starts_with("name,value,other\n'=1+1,-0.1,\n\"'@x"), "{text}");
    assert!(text.contains("\n'-minus,inf,"), "{text}");
    assert!(text.contains("\n+1,0.0,-inf\n"), "{text}");
    assert_eq!(read_rows::<Line>(&path).expect("readable"), rows);
    let mut printed = vec![];
    print_rows(&mut printed, &rows).expect("writable");
    assert_eq!(printed, text.as_bytes());
}

#[test]
fn a_row_of_another_kind_is_found_by_line_and_column() {
    let (_folder, path) = file(b"name,value,other\na,1,\nb,two,\n");
    let error = read_rows::<Line>(&path).expect_err("no number");
    let message = error.to_string();
    assert!(message.contains("runs.csv:3:3: "), "{message}");
}
