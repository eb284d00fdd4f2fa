//! Damaged grids: never a panic, always a place.

use super::{BASE, Experiment, Known};
use crate::error::Error;
use proptest::prelude::*;
use std::path::Path;

/// Either it still makes an experiment, or it says where it does not.
fn check(text: &str) -> Result<(), TestCaseError> {
    let path = Path::new("grid.toml");
    match Experiment::parse(path, text, &Known::default()) {
        Ok(_) => Ok(()),
        Err(Error::Input { line, column, message, .. }) => {
            prop_assert!(line >= 1 && column >= 1);
            prop_assert!(line <= text.matches('\n').count() + 1);
            prop_assert!(!message.is_empty() && message.len() < 2_000);
            Ok(())
        }
        Err(other) => {
            prop_assert!(false, "without a place: {other}");
            Ok(())
        }
    }
}

fn texts() -> [String; 2] {
    [
        BASE.join("\n"),
        include_str!("../../../experiments/standard.toml").to_owned(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn flipped_bytes(
        which in 0..2usize,
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0..8u8), 1..6),
    ) {
        let mut bytes = texts()[which].clone().into_bytes();
        for (at, bit) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        check(&String::from_utf8_lossy(&bytes))?;
    }

    #[test]
    fn lost_and_doubled_lines(
        which in 0..2usize,
        picks in prop::collection::vec((any::<prop::sample::Index>(), 0..3u8), 1..6),
    ) {
        let text = texts()[which].clone();
        let mut lines: Vec<&str> = text.lines().collect();
        for (at, what) in picks {
            let at = at.index(lines.len());
            match what {
                0 => { lines.remove(at); }
                1 => lines.insert(at, lines[at]),
                _ => lines.swap(at, 0),
            }
            if lines.is_empty() {
                break;
            }
        }
        check(&lines.join("\n"))?;
    }

    #[test]
    fn foreign_values(
        line in prop::sample::select(vec![1usize, 2, 4, 5, 7]),
        value in "(\\[\\]|\\[\\[1\\]\\]|-?[0-9]{1,25}|nan|-inf|1e999|true|\"\"|\"[a-z{}/.]{0,9}\"|\\{ \\}|\\{ kind = 3 \\}|1979-05-27|0x[0-9a-f]{1,20})",
    ) {
        let key = BASE[line - 1].split('=').next().unwrap_or_default();
        check(&super::with(line, &format!("{key}= {value}")))?;
    }
}
