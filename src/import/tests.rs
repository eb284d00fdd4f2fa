use super::*;

fn read(text: &str) -> Result<Sheet> {
    table_of(Path::new("t"), text.as_bytes())
}

/// The header, then the rows, cells joined by bars.
fn lines(text: &str) -> Vec<String> {
    let sheet = read(text).expect("a table");
    let header = sheet.names().collect::<Vec<_>>().join("|");
    let rows = sheet.records().map(|r| r.cells().collect::<Vec<_>>().join("|"));
    [header].into_iter().chain(rows).collect()
}

fn refusal(bytes: &[u8]) -> String {
    let refused = table_of(Path::new("t"), bytes).err();
    refused.expect("no table").to_string()
}

#[test]
fn one_table_in_many_forms() {
    let wanted = ["lr|loss", "0.1|2.5", "1|nan"];
    for text in [
        "lr,loss\n0.1,2.5\n1,nan\n",
        "lr;loss\n0,1;2,5\n1;nan\n",
        "[{\"lr\": 0.1, \"loss\": 2.5}, {\"lr\": 1, \"loss\": NaN}]",
        "{\"lr\": 0.1, \"loss\": 2.5}\n{\"lr\": 1, \"loss\": NaN}\n",
        "{\"lr\": [0.1, 1], \"loss\": [2.5, NaN]}",
        "{\"lr\":{\"0\":0.1,\"1\":1},\"loss\":{\"0\":2.5,\"1\":NaN}}",
        "{\"0\":{\"lr\":0.1,\"loss\":2.5},\"1\":{\"lr\":1,\"loss\":NaN}}",
        "{\"columns\":[\"lr\",\"loss\"],\"index\":[0,1],\
         \"data\":[[0.1,2.5],[1,NaN]]}",
        "{\"best\": 3, \"log\": [{\"lr\": 0.1, \"loss\": 2.5}, \
         {\"lr\": 1, \"loss\": NaN}]}",
        "[[\"lr\", \"loss\"], [0.1, 2.5], [1, NaN]]",
        "[{'lr': 0.1, 'loss': 2.5}, {'lr': 1, 'loss': nan}]",
    ] {
        assert_eq!(lines(text), wanted, "{text}");
    }
}

#[test]
fn objects_are_flattened_and_missing_cells_empty() {
    assert_eq!(
        lines(
            "[{\"config\": {\"seed\": 1, \"opt\": {\"lr\": 1e-3}}, \"x\": \
             null}, {\"tags\": [\"a\", \"b\"], \"done\": true}]"
        ),
        [
            "config.seed|config.opt.lr|x|tags|done",
            "1|1e-3|||",
            "|||[a, b]|true"
        ]
    );
    let text = "{\"cosine\": {\"loss\": 1}, \"linear\": {\"loss\": 2}}";
    assert_eq!(lines(text), ["key|loss", "cosine|1", "linear|2"]);
}

#[test]
fn encodings_with_a_mark_are_read() {
    let text = "lr,löss\n0.1,2\n";
    let wide = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
        let marked = format!("\u{feff}{text}");
        marked.encode_utf16().flat_map(order).collect()
    };
    for bytes in [
        text.as_bytes().to_vec(),
        format!("\u{feff}{text}").into_bytes(),
        wide(u16::to_le_bytes),
        wide(u16::to_be_bytes),
    ] {
        let sheet = table_of(Path::new("t"), &bytes).expect("a table");
        assert_eq!(sheet.names().collect::<Vec<_>>(), ["lr", "löss"]);
    }
}

#[test]
fn cells_of_json_know_their_place() {
    let sheet = read("[{\"lr\": 1,\n  \"seed\": \"x\"}]").expect("a table");
    let row = sheet.records().next().expect("a row");
    let said = row.whole(1).expect_err("no number").to_string();
    assert_eq!(
        said,
        "t:2:11: `seed` is `x`; it must be a whole number from 0 up"
    );
}

#[test]
fn what_is_no_table_is_refused_with_place_and_remedy() {
    for (bytes, message) in [
        (&b""[..], "t:1:1: the file is empty"),
        (b"{\"lr\": [1, 2", "t:1:13: the JSON ends here"),
        (b"{\"lr\": [1, 2], \"loss\": [1]}", "t:1:24: `loss` has 1 value"),
        (b"[{\"lr\": 1},\n 7]", "t:2:2: a row must be a JSON object"),
        (b"{\"lr\": oops}", "t:1:8: not JSON: a value is expected here"),
        (b"[]", "t:1:1: the JSON has no rows"),
        (b"[[1, 2], [3, 4]]", "t:1:2: the first array must have the names"),
        (b"lr,loss\n\xff,1\n", "t:2:1: not UTF-8; save it as UTF-8"),
        (b"lr\0\0", "t:1:3: this is not text"),
        (b"PK\x03\x04...", "t:1:1: this is a ZIP file"),
        (b"\xff\xfea", "t:1:1: broken UTF-16"),
    ] {
        let said = refusal(bytes);
        assert!(said.starts_with(message), "{said}");
    }
    let long = format!("{{\"lr\": {}}}", "x".repeat(5000));
    assert!(refusal(long.as_bytes()).len() < 200);
    let deep = "[".repeat(100_000);
    assert!(refusal(deep.as_bytes()).contains("nested more than"));
}
