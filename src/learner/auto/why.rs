//! The reasons for a choice, in sentences.

use super::Candidate;
use crate::lr_find::LrFound;

/// The reasons; `race` is best first, by training losses if there are no
/// others. The candidate `decided` is compared elsewhere.
pub(super) fn why(
    found: &LrFound,
    race: &[Candidate],
    steps: usize,
    on_training: bool,
    decided: Option<&str>,
) -> Vec<String> {
    let names = |of: &[&Candidate]| {
        let names: Vec<String> =
            of.iter().map(|c| format!("`{}`", c.label)).collect();
        names.join(", ")
    };
    let best = &race[0];
    let mut why =
        vec![format!("The rate is {:.3e}: {}.", found.lr, found.reason)];
    if best.diverged() {
        why.push(
            "Every schedule diverged at this rate: take a lower one."
                .to_owned(),
        );
        return why;
    }
    let seeds = best.losses.len();
    why.push(format!(
        "`{}` has the lowest {} loss of the {} schedules in the race, \
         {:.4} on average over {seeds} seed{}.",
        best.label,
        if on_training { "training" } else { "validation" },
        race.len(),
        best.mean(),
        if seeds == 1 { "" } else { "s" }
    ));
    let beaten: Vec<&Candidate> =
        race.iter().filter(|c| c.stopped && !c.diverged()).collect();
    if !beaten.is_empty() {
        why.push(format!(
            "Worse than another one by more than chance explains, and \
             stopped: {}.",
            names(&beaten)
        ));
    }
    let diverged: Vec<&Candidate> =
        race.iter().filter(|c| c.diverged()).collect();
    if !diverged.is_empty() {
        why.push(format!("Diverged: {}.", names(&diverged)));
    }
    let open: Vec<&Candidate> = race[1..]
        .iter()
        .filter(|c| !c.stopped && Some(c.label.as_str()) != decided)
        .collect();
    if !open.is_empty() {
        why.push(format!(
            "Not told apart from it with this many seeds: {}.",
            names(&open)
        ));
    }
    why.push(format!(
        "This holds for this model, this data set and trainings of {steps} \
         steps; seeds say nothing about others."
    ));
    why
}
