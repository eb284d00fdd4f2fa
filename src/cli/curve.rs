use crate::import::read_table;
use crate::lr_find::{Rule, suggest};
use crate::results::curve::curve;
use std::io::Write;
use std::path::Path;

/// `find-lr --curve`: the suggestions of every rule, or only of the named one,
/// for a recorded range test. CSV with one row per rule; a rule without an
/// answer has empty cells.
///
/// # Errors
///
/// If the rule is unknown or the file is not a curve.
pub(crate) fn replay(
    path: &Path,
    rule: Option<&str>,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let rules = match rule {
        Some(name) => vec![name.parse::<Rule>()?],
        None => Rule::ALL.to_vec(),
    };
    let curve = curve(&read_table(path)?)?;
    writeln!(out, "rule,lr,index")?;
    for rule in rules {
        let name = rule.name();
        match suggest(rule, &curve.lr, &curve.loss) {
            // Debug prints the shortest decimal that parses to the same value.
            Some(found) => {
                writeln!(out, "{name},{:?},{}", found.lr, found.index)?;
            }
            None => writeln!(out, "{name},,")?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replayed(text: &str, rule: Option<&str>) -> anyhow::Result<String> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("curve.csv");
        std::fs::write(&path, text)?;
        let mut out = vec![];
        replay(&path, rule, &mut out)?;
        Ok(String::from_utf8(out)?)
    }

    #[test]
    fn every_rule_has_a_row_and_no_answer_is_empty() {
        let out = replayed("lr,loss\n0.1,2\n", None).expect("a curve");
        let mut want = "rule,lr,index\n".to_owned();
        for rule in Rule::ALL {
            want.push_str(rule.name());
            want.push_str(match rule {
                Rule::KtrainMin10 => ",0.01,0\n",
                _ => ",,\n",
            });
        }
        assert_eq!(out, want);
    }

    #[test]
    fn one_rule_has_one_row() {
        let mut text = "lr,loss\n".to_owned();
        for i in 0..100 {
            let x = f64::from(i) / 12.5 - 7.0;
            let row = format!("{:e},{}\n", 10_f64.powf(x), (x + 1.0).abs());
            text.push_str(&row);
        }
        let out = replayed(&text, Some("fastai-minimum")).expect("a curve");
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!(lines.len(), 2, "{out}");
        let fields: Vec<&str> = lines[1].split(',').collect();
        assert_eq!(fields[0], "fastai-minimum");
        let row: f64 = fields[2].parse().expect("a row");
        let lr: f64 = fields[1].parse().expect("a rate");
        assert!((lr.log10() - (row / 12.5 - 8.0)).abs() < 1e-6, "{out}");
    }

    #[test]
    fn an_unknown_rule_gets_the_nearest_and_all_known() {
        let error = replayed("lr,loss\n", Some("fastai-vally"))
            .expect_err("no such rule")
            .to_string();
        assert!(
            error.starts_with(
                "unknown rule `fastai-vally`, did you mean `fastai-valley`? \
                 (rules: `lrscout`, "
            ),
            "{error}"
        );
        let error = replayed("lr,loss\n", Some("guess"))
            .expect_err("no such rule")
            .to_string();
        assert!(error.ends_with("`ignite` or `mxnet-stop`"), "{error}");
    }
}
