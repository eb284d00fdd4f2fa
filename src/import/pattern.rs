//! `--path '{schedule}-{seed}'`: what the names of folders and files say.

use super::files::File;
use super::tools::Rows;
use crate::error::{Error, Result};
use crate::results::Sheet;
use crate::text::quoted;

/// The column of the names of runs.
pub(super) const RUN: &str = "run";

/// Literal text and names of columns, for each part of a path.
pub(super) struct Pattern {
    parts: Vec<Vec<Piece>>,
}

enum Piece {
    Text(String),
    Column(String),
}

impl Pattern {
    /// # Errors
    ///
    /// If a brace is not closed, or two names have nothing between them.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let wrong = |what: &str| {
            Error::Invalid(format!(
                "`--path`: {what}; a pattern looks like \
                 `{{workload}}/{{schedule}}-{{seed}}`"
            ))
        };
        let mut parts = vec![];
        for part in text.split('/').filter(|part| !part.is_empty()) {
            let (mut pieces, mut rest) = (vec![], part);
            while let Some(start) = rest.find('{') {
                if start > 0 {
                    pieces.push(Piece::Text(rest[..start].to_owned()));
                }
                let Some(length) = rest[start..].find('}') else {
                    return Err(wrong("a brace is not closed"));
                };
                let name = rest[start + 1..start + length].trim();
                if name.is_empty() {
                    return Err(wrong("a name is empty"));
                }
                if matches!(pieces.last(), Some(Piece::Column(_))) {
                    return Err(wrong("two names have nothing between them"));
                }
                pieces.push(Piece::Column(name.to_owned()));
                rest = &rest[start + length + 1..];
            }
            if !rest.is_empty() {
                pieces.push(Piece::Text(rest.to_owned()));
            }
            parts.push(pieces);
        }
        if parts.is_empty() {
            return Err(wrong("it is empty"));
        }
        Ok(Self { parts })
    }

    /// Names of columns and their texts for a path like `a/cosine-3`; the
    /// last parts that match. `None` if none do.
    pub(super) fn columns(&self, path: &str) -> Option<Vec<(String, String)>> {
        let parts: Vec<&str> = path.split('/').collect();
        let starts = 0..(parts.len() + 1).saturating_sub(self.parts.len());
        starts.rev().find_map(|start| {
            let mut found = vec![];
            for (pieces, part) in self.parts.iter().zip(&parts[start..]) {
                found.extend(matched(pieces, part)?);
            }
            Some(found)
        })
    }

    /// Adds the columns that the path of the file has, or the name of each
    /// run of several.
    ///
    /// # Errors
    ///
    /// If one does not match.
    pub(super) fn add_to(
        &self,
        sheet: &mut Sheet,
        file: &File,
        rows: Rows,
    ) -> Result<()> {
        let wrong =
            |run: &str| format!("`--path` does not match {}", quoted(run));
        // For each row, or one for all.
        let found: Vec<Vec<(String, String)>> = if rows == Rows::OfNamedRuns {
            let run = sheet.column(RUN)?;
            let rows = sheet.records().map(|row| {
                let name = row.optional(run).unwrap_or_default();
                self.columns(name).ok_or_else(|| row.fault(wrong(name)))
            });
            rows.collect::<Result<_>>()?
        } else {
            let whole = file.path.with_extension("");
            let whole = whole.to_string_lossy().replace('\\', "/");
            let found = self.columns(&file.run);
            let found = found.or_else(|| self.columns(&whole));
            vec![found.ok_or_else(|| sheet.error(0, wrong(&file.run)))?]
        };
        let names = found.first().into_iter().flatten().enumerate();
        for (column, (name, _)) in names {
            if sheet.column(name)?.is_none() {
                let mut texts = found.iter().cycle().map(|row| &row[column].1);
                sheet.add_column(name, |_| {
                    texts.next().cloned().unwrap_or_default()
                });
            }
        }
        Ok(())
    }
}

/// The name of the first run of a sheet.
pub(super) fn first_run(sheet: &Sheet, file: &File, rows: Rows) -> String {
    let column = sheet.column(RUN).ok().flatten();
    let first = sheet.records().next();
    let name = first.and_then(|row| row.optional(column));
    let name = name.filter(|_| rows == Rows::OfNamedRuns);
    name.unwrap_or(&file.run).to_owned()
}

/// What the names in `pieces` stand for in `text`. The last name takes as
/// little as it can: `{schedule}-{seed}` of `one-cycle-3` is `one-cycle`, 3.
fn matched(pieces: &[Piece], text: &str) -> Option<Vec<(String, String)>> {
    match pieces.split_last() {
        None => text.is_empty().then(Vec::new),
        Some((Piece::Text(end), before)) => {
            matched(before, text.strip_suffix(end.as_str())?)
        }
        Some((Piece::Column(name), before)) => {
            let mut starts: Vec<usize> =
                text.char_indices().map(|(at, _)| at).collect();
            if before.is_empty() {
                starts.truncate(1);
            }
            starts.into_iter().rev().find_map(|at| {
                let mut found = matched(before, &text[..at])?;
                found.push((name.clone(), text[at..].to_owned()));
                Some(found)
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_folders_have_columns_in_them() {
        for (pattern, path, found) in [
            ("{schedule}-{seed}", "one-cycle-3", "schedule one-cycle seed 3"),
            ("{schedule}-s{seed}", "cosine-s1", "schedule cosine seed 1"),
            (
                "{workload}/{schedule}_{seed}",
                "out/mnist/cosine_12",
                "workload mnist schedule cosine seed 12",
            ),
            ("run-{schedule}", "run-a/b", "schedule a"),
        ] {
            let pattern = Pattern::parse(pattern).expect("a pattern");
            let columns = pattern.columns(path).expect("a match");
            let words: Vec<String> =
                columns.iter().map(|(n, t)| format!("{n} {t}")).collect();
            assert_eq!(words.join(" "), found);
        }
        let pattern = Pattern::parse("{schedule}-{seed}").expect("a pattern");
        assert!(pattern.columns("cosine").is_none());
        for wrong in ["", "{a", "{a}{b}", "{}"] {
            assert!(Pattern::parse(wrong).is_err(), "{wrong}");
        }
    }
}
