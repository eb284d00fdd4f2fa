//! The Python files that a script is made of: itself, and the modules beside it
//! that it imports, and those that they import. Packages that are installed do
//! not count.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Most files of one script; further ones are not read.
const MOST: usize = 2000;

/// The files of `script`, a path relative to `base` or absolute, which come
/// relative to `base` where they lie in it. `home` is the folder where Python
/// looks for modules first. Imports are found by their first word in a line,
/// so one that is made by a function call is not seen.
pub(super) fn files(base: &Path, script: &Path, home: &Path) -> Vec<PathBuf> {
    let mut found = BTreeSet::new();
    let mut open = vec![script.to_owned()];
    while let Some(file) = open.pop() {
        let path = base.join(&file);
        if found.len() == MOST || !path.is_file() || found.contains(&file) {
            continue;
        }
        let text = fs::read(&path).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let folder = file.parent().unwrap_or(Path::new(""));
        for module in imported(&text) {
            open.extend(places(base, home, folder, &module));
        }
        found.insert(file);
    }
    found.into_iter().collect()
}

/// The file of the module `name`, as `python -m` takes it, relative to `base`.
pub(super) fn of_module(base: &Path, name: &str) -> Option<PathBuf> {
    let path: PathBuf = name.split('.').collect();
    let candidates = [path.join("__main__.py"), path.with_extension("py")];
    candidates.into_iter().find(|file| base.join(file).is_file())
}

/// Dotted names that may be modules, relative ones with their dots in front.
fn imported(text: &str) -> Vec<String> {
    let mut modules = vec![];
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let line = line.split('#').next().unwrap_or_default();
        let mut statement = line.trim_start().to_owned();
        let is_import = ["import ", "from "];
        if !is_import.iter().any(|word| statement.starts_with(word)) {
            continue;
        }
        while statement.contains('(') && !statement.contains(')')
            || statement.trim_end().ends_with('\\')
        {
            let Some(more) = lines.next() else { break };
            let more = more.split('#').next().unwrap_or_default();
            statement = format!("{} {more}", statement.trim_end_matches('\\'));
        }
        let statement = statement.replace(['(', ')'], " ");
        let statement = statement.split(['#', ';']).next().unwrap_or_default();
        let names = |list: &str| -> Vec<String> {
            let first =
                |part: &str| part.split_whitespace().next().map(str::to_owned);
            list.split(',').filter_map(first).collect()
        };
        if let Some(list) = statement.strip_prefix("import ") {
            modules.extend(names(list));
        } else if let Some((from, list)) = statement
            .strip_prefix("from ")
            .and_then(|rest| rest.split_once(" import "))
        {
            let from = from.trim();
            modules.push(from.to_owned());
            let dot = if from.ends_with('.') { "" } else { "." };
            let inner = |name: String| format!("{from}{dot}{name}");
            modules.extend(names(list).into_iter().map(inner));
        }
    }
    modules
}

/// The files of `module` and of the packages around it, imported in `folder`.
fn places(
    base: &Path,
    home: &Path,
    folder: &Path,
    module: &str,
) -> Vec<PathBuf> {
    let dots = module.chars().take_while(|&c| c == '.').count();
    let start = match dots {
        0 => Some(home),
        _ => folder.ancestors().nth(dots - 1),
    };
    let Some(start) = start else { return vec![] };
    let mut place = start.to_owned();
    let mut files = vec![];
    for part in module[dots..].split('.').filter(|part| !part.is_empty()) {
        place.push(part);
        files.push(place.join("__init__.py"));
        files.push(place.with_extension("py"));
    }
    if module[dots..].is_empty() {
        files.push(place.join("__init__.py"));
    }
    files.retain(|file| base.join(file).is_file());
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_beside_a_script_belong_to_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let put = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("inside")).expect("made");
            fs::write(path, text).expect("written");
        };
        put(
            "src/train.py",
            "import os, models as m, torch\n\
             from tools import (  # two\n    data,\n    plots,\n)\n\
             def late():\n    from nets.wide import Wide\n\
             # import unused\ntext = 'import other'\n",
        );
        put("src/models.py", "from layers import Dense\nimport train\n");
        put("src/layers.py", "");
        put("src/unused.py", "");
        put("src/other.py", "");
        put("src/tools/__init__.py", "");
        put("src/tools/data.py", "from . import inner\nfrom .. import models");
        put("src/tools/inner.py", "from .deep.est import x");
        put("src/tools/deep/__init__.py", "");
        put("src/tools/deep/est.py", "");
        put("src/nets/wide.py", "");
        let got =
            files(folder.path(), Path::new("src/train.py"), Path::new("src"));
        let wanted = [
            "layers.py",
            "models.py",
            "nets/wide.py",
            "tools/__init__.py",
            "tools/data.py",
            "tools/deep/__init__.py",
            "tools/deep/est.py",
            "tools/inner.py",
            "train.py",
        ];
        let wanted = wanted.map(|name| Path::new("src").join(name));
        assert_eq!(got, wanted);
        put("pkg/__main__.py", "");
        put("pkg/run.py", "");
        let module = |name: &str| of_module(folder.path(), name);
        assert_eq!(module("pkg"), Some(PathBuf::from("pkg/__main__.py")));
        assert_eq!(module("pkg.run"), Some(PathBuf::from("pkg/run.py")));
        assert_eq!(module("json.tool"), None);
    }
}
