//! Schedules of other libraries, read from their own calls, as their own loops
//! run them.
//!
//! A library's formula is one thing, its frame another: which update gets
//! which value, what a default is relative to, what else is changed. An
//! [`Entry`] has both, and gives the rate that the optimizer has at each
//! update. `literal` reads calls, JSON and flags, `arguments` binds them to a
//! signature; each other file is a library. Every entry is compared with
//! sequences that were read from an optimizer while the library trained
//! (`tests/golden/libraries`).

/// An entry whose rates are those of `$rates($name, arguments, run)`.
macro_rules! entry {
    ($rates:path, $name:literal, $signature:expr, $example:expr, $formula:expr
     $(, $key:ident: $note:expr)* $(,)?) => {
        Entry {
            name: $name,
            signature: $signature,
            example: $example,
            formula: $formula,
            notes: Notes { $($key: $note,)* ..Notes::NONE },
            rates: |arguments, run| $rates($name, arguments, run),
        }
    };
}

mod accelerate;
mod arguments;
mod composer;
mod deepspeed;
mod diffusers;
mod flair;
mod fvcore;
mod hf;
mod ignite;
mod keras;
mod lightning;
mod literal;
mod megatron;
mod mindspore;
mod mmengine;
mod monai;
mod mxnet;
mod optax;
mod paddle;
mod pytorch_optimizer;
mod skorch;
mod speechbrain;
mod stable_baselines3;
mod timm;
mod torch;

#[cfg(test)]
mod refusals;
#[cfg(test)]
mod tests;

pub(crate) use arguments::Arguments;
pub(crate) use literal::{Call, Literal};

use crate::error::Problem;
use crate::text::{excerpt, unknown};

/// A library whose calls are read.
pub(crate) struct Package {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// Its name in a sentence.
    pub(crate) title: &'static str,
    /// The version that its sequences were read from.
    pub(crate) version: &'static str,
    /// Which update gets which value, where an entry says nothing else.
    pub(crate) frame: &'static str,
    /// Its schedules.
    pub(crate) entries: &'static [Entry],
    /// The entry that a line of flags belongs to.
    pub(crate) flags: Option<&'static str>,
    /// The rates of a scheduler of torch or transformers, where the library
    /// steps those.
    pub(crate) torch: Option<Stepped>,
}

/// The rates of a call over a run.
pub(crate) type Stepped = fn(&Call, &Run) -> Result<Vec<f64>, Problem>;

/// A schedule of a library.
pub(crate) struct Entry {
    /// The name that a call has.
    pub(crate) name: &'static str,
    /// Its parameters with the library's own defaults, as Python writes them,
    /// without the optimizer.
    pub(crate) signature: &'static str,
    /// Arguments with which the page of libraries shows it over 100 updates.
    pub(crate) example: &'static str,
    /// The rate at the scheduler's own count `t`, with the names of the
    /// signature and `lr`, the rate of the optimizer.
    pub(crate) formula: &'static str,
    /// What surprises.
    pub(crate) notes: Notes,
    /// The rates of the updates 0, 1, ... of a run.
    pub(crate) rates: fn(&Arguments, &Run) -> Result<Vec<f64>, Problem>,
}

/// What else there is to know of a schedule, in short sentences; empty where
/// it does nothing that surprises.
pub(crate) struct Notes {
    /// Which update gets which value, where it is not what the package says.
    pub(crate) frame: &'static str,
    /// Defaults that do not scale with the rate of the optimizer.
    pub(crate) absolute: &'static str,
    /// What it changes beside the rate.
    pub(crate) changes: &'static str,
    /// What it does after its end.
    pub(crate) after: &'static str,
    /// What a resumed run gets.
    pub(crate) resume: &'static str,
    /// What differs between versions.
    pub(crate) versions: &'static str,
}

impl Notes {
    /// Nothing.
    pub(crate) const NONE: Self = Self {
        frame: "",
        absolute: "",
        changes: "",
        after: "",
        resume: "",
        versions: "",
    };
}

/// A training whose rates are asked for.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// The rate that the optimizer was made with.
    pub(crate) peak: f64,
    /// Updates, also beyond the plan in the call.
    pub(crate) steps: usize,
    /// The version of the library; `None` is the newest one known.
    pub(crate) version: Option<Version>,
    /// Updates of an epoch, for loops that step once an epoch.
    pub(crate) epoch: Option<usize>,
    /// Processes that train together.
    pub(crate) processes: usize,
}

/// The parts of a version number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(Vec<u32>);

impl Version {
    /// Reads `0.19.2`; what follows the numbers of a part is passed over.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let number = |part: &str| {
            let end = part.find(|c: char| !c.is_ascii_digit());
            part[..end.unwrap_or(part.len())].parse().ok()
        };
        text.split('.').map(number).collect::<Option<_>>().map(Self)
    }
}

impl Run {
    /// Whether the library is older than `version`.
    pub(crate) fn before(&self, version: &str) -> bool {
        let this = self.version.as_ref();
        this.is_some_and(|this| Version::read(version).as_ref() > Some(this))
    }

    /// Updates of an epoch.
    ///
    /// # Errors
    ///
    /// If they are not given.
    pub(crate) fn epoch(&self) -> Result<usize, Problem> {
        self.epoch.ok_or_else(|| {
            let message = "this loop counts in epochs: give the updates of one \
                           with `--updates-per-epoch`";
            Problem::at("updates-per-epoch", message)
        })
    }

    /// The rate `of` each update.
    pub(crate) fn each(&self, of: impl Fn(usize) -> f64) -> Vec<f64> {
        (0..self.steps).map(of).collect()
    }
}

/// The libraries whose calls are read.
pub(crate) static PACKAGES: &[Package] = &[
    accelerate::PACKAGE,
    composer::PACKAGE,
    deepspeed::PACKAGE,
    diffusers::PACKAGE,
    flair::PACKAGE,
    fvcore::PACKAGE,
    hf::PACKAGE,
    ignite::PACKAGE,
    keras::PACKAGE,
    lightning::PACKAGE,
    megatron::PACKAGE,
    mindspore::PACKAGE,
    mmengine::PACKAGE,
    monai::PACKAGE,
    mxnet::PACKAGE,
    optax::PACKAGE,
    paddle::PACKAGE,
    pytorch_optimizer::PACKAGE,
    skorch::PACKAGE,
    speechbrain::PACKAGE,
    stable_baselines3::PACKAGE,
    timm::PACKAGE,
    torch::PACKAGE,
];

impl Package {
    /// The package of this name on the command line.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        PACKAGES.iter().find(|package| package.name == name)
    }

    /// The rates of `call` over `run`, one for each update.
    ///
    /// # Errors
    ///
    /// If the package has no such schedule, or it does not take the arguments,
    /// or it raises an error within the run.
    pub(crate) fn rates(
        &self,
        call: &Call,
        run: &Run,
    ) -> Result<Vec<f64>, Problem> {
        if let Some(stepped) = self.torch
            && self.entry(&call.name).is_err()
            && torch::steps(&call.name)
        {
            return stepped(call, run);
        }
        let entry = self.entry(&call.name)?;
        let arguments = Arguments::bind(entry.signature, call)?;
        (entry.rates)(&arguments, run)
    }

    /// The rates of an entry's example over 100 updates at a peak of 1, in
    /// epochs of 10.
    pub(crate) fn shown(&self, entry: &Entry) -> Option<Vec<f64>> {
        let text = format!("{}({})", entry.name, entry.example);
        let run = Run {
            peak: 1.0,
            steps: 100,
            version: None,
            epoch: Some(10),
            processes: 1,
        };
        self.rates(&self.read(&text).ok()?, &run).ok()
    }

    /// The schedule of this name.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub(crate) fn entry(&self, name: &str) -> Result<&'static Entry, Problem> {
        let found = self.entries.iter().find(|entry| entry.name == name);
        found.ok_or_else(|| {
            let known: Vec<&str> =
                self.entries.iter().map(|entry| entry.name).collect();
            let what = format!("schedule of {}", self.title);
            Problem::whole(unknown(&what, name, &known))
        })
    }

    /// Reads a call as the package's users write it: `Name(key=value)`, a
    /// dictionary or JSON object with `type`, or a line of flags. A list of
    /// these is a call of `list`.
    ///
    /// # Errors
    ///
    /// If it is none of them; with the character at which that shows.
    pub(crate) fn read(&self, text: &str) -> Result<Call, Problem> {
        if text.trim_start().starts_with("--") {
            let name = self.flags.ok_or_else(|| {
                let message = format!("{} is not set by flags", self.title);
                Problem::whole(message)
            })?;
            return literal::flags(name, text);
        }
        called(Literal::read(text)?)
    }
}

/// A literal as the call that it stands for.
///
/// # Errors
///
/// If it is none.
pub(crate) fn called(value: Literal) -> Result<Call, Problem> {
    match value {
        Literal::Call(call) if call.name != "dict" => Ok(call),
        Literal::Call(call) => configured(call.keyword),
        Literal::Dict(pairs) => {
            let text = |(key, value)| match key {
                Literal::Text(key) => Ok((key, value)),
                other => {
                    let kind = other.kind();
                    let message = format!("a key must be text, not {kind}");
                    Err(Problem::whole(message))
                }
            };
            configured(pairs.into_iter().map(text).collect::<Result<_, _>>()?)
        }
        list @ Literal::List(_) => Ok(Call {
            name: "list".to_owned(),
            positional: vec![list],
            ..Call::default()
        }),
        other => {
            let kind = other.kind();
            let message =
                format!("expected a call such as `Name(key=1)`, not {kind}");
            Err(Problem::whole(message))
        }
    }
}

/// The call of a configuration: of its `scheduler` where it has one, with
/// `type` as the name, and `params` or the other keys as arguments.
fn configured(mut pairs: Vec<(String, Literal)>) -> Result<Call, Problem> {
    let mut take = |key: &str| {
        let index = pairs.iter().position(|(known, _)| known == key)?;
        Some(pairs.remove(index).1)
    };
    match take("scheduler") {
        // Lightning's dictionary has the scheduler itself.
        Some(inner @ Literal::Call(_)) => {
            pairs.push(("scheduler".to_owned(), inner));
            let name = "lr_scheduler".to_owned();
            return Ok(Call { name, keyword: pairs, ..Call::default() });
        }
        Some(inner) => return called(inner),
        None => {}
    }
    let Some(Literal::Text(name) | Literal::Name(name)) = take("type") else {
        let message =
            "the configuration has no `type`, the name of the schedule";
        return Err(Problem::at("type", message));
    };
    if let Some(Literal::Dict(mut params)) = take("params") {
        params.push((Literal::Text("type".into()), Literal::Text(name)));
        return called(Literal::Dict(params));
    }
    Ok(Call { name, positional: vec![], keyword: pairs, configured: true })
}

/// That a run would train past what the library allows.
pub(crate) fn raises(name: &str, update: usize) -> Problem {
    let name = excerpt(name);
    let message = format!(
        "{name} raises an error after update {update}: a run of it has at most \
         {} updates",
        update + 1
    );
    Problem::at("steps", message)
}
