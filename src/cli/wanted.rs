//! A schedule that the user writes: a SPEC, or a call of a library.

use crate::audit::{Log, Rates, named};
use crate::error::{Error, Result};
use crate::grid::parse_schedule;
use crate::library::{PACKAGES, Package, Run, Version};
use crate::schedule::{Library, Schedule, kinds};
use crate::text::unknown;

/// Whose schedule it is.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct OfLibrary {
    /// Use the conventions of this library, of this version if one is given.
    #[arg(long, value_name = "LIBRARY[@VERSION]", requires = "spec")]
    compat: Option<String>,
    /// Updates of an epoch, for calls and logs that count in epochs.
    #[arg(long, value_name = "N")]
    pub(super) updates_per_epoch: Option<usize>,
    /// Processes that train together, for calls that they change.
    #[arg(long, value_name = "N", default_value = "1")]
    processes: usize,
}

/// A schedule with its peak and its plan.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) spec: &'a str,
    pub(super) peak: f64,
    /// Updates of the plan; a call has its own.
    pub(super) steps: usize,
    pub(super) library: &'a OfLibrary,
}

impl Wanted<'_> {
    /// Whether it is a call, which has its plan in it.
    pub(super) fn is_call(&self) -> bool {
        is_call(self.spec)
    }

    /// The kind of a SPEC; the name of a call.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub(super) fn kind(&self) -> Result<String> {
        match (self.is_call(), self.package()?.0) {
            (true, Some(package)) => Ok(package.read(self.spec)?.name),
            _ => Ok(parse_schedule(self.spec)?.kind().to_owned()),
        }
    }

    /// What its library's schedule changes beside the rate; nothing of a SPEC.
    pub(super) fn changes(&self) -> Option<&'static str> {
        let (package, ..) = self.package().ok()?;
        let package = package.filter(|_| self.is_call())?;
        let call = package.read(self.spec).ok()?;
        let changes = package.entry(&call.name).ok()?.notes.changes;
        (!changes.is_empty()).then_some(changes)
    }

    /// The rates of the first `updates`. A SPEC has them all, and holds its end
    /// from the end of its plan on; a call holds its last one.
    ///
    /// # Errors
    ///
    /// If the library is not known, it cannot be read, or the library does not
    /// have it.
    pub(super) fn rates(&self, updates: usize) -> Result<Rates> {
        let Self { spec, peak, steps, .. } = *self;
        let (package, library, version) = self.package()?;
        if self.is_call() {
            let Some(package) = package else {
                let message = "a call of a library needs `--compat LIBRARY`";
                return Err(Error::Invalid(message.into()));
            };
            let run = self.run(version, updates)?;
            let rates = package.rates(&package.read(spec)?, &run)?;
            let last = updates.saturating_sub(1);
            return Ok(Box::new(move |update| {
                let update = usize::try_from(update).unwrap_or(last);
                rates.get(update.min(last)).copied().unwrap_or(f64::NAN)
            }));
        }
        let read = parse_schedule(spec)?;
        let form: Box<dyn Schedule> = match (library, package) {
            (Some(_), _) if version.is_some() => {
                let message = "only a call has a version: a SPEC has the \
                               conventions of one version of a library; leave \
                               `@VERSION` out";
                return Err(Error::Invalid(message.into()));
            }
            (Some(library), _) => read.build_compat(library, peak, steps)?,
            (None, Some(package)) => {
                let message = format!(
                    "{} reads its own calls: `lrscout schedules list \
                     --library {}` shows them",
                    package.title, package.name
                );
                return Err(Error::Invalid(message));
            }
            (None, None) => {
                read.build(peak, steps)?;
                let factor = read.formula(steps)?;
                // Unlike the schedule of a run, it has the end itself.
                Box::new(move |update: usize| peak * factor.at(update as f64))
            }
        };
        Ok(Box::new(move |update| {
            let update = usize::try_from(update).unwrap_or(steps);
            form.lr(update.min(steps))
        }))
    }

    /// The library, as one whose calls are read and as one whose conventions
    /// are known, and its version.
    fn package(&self) -> Result<Found<'_>> {
        let Some(compat) = &self.library.compat else {
            return Ok((None, None, None));
        };
        let (name, version) = match compat.split_once('@') {
            Some((name, version)) => (name, Some(version)),
            None => (compat.as_str(), None),
        };
        let package = Package::named(name);
        let library =
            Library::ALL.into_iter().find(|library| library.name() == name);
        if package.is_none() && library.is_none() {
            let message = unknown("library", name, &libraries());
            return Err(Error::Invalid(message));
        }
        Ok((package, library, version))
    }

    /// The run that a call is asked for.
    fn run(&self, version: Option<&str>, steps: usize) -> Result<Run> {
        let peak = self.peak;
        if !(peak.is_finite() && peak > 0.0) {
            let message =
                format!("the peak learning rate is {peak}, it must be above 0");
            return Err(Error::Invalid(message));
        }
        let read = |text: &str| {
            Version::read(text).ok_or_else(|| {
                let message = format!("`{text}` is no version such as 0.19.2");
                Error::Invalid(message)
            })
        };
        let OfLibrary { updates_per_epoch: epoch, processes, .. } =
            *self.library;
        let version = version.map(read).transpose()?;
        for (flag, value) in
            [("updates-per-epoch", epoch), ("processes", Some(processes))]
        {
            if value == Some(0) {
                let message = format!("--{flag} must be 1 or more");
                return Err(Error::Invalid(message));
            }
        }
        Ok(Run { peak, steps, version, epoch, processes })
    }
}

type Found<'a> = (Option<&'static Package>, Option<Library>, Option<&'a str>);

/// The SPEC that has these rates, with its peak and plan in words, if one of
/// the known kinds does.
pub(super) fn equal_spec(rates: &[f64]) -> Option<String> {
    let log = Log::whole(rates);
    let named = named(&log)?;
    let steps = named.steps.unwrap_or(rates.len() as u64);
    let updates = usize::try_from(steps).ok()?;
    let spec = parse_schedule(&named.spec).ok()?;
    let factor = spec.formula(updates).ok()?;
    let equal = rates.iter().enumerate().all(|(update, rate)| {
        let own = named.peak * factor.at(update.min(updates) as f64);
        (own - rate).abs() <= SAME * named.peak
    });
    let peak = named.peak;
    let short = format!("{peak:.6e}").parse().unwrap_or(peak);
    equal.then(|| format!("{}, peak {short:?}, {steps} updates", named.spec))
}

/// Rates that are the same, as a share of the peak.
const SAME: f64 = 1e-6;

/// What of these rates may surprise, a sentence each: `peak` is the rate that
/// was asked for.
pub(super) fn surprises(rates: &[f64], peak: f64) -> Vec<String> {
    let mut said = vec![];
    let top = |(update, best): (usize, f64), (at, &rate): (usize, &f64)| {
        if rate > best { (at, rate) } else { (update, best) }
    };
    let (at, highest) = rates.iter().enumerate().fold((0, 0.0), top);
    let last = rates.last().copied().unwrap_or_default();
    if highest < peak * (1.0 - SAME) {
        said.push(format!(
            "the peak {peak:?} is never used: the highest rate is {highest:?}, \
             at update {at}"
        ));
    }
    if highest > peak * (1.0 + SAME) {
        said.push(format!(
            "the rate goes above the peak {peak:?}: {highest:?} at update {at}"
        ));
    }
    let lowest = rates[at..].iter().copied().fold(f64::INFINITY, f64::min);
    if last > lowest + 0.01 * highest {
        said.push(format!(
            "the rate rises again after its decay: {last:?} at the end, \
             {lowest:?} before"
        ));
    }
    said
}

/// Whether `text` has the form of a library's call, and not of a SPEC.
fn is_call(text: &str) -> bool {
    let text = text.trim_start();
    if let Some(inside) = text.strip_prefix('{') {
        let inside = inside.trim_start();
        let quoted = inside.starts_with(['"', '\'']);
        return quoted && inside.contains(':');
    }
    if text.starts_with("--") || text.starts_with('[') {
        return true;
    }
    let name = text.split_once('(').map(|(name, _)| name.trim_end());
    name.is_some_and(|name| kinds().iter().all(|kind| kind.name != name))
}

/// The names that `--compat` takes.
fn libraries() -> Vec<&'static str> {
    let packages = PACKAGES.iter().map(|package| package.name);
    let mut names: Vec<&str> =
        Library::ALL.map(Library::name).into_iter().chain(packages).collect();
    names.sort_unstable();
    names.dedup();
    names
}
