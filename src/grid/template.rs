//! The names of workloads, which may contain placeholders.

use super::wire::{Source, Table, find};
use crate::error::Result;
use crate::text::{excerpt, unknown_in};

/// The `name` of a workload, with placeholders.
pub(super) struct Template<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Template<'a> {
    /// The default name of a workload.
    pub(super) const DEFAULT: &'static str = "{dataset}-{model}";

    /// The `name` in `table`, whose header is at byte `at`; `default` if there
    /// is none.
    pub(super) fn read(
        source: Source<'_>,
        at: usize,
        table: &'a Table,
        default: &'a str,
    ) -> Result<Self> {
        let Some(entry) = find(table, "name") else {
            return Ok(Self { text: default, at });
        };
        let text = source.text("name", &entry.node, "a string")?;
        Ok(Self { text, at: entry.node.at })
    }

    /// The name, with `value` of each placeholder; `axes` are the known ones.
    pub(super) fn fill(
        &self,
        source: Source<'_>,
        axes: &[&str],
        value: impl Fn(&str) -> Option<String>,
    ) -> Result<String> {
        let mut name = String::new();
        let mut rest = self.text;
        while let Some(open) = rest.find('{') {
            name.push_str(&rest[..open]);
            let after = &rest[open + 1..];
            let Some(close) = after.find('}') else {
                let message = "`name` has a `{` without its `}`, placeholders \
                               look like `{dataset}`";
                return Err(source.error(self.at, message));
            };
            let key = &after[..close];
            if !axes.contains(&key) {
                let message = unknown_in("placeholder", key, "`name`", axes);
                return Err(source.error(self.at, message));
            }
            let Some(value) = value(key) else {
                let message = format!(
                    "the name `{}` needs `{key}`, which this workload lacks: \
                     add it, or give a `name` without it",
                    self.text
                );
                return Err(source.error(self.at, message));
            };
            name.push_str(&value);
            rest = &after[close + 1..];
        }
        name.push_str(rest);
        self.usable(source, name)
    }

    /// Names become file names, on every system.
    fn usable(&self, source: Source<'_>, name: String) -> Result<String> {
        let forbidden =
            |c: char| c.is_control() || r#"/\:*?"<>|{}"#.contains(c);
        let remedy = if name.trim() != name || name.is_empty() {
            "it must not be empty or begin or end with a space"
        } else if name.starts_with('.') || name.ends_with('.') {
            "it must not begin or end with a dot"
        } else if name.len() > 150 {
            "it must not be longer than 150 bytes"
        } else if name.contains(forbidden) {
            r#"it must not contain any of / \ : * ? " < > | { }"#
        } else {
            return Ok(name);
        };
        let message = format!(
            "{} cannot be the name of a workload, which is also a file name: \
             {remedy}",
            excerpt(&name)
        );
        Err(source.error(self.at, message))
    }
}
