//! A schedule as TOML names it: what it is made of, constructors, checks.

use super::average::Averaging;
use super::checks::{check_tail, ratio, ratio_above_zero};
use super::field::Fields;
use super::kinds::{Kind, Rise, Shape, kinds};
use super::value::ParamValue;
use super::{KindInfo, Problem};
use std::path::Path;

/// A schedule as TOML names it: a kind with its parameters, a warm-up, a
/// cooldown, an average of the weights; or several schedules joined.
///
/// Free of any learning rate and budget: [`build`](Self::build) fixes both.
/// Ratios are shares of the peak, shares are of the steps after the warm-up.
///
/// ```
/// use lrscout::{Schedule, ScheduleSpec};
///
/// # fn main() -> Result<(), lrscout::Problem> {
/// let spec = ScheduleSpec::cosine().with("end_ratio", 0.1)?.warmup(50);
/// assert_eq!(spec.label(), "cosine(end_ratio=0.1,warmup=50)");
/// let schedule = spec.build(3e-3, 2_000)?;
/// assert_eq!(schedule.lr(50), 3e-3);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ScheduleSpec {
    pub(super) form: Form,
    pub(super) warmup: Option<Warmup>,
    pub(super) cooldown: Option<Cooldown>,
    pub(super) average: Option<Averaging>,
    /// A label of its own; no part of what is written or trained.
    pub(super) name: Option<String>,
}

/// What stands between warm-up and cooldown.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Form {
    /// One kind.
    Kind(Kind),
    /// Several schedules, one after the other.
    Join(Vec<Part>),
}

/// One schedule of a `join`, with a budget of its own.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    pub(super) spec: ScheduleSpec,
    pub(super) length: PartLength,
}

/// How long a part is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum PartLength {
    /// In updates.
    Steps(usize),
    /// As a share of what `join` has to fill.
    Share(f64),
}

/// The rise before a schedule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Warmup {
    pub(super) length: WarmupLength,
    pub(super) shape: Rise,
    pub(super) start_ratio: Option<f64>,
}

/// How long a warm-up is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum WarmupLength {
    /// In updates.
    Steps(usize),
    /// In per cent of the whole budget. Not a share: 29 x 50 / 100 is 14.5,
    /// 0.29 x 50 is less and would round the other way.
    Percent(f64),
}

/// The decay that replaces the last part of a schedule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cooldown {
    pub(super) share: f64,
    pub(super) shape: Shape,
    pub(super) end_ratio: Option<f64>,
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $function:ident $name:literal;)+) => {
        impl ScheduleSpec {
            $(
                $(#[$doc])*
                pub fn $function() -> Self {
                    Self::with_defaults($name)
                }
            )+
        }
    };
}

constructors! {
    /// The peak throughout.
    constant "constant";
    /// A straight line to `end_ratio` (0).
    linear "linear";
    /// `power` (2) of the share that is left, down to `end_ratio` (0).
    polynomial "polynomial";
    /// Half a cosine down to `end_ratio` (0).
    cosine "cosine";
    /// A cosine in pᵏ with `k` (1.5).
    k_decay "k-decay";
    /// 1 - sqrt p, down to `end_ratio` (0).
    one_minus_sqrt "one-minus-sqrt";
    /// The same factor every step, down to `end_ratio` (0.01).
    exponential "exponential";
    /// 1 / (1 + `rate` p), `rate` 9.
    inverse_time "inverse-time";
    /// 1 / sqrt(1 + t / `timescale`).
    inverse_sqrt "inverse-sqrt";
    /// Times `gamma` (0.1) at each of `milestones` ([0.5, 0.75]).
    step "step";
    /// The peak, then a decay over the last `decay` (0.2) of the steps.
    wsd "wsd";
    /// The peak for `explore` (0.5) of the steps, then a straight line to 0.
    knee "knee";
    /// Slow first, fast at the end; `d` (0.5) sets how much.
    rex "rex";
    /// `PyTorch`'s one-cycle.
    one_cycle "one-cycle";
    /// Straight up to the peak, straight down.
    triangular "triangular";
    /// `PyTorch`'s cyclical rates.
    cyclical "cyclical";
    /// Cosine with warm restarts.
    sgdr "sgdr";
    /// A hyperbolic tangent.
    tanh "tanh";
    /// The transformer's rise and inverse square root.
    noam "noam";
    /// Made from the gradient norms of one run with the schedule `from`
    /// (linear).
    refined "refined";
    /// `lr_ratio` (1) times the peak throughout, for the schedule-free form of
    /// SGD or `AdamW`, which [`Learner::fit_spec`](crate::Learner::fit_spec)
    /// takes for it.
    schedule_free "schedule-free";
    /// Times `factor` (0.1) whenever the validation loss stops falling.
    plateau "plateau";
}

impl ScheduleSpec {
    /// Straight lines between `points`, each a share of the steps and a
    /// ratio of the peak.
    pub fn piecewise(points: impl Into<Vec<[f64; 2]>>) -> Self {
        Kind::Piecewise { points: points.into() }.into()
    }

    /// One factor on the peak for each step.
    pub fn table(factors: impl Into<Vec<f64>>) -> Self {
        let (factors, momenta) = (factors.into(), vec![]);
        Kind::Table { file: None, factors, momenta }.into()
    }

    /// Schedules one after the other, each over so many steps of its own.
    pub fn join(parts: impl IntoIterator<Item = (Self, usize)>) -> Self {
        let part =
            |(spec, steps)| Part { spec, length: PartLength::Steps(steps) };
        Self::plain(Form::Join(parts.into_iter().map(part).collect()))
    }

    /// The schedule after a linear warm-up of `steps` updates.
    #[must_use]
    pub fn warmup(mut self, steps: usize) -> Self {
        self.warmup = (steps > 0).then_some(Warmup {
            length: WarmupLength::Steps(steps),
            shape: Rise::Linear,
            start_ratio: None,
        });
        self
    }

    /// The schedule with the last `share` of its steps replaced by a
    /// straight line to 0.
    #[must_use]
    pub fn cooldown(mut self, share: f64) -> Self {
        self.cooldown = (share != 0.0).then_some(Cooldown {
            share,
            shape: Shape::Linear,
            end_ratio: None,
        });
        self
    }

    /// The schedule with the parameter `key`, named as in TOML, set.
    ///
    /// # Errors
    ///
    /// If the kind has no such key or the value is of another type.
    pub fn with(
        self,
        key: &str,
        value: impl Into<ParamValue>,
    ) -> Result<Self, Problem> {
        let ParamValue::Table(mut entries) = self.to_value() else {
            return Err(Problem::whole("a schedule is a table"));
        };
        entries.retain(|(other, _)| other != key);
        entries.push((key.to_owned(), value.into()));
        Self::read(ParamValue::Table(entries))
    }

    /// The kind's name; `join` for several joined.
    pub fn kind(&self) -> &'static str {
        match &self.form {
            Form::Kind(kind) => kind.name(),
            Form::Join(_) => "join",
        }
    }

    /// Whether its shape is the user's, not a kind's.
    pub(crate) fn is_own(&self) -> bool {
        let kind = self.kind();
        kinds().iter().all(|k| k.name != kind || k.source == "your own")
    }

    /// All kinds, in the order of the documentation.
    pub(crate) fn kinds() -> &'static [KindInfo] {
        kinds()
    }

    /// The kind `name` with its defaults.
    pub(crate) fn of_kind(name: &str) -> Result<Self, Problem> {
        let mut none = Fields::new(vec![]);
        Ok(Kind::read(name, &mut none)?.into())
    }

    fn with_defaults(name: &'static str) -> Self {
        Self::of_kind(name).expect("a constructor's kind is in the table")
    }

    fn plain(form: Form) -> Self {
        Self { form, warmup: None, cooldown: None, average: None, name: None }
    }

    /// The same with the label `name`.
    pub(crate) fn named(self, name: &str) -> Self {
        Self { name: Some(name.to_owned()), ..self }
    }

    /// The file of a `table` whose factors are to be read from it.
    pub(crate) fn table_file(&self) -> Option<&Path> {
        match &self.form {
            Form::Kind(Kind::Table { file, .. }) => file.as_deref(),
            _ => None,
        }
    }

    /// Sets the factors of a `table`, and its momenta, which are as many or
    /// none; any other kind stays as it is.
    pub(crate) fn set_table(&mut self, values: Vec<f64>, cycled: Vec<f64>) {
        if let Form::Kind(Kind::Table { factors, momenta, .. }) = &mut self.form
        {
            *factors = values;
            *momenta = cycled;
        }
    }

    /// The schedules of a `join`; empty for a single kind.
    pub(crate) fn parts_mut(&mut self) -> impl Iterator<Item = &mut Self> {
        let parts: &mut [Part] = match &mut self.form {
            Form::Kind(_) => &mut [],
            Form::Join(parts) => parts,
        };
        parts.iter_mut().map(|part| &mut part.spec)
    }

    /// Whether it is made from a whole run, reacts to one, or averages the
    /// weights of one.
    pub(crate) fn needs_whole_run(&self) -> bool {
        let reacts = matches!(
            self.form,
            Form::Kind(Kind::Refined { .. } | Kind::Plateau { .. })
        );
        reacts || self.averages()
    }

    /// Whether it is for the schedule-free form of an optimizer.
    pub(crate) fn is_schedule_free(&self) -> bool {
        matches!(self.form, Form::Kind(Kind::ScheduleFree { .. }))
    }

    /// Whether its runs are evaluated at an average of their weights.
    pub(crate) fn averages(&self) -> bool {
        self.is_schedule_free() || self.average.is_some()
    }

    fn cycles_momentum(&self) -> bool {
        match &self.form {
            Form::Kind(
                Kind::OneCycle { cycle_momentum, .. }
                | Kind::Cyclical { cycle_momentum, .. },
            ) => cycle_momentum.is_some(),
            Form::Kind(Kind::Table { momenta, .. }) => !momenta.is_empty(),
            _ => false,
        }
    }

    /// The first value that is invalid at every budget.
    pub fn problem(&self) -> Option<Problem> {
        self.check().err()
    }

    pub(super) fn check(&self) -> Result<(), Problem> {
        match &self.form {
            Form::Kind(kind) => kind.check()?,
            Form::Join(parts) => check_parts(parts)?,
        }
        if let Some(warmup) = self.warmup {
            warmup.check()?;
        }
        if let Some(cooldown) = self.cooldown {
            ratio_above_zero("cooldown", cooldown.share)?;
            let Cooldown { shape, end_ratio, .. } = cooldown;
            check_tail("cooldown_end_ratio", shape, end_ratio)?;
        }
        self.check_average()
    }
}

impl From<Kind> for ScheduleSpec {
    fn from(kind: Kind) -> Self {
        Self::plain(Form::Kind(kind))
    }
}

fn check_parts(parts: &[Part]) -> Result<(), Problem> {
    if parts.is_empty() {
        let message = "`join` is empty, list the schedules to join";
        return Err(Problem::at("join", message));
    }
    for (number, part) in (1..).zip(parts) {
        let inside = |problem: Problem| {
            let message = format!("part {number} of `join`: {problem}");
            Problem::at("join", message)
        };
        part.spec.check().map_err(inside)?;
        if part.spec.average.is_some() {
            let message = "`average` is of the whole run, give it to the \
                           schedule that has `join`";
            return Err(inside(Problem::at("average", message)));
        }
        if part.spec.needs_whole_run() {
            let message = format!(
                "`{}` needs the whole run, let it stand alone",
                part.spec.kind()
            );
            return Err(inside(Problem::whole(message)));
        }
        if part.spec.cycles_momentum() {
            let key = match part.spec.kind() {
                "table" => "momenta",
                _ => "cycle_momentum",
            };
            let message = format!(
                "`{key}` has no value for the other parts, leave it out"
            );
            return Err(inside(Problem::at(key, message)));
        }
        match part.length {
            PartLength::Steps(0) => {
                let problem =
                    Problem::at("steps", "`steps` is 0, give 1 or more");
                return Err(inside(problem));
            }
            PartLength::Steps(_) => {}
            PartLength::Share(share) => {
                ratio_above_zero("share", share).map_err(inside)?;
            }
        }
    }
    Ok(())
}

impl Warmup {
    fn check(&self) -> Result<(), Problem> {
        if let WarmupLength::Percent(percent) = self.length
            && !(percent > 0.0 && percent < 100.0)
        {
            let message = format!(
                "`warmup` is {percent}%, it must be above 0% and below 100%"
            );
            return Err(Problem::at("warmup", message));
        }
        let key = "warmup_start_ratio";
        match (self.shape, self.start_ratio) {
            (Rise::Exponential, None) => Err(Problem::at(
                key,
                "an exponential `warmup_shape` needs `warmup_start_ratio`, \
                 for instance 0.01",
            )),
            (Rise::Exponential, Some(start)) => ratio_above_zero(key, start),
            (_, Some(start)) => ratio(key, start),
            (_, None) => Ok(()),
        }
    }
}
