//! `keras.optimizers.schedules` in `Model.fit`.

mod shapes;

use super::{Arguments, Call, Entry, Literal, Notes, Package, Run};
use crate::error::Problem;

pub(super) const PACKAGE: Package = Package {
    name: "keras",
    title: "Keras",
    version: "3.15.1",
    frame: "Update t has the value at step t, in float32. An \
            initial_learning_rate that the call leaves out is taken to be lr. \
            A whole number as initial_learning_rate makes the other numbers \
            whole too. The rates are those of the backend torch; jax rounds \
            otherwise, by up to 5e-7 of the rate at the top.",
    entries: ENTRIES,
    flags: None,
    torch: None,
};

const STEPS: &str = "SGD and all other optimizers with \
                     gradient_accumulation_steps = k ask the schedule for the \
                     number of batches: update t has the value at k * (t + 1) \
                     - 1.";

const OPTIMIZER: Notes = Notes {
    frame: STEPS,
    absolute: "The learning_rate is a rate or a schedule of rates; lr is \
               not used where it is given.",
    after: "As the schedule.",
    ..Notes::NONE
};

const ENTRIES: &[Entry] = &[
    Entry {
        name: "ExponentialDecay",
        signature: "initial_learning_rate, decay_steps, decay_rate, \
                    staircase=False, name=None",
        example: "decay_steps=25, decay_rate=0.5",
        formula: "initial_learning_rate * decay_rate ** (t / decay_steps)",
        notes: Notes {
            frame: "With a whole first argument decay_rate = 0.5 becomes 0: \
                    the rate is 0 from update 1 on.",
            after: "Goes on.",
            ..Notes::NONE
        },
        rates: |arguments, run| {
            shapes::rates(arguments, run, shapes::exponential)
        },
    },
    Entry {
        name: "InverseTimeDecay",
        signature: "initial_learning_rate, decay_steps, decay_rate, \
                    staircase=False, name=None",
        example: "decay_steps=25, decay_rate=0.5",
        formula: "initial_learning_rate / (1 + decay_rate * t / decay_steps)",
        notes: Notes {
            frame: "With a whole first argument decay_rate = 0.5 becomes 0: \
                    the rate is constant.",
            after: "Goes on.",
            ..Notes::NONE
        },
        rates: |arguments, run| {
            shapes::rates(arguments, run, shapes::inverse_time)
        },
    },
    Entry {
        name: "PolynomialDecay",
        signature: "initial_learning_rate, decay_steps, \
                    end_learning_rate=0.0001, power=1.0, cycle=False, \
                    name=None",
        example: "decay_steps=100",
        formula: "(initial_learning_rate - end_learning_rate) * \
                  (1 - t / decay_steps) ** power + end_learning_rate",
        notes: Notes {
            frame: "With a whole first argument end_learning_rate and power \
                    become whole: an end of 0.5 becomes 0.",
            absolute: "end_learning_rate is the rate 1e-4 by default: under \
                       it the decay rises.",
            after: "Stays at end_learning_rate; with cycle it goes on.",
            ..Notes::NONE
        },
        rates: |arguments, run| {
            shapes::rates(arguments, run, shapes::polynomial)
        },
    },
    Entry {
        name: "CosineDecay",
        signature: "initial_learning_rate, decay_steps, alpha=0.0, \
                    name=None, warmup_target=None, warmup_steps=0",
        example: "decay_steps=100",
        formula: "initial_learning_rate * ((1 - alpha) * \
                  (1 + cos(pi * t / decay_steps)) / 2 + alpha), after a \
                  warm-up to warmup_target",
        notes: Notes {
            frame: "Without a warmup_target there is no warm-up, also where \
                    warmup_steps is given. decay_steps does not count the \
                    warm-up. With a whole first argument pi becomes 3, and a \
                    warmup_target of 0.5 becomes 0.",
            absolute: "warmup_target is a rate.",
            after: "Stays at alpha times the top.",
            ..Notes::NONE
        },
        rates: |arguments, run| shapes::rates(arguments, run, shapes::cosine),
    },
    Entry {
        name: "CosineDecayRestarts",
        signature: "initial_learning_rate, first_decay_steps, t_mul=2.0, \
                    m_mul=1.0, alpha=0.0, name=None",
        example: "first_decay_steps=30",
        formula: "initial_learning_rate * ((1 - alpha) * m_mul ** cycle * \
                  (1 + cos(pi * x)) / 2 + alpha), x the share of the cycle",
        notes: Notes {
            frame: "A t_mul that is not whole is refused here: the backends \
                    torch and jax begin some cycles at different updates. \
                    With a whole first argument pi becomes 3.",
            after: "Goes on with further cycles.",
            ..Notes::NONE
        },
        rates: |arguments, run| shapes::rates(arguments, run, shapes::restarts),
    },
    Entry {
        name: "PiecewiseConstantDecay",
        signature: "boundaries, values, name=None",
        example: "boundaries=[50, 75], values=[1.0, 0.1, 0.01]",
        formula: "values[i] up to boundaries[i], which still has the value \
                  before it",
        notes: Notes { absolute: "The values are rates.", ..Notes::NONE },
        rates: |arguments, run| {
            shapes::rates(arguments, run, shapes::piecewise)
        },
    },
    Entry {
        name: "SGD",
        signature: "learning_rate=0.01, momentum=0.0, nesterov=False, \
                    weight_decay=None, clipnorm=None, clipvalue=None, \
                    global_clipnorm=None, use_ema=False, ema_momentum=0.99, \
                    ema_overwrite_frequency=None, loss_scale_factor=None, \
                    gradient_accumulation_steps=None, name='SGD'",
        example: "learning_rate=CosineDecay(1.0, decay_steps=400), \
                  gradient_accumulation_steps=4",
        formula: "that of the schedule in learning_rate",
        notes: OPTIMIZER,
        rates: optimizer,
    },
    Entry {
        name: "Adam",
        signature: "learning_rate=0.001, beta_1=0.9, beta_2=0.999, \
                    epsilon=1e-7, amsgrad=False, weight_decay=None, \
                    clipnorm=None, clipvalue=None, global_clipnorm=None, \
                    use_ema=False, ema_momentum=0.99, \
                    ema_overwrite_frequency=None, loss_scale_factor=None, \
                    gradient_accumulation_steps=None, name='adam'",
        example: "learning_rate=CosineDecay(1.0, decay_steps=400), \
                  gradient_accumulation_steps=4",
        formula: "that of the schedule in learning_rate",
        notes: OPTIMIZER,
        rates: optimizer,
    },
];

/// The rates of an optimizer, which asks its schedule for a batch number.
fn optimizer(arguments: &Arguments, run: &Run) -> Result<Vec<f64>, Problem> {
    let every = match arguments.literal("gradient_accumulation_steps")? {
        Literal::None => 1,
        _ => arguments.count("gradient_accumulation_steps")?,
    };
    let Literal::Call(call) = arguments.literal("learning_rate")? else {
        let rate = shapes::rounded(arguments.number("learning_rate")?);
        return Ok(run.each(|_| rate.into()));
    };
    let batches = Run { steps: run.steps.saturating_mul(every), ..run.clone() };
    let rates = scheduled(call, &batches)?;
    Ok(rates.into_iter().skip(every - 1).step_by(every).collect())
}

/// The rates of a schedule in an optimizer.
fn scheduled(call: &Call, run: &Run) -> Result<Vec<f64>, Problem> {
    let entry = PACKAGE.entry(&call.name)?;
    let arguments = Arguments::bind(entry.signature, call)?;
    if arguments.has("learning_rate") {
        let message = "an optimizer takes a schedule, not an optimizer";
        return Err(Problem::at("learning_rate", message));
    }
    (entry.rates)(&arguments, run)
}
