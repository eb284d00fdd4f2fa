//! How the command of a training script is changed so that the script runs
//! under the launcher of the Python package.

use crate::error::{Error, Result};
use std::path::Path;

/// The module of the launcher.
const LAUNCHER: &str = "lrscout.launch";

/// Modules that start a script of their own: theirs is the one to launch.
const STARTERS: [&str; 4] = [
    "torch.distributed.run",
    "torch.distributed.launch",
    "accelerate.commands.launch",
    "accelerate.commands.accelerate_cli",
];

/// Whether `word` names a Python file.
pub(crate) fn is_python(word: &str) -> bool {
    Path::new(word).extension().is_some_and(|end| end == "py")
}

/// `words`, a program and its arguments, with the launcher before the script:
/// the first argument that is a script becomes `-m lrscout.launch FILE`, and
/// `-m MODULE` becomes `-m lrscout.launch -m MODULE`, whichever is first. So
/// `python`, `torchrun` and `accelerate launch` start it alike. `is_script`
/// says whether a word is a Python file that is there.
///
/// # Errors
///
/// If there is no script: the message says what a command looks like.
pub(crate) fn launched(
    words: &[String],
    is_script: impl Fn(&str) -> bool,
) -> Result<Vec<String>> {
    let shown = words.join(" ");
    if words.first().is_some_and(|program| is_python(program)) {
        return Err(Error::Invalid(format!(
            "`{shown}` begins with the script: put its Python before it, as \
             in `python {shown}`"
        )));
    }
    let place = (1..words.len()).find(|&i| {
        let module = words.get(i + 1).filter(|_| words[i] == "-m");
        module.is_some_and(|module| !STARTERS.contains(&module.as_str()))
            || words[i - 1] != "-m" && is_script(&words[i])
    });
    let Some(place) = place else {
        return Err(Error::Invalid(format!(
            "no word of `{shown}` is a Python file that is there, or `-m` \
             with a module: name the script, as in `python train.py --epochs \
             3` (a shell script cannot be launched: give the command in it)"
        )));
    };
    let mut launched = words.to_vec();
    launched.splice(place..place, ["-m".to_owned(), LAUNCHER.to_owned()]);
    Ok(launched)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    fn said(text: &str) -> Result<String> {
        let is_script = |word: &str| word == "train.py" || word == "a/b.py";
        launched(&words(text), is_script).map(|words| words.join(" "))
    }

    #[test]
    fn the_launcher_stands_before_the_script() {
        // At the `@`.
        for given in [
            "python @train.py --epochs 3",
            "python -u @a/b.py train.py",
            "torchrun --nproc-per-node 2 @train.py",
            "accelerate launch @train.py -m x",
            "python -W ignore @-m pkg.train train.py",
            "python -m torch.distributed.run --nproc-per-node 2 @train.py",
            "uv run python @train.py gone.py",
        ] {
            let got = said(&given.replace('@', "")).expect(given);
            assert_eq!(got, given.replace('@', "-m lrscout.launch "));
        }
    }

    #[test]
    fn a_command_without_a_script_says_what_it_lacks() {
        for given in ["python gone.py", "bash run.sh", "python -c pass"] {
            let why = said(given).expect_err(given).to_string();
            assert!(why.contains("python train.py --epochs 3"), "{why}");
        }
        let why = said("./train.py --lr 1").expect_err("no Python");
        assert!(why.to_string().contains("`python ./train.py --lr 1`"));
    }
}
