//! What can stop an experiment, in words that say what to do about it.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// The cause behind an [`Error`], from whichever crate it came.
pub type Source = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Everything that can stop an experiment.
///
/// A run that diverges is *not* here: it is a result, recorded as
/// [`Outcome::Diverged`](crate::Outcome) and ranked last.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An input file that cannot be used as written.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Input {
        /// The file.
        path: PathBuf,
        /// 1-based line.
        line: usize,
        /// 1-based column, in characters.
        column: usize,
        /// What is wrong and what would be right.
        message: String,
    },
    /// A value that makes no sense, in a place without line and column (an
    /// argument, a call); the message has the remedy.
    #[error("{0}")]
    Invalid(String),
    /// A file that cannot be read or written.
    #[error("{}: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        cause: std::io::Error,
    },
    /// A tensor operation that failed: a bug in a model or data set.
    #[error("{context}: {cause}")]
    Tensor {
        /// The run it happened in.
        context: String,
        /// The cause.
        cause: Source,
    },
    /// A stored result that is not what was written.
    #[error("{}: {message}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// A program that trains did not do what it has to.
    #[error("{status}: {message}")]
    Program {
        /// One word for each kind of fault: `not_started`, `invalid_lr`,
        /// `bad_event`, `no_done`, `no_exit`, `exit_code`, `killed` or
        /// `flood`, or one that the program itself reports.
        status: Cow<'static, str>,
        /// What it did, and the end of its output.
        message: String,
    },
    /// A training failed that the answer needs.
    #[error("{0}")]
    Failed(String),
    /// One run took longer than a run may.
    #[error("timed_out: took longer than {} s{said}", limit.as_secs_f64())]
    TimedOut {
        /// The most that it may take.
        limit: std::time::Duration,
        /// What its program said last, where one trains it.
        said: String,
    },
    /// The time that the user gave is over; what is finished is kept.
    #[error("the time is up: what is finished is kept, run it again to go on")]
    TimeUp,
    /// The user asked to stop; what is finished is kept.
    #[error("interrupted")]
    Interrupted,
}

/// `Result` with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// Why a value cannot be used as written, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The key at fault, where it is one.
    pub key: Option<String>,
    /// What is wrong and the remedy; it names the key in backticks.
    pub message: String,
}

impl Problem {
    /// A problem with `key`.
    pub(crate) fn at(key: &str, message: impl Into<String>) -> Self {
        Self { key: Some(key.to_owned()), message: message.into() }
    }

    /// A problem of the whole.
    pub(crate) fn whole(message: impl Into<String>) -> Self {
        Self { key: None, message: message.into() }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Invalid(problem.message)
    }
}

/// A tensor operation that failed, in a model or data set of the user's.
impl From<candle_core::Error> for Error {
    fn from(cause: candle_core::Error) -> Self {
        Self::tensor("tensor operation")(cause)
    }
}

impl Error {
    /// An [`Error::Input`] at byte `offset` of `text`.
    pub(crate) fn input(
        path: &Path,
        text: &str,
        offset: usize,
        message: impl Into<String>,
    ) -> Self {
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &text[..offset];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        Self::Input {
            path: path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message: message.into(),
        }
    }

    /// An [`Error::Io`] on `path`; for `map_err`.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::Io { path, cause }
    }

    /// An [`Error::Tensor`] in `context`; for `map_err`.
    pub(crate) fn tensor<E: Into<Source>>(
        context: impl Into<String>,
    ) -> impl FnOnce(E) -> Self {
        move |cause| Self::Tensor {
            context: context.into(),
            cause: cause.into(),
        }
    }
}
