//! The words of other libraries, and what says the same in a grid.
//!
//! Names of schedules and of parameters as PyTorch, Lightning, Hugging Face
//! transformers, optax, Keras, timm, fastai and scikit-learn have them. A word
//! in here is never read: it makes an error say what to write.

/// Kinds of schedule: the words for each, with spaces between them, and what
/// says it here.
const KINDS: &[(&str, &str)] = &[
    (
        "constantlr constantschedule constantwithwarmup none fixed",
        "`kind = \"constant\"`, with `warmup` for a warm-up",
    ),
    (
        "linearlr linearschedule linearwithwarmup linearscheduler \
         lineardecay lineardecaywithwarmup linearwarmup",
        "`kind = \"linear\"`, with `warmup` for a warm-up",
    ),
    (
        "polynomiallr polynomialschedule polynomialdecay \
         polynomialwithwarmup polylrscheduler polylr poly",
        "`kind = \"polynomial\"`",
    ),
    (
        "cosineannealinglr cosineannealing cosinelr cosinelrscheduler \
         cosinedecay cosinedecayschedule cosineschedule cosinewithwarmup \
         warmupcosine warmupcosinedecayschedule cosinewarmup",
        "`kind = \"cosine\"`, with `warmup` for a warm-up",
    ),
    (
        "cosinewithminlr cosinewarmupwithminlr",
        "`kind = \"cosine\"` with `end_ratio`, a ratio of the peak",
    ),
    (
        "cosinewithrestarts cosinewithhardrestarts \
         cosinewithhardrestartswithwarmup cosineannealingwarmrestarts \
         cosinewarmrestarts cosinerestarts cosinedecayrestarts sgdrschedule \
         warmrestarts",
        "`kind = \"sgdr\"`, with `cycles` or `t_0`",
    ),
    (
        "exponentiallr exponentialdecay exponentialschedule explr",
        "`kind = \"exponential\"`, with `end_ratio`, the ratio that it comes \
         to",
    ),
    ("inversetimedecay invlr", "`kind = \"inverse-time\"`"),
    (
        "invsqrt rsqrt reciprocalsqrt inversesquareroot",
        "`kind = \"inverse-sqrt\"`",
    ),
    (
        "steplr steplrscheduler multisteplr multisteplrscheduler multistep \
         multifactorscheduler factorscheduler piecewiseconstantschedule \
         piecewiseconstantdecay piecewiseconstant stepdecay staircase",
        "`kind = \"step\"`, with `milestones` and `gamma`",
    ),
    (
        "warmupstabledecay wsdlrscheduler wsdschedule trapezoidal trapezoid",
        "`kind = \"wsd\"`, with `warmup` for a warm-up",
    ),
    (
        "onecyclelr onecyclepolicy fitonecycle 1cycle \
         cosineonecycleschedule",
        "`kind = \"one-cycle\"`",
    ),
    (
        "linearonecycleschedule",
        "`kind = \"one-cycle\"` with `anneal = \"linear\"`",
    ),
    ("slantedtriangular triangularlr stlr", "`kind = \"triangular\"`"),
    ("cycliclr clr", "`kind = \"cyclical\"`"),
    ("tanhlrscheduler tanhdecay", "`kind = \"tanh\"`"),
    (
        "sgdschedulefree adamwschedulefree schedulefreesgd schedulefreeadamw",
        "`kind = \"schedule-free\"` in a `[[schedule]]`, with the optimizer \
         sgd or adamw",
    ),
    (
        "reducelronplateau reduceonplateau plateaulrscheduler onplateau",
        "`kind = \"plateau\"`",
    ),
    (
        "piecewiseinterpolateschedule piecewiselinear",
        "`kind = \"piecewise\"`, with `points`",
    ),
    (
        "lambdalr multiplicativelr",
        "`kind = \"table\"`, with a `file` of factors",
    ),
    (
        "sequentiallr joinschedules chainedscheduler",
        "`join = [...]`, a list of schedules, instead of `kind`",
    ),
];

/// A parameter of other libraries.
struct Parameter {
    /// Its names there, with spaces between them.
    words: &'static str,
    /// The keys that do it here, each with a remark; the first counts that
    /// can stand where the word stood.
    keys: &'static [(&'static str, &'static str)],
    /// What to do where none of them can.
    elsewhere: &'static str,
}

const PEAK: &str = "a ratio of the peak, not a rate";

const PARAMETERS: &[Parameter] = &[
    // Of schedules.
    Parameter {
        words: "warmup_steps num_warmup_steps n_warmup_steps warmup_iters warmup_t \
         warmup_updates warmup_length",
        keys: &[("warmup", "in steps, such as 100, or as a share: \"5%\"")],
        elsewhere: "`warmup` in `[[schedule]]`",
    },
    Parameter {
        words: "warmup_ratio warmup_fraction warmup_frac warmup_pct warmup_percent \
         warmup_proportion",
        keys: &[("warmup", "with a share in per cent, such as \"10%\"")],
        elsewhere: "`warmup` in `[[schedule]]`, with a share such as \"10%\"",
    },
    Parameter {
        words: "warmup_epochs num_warmup_epochs",
        keys: &[("warmup", "in steps or as a share of the budget: \"5%\"")],
        elsewhere: "`warmup` in `[[schedule]]`, in steps or as a share such \
                    as \"5%\"",
    },
    Parameter {
        words: "warmup_lr_init warmup_init_lr warmup_start_lr warmup_start_factor \
         warmup_factor warmup_begin_lr init_value start_factor",
        keys: &[("warmup_start_ratio", PEAK)],
        elsewhere: "`warmup_start_ratio` in `[[schedule]]`, a ratio of the \
                    peak",
    },
    Parameter {
        words: "warmup_type warmup_mode warmup_strategy",
        keys: &[("warmup_shape", "\"linear\", \"cosine\" or \"exponential\"")],
        elsewhere: "`warmup_shape` in `[[schedule]]`",
    },
    Parameter {
        words: "eta_min min_lr lr_min lr_end end_lr final_lr end_value \
         end_learning_rate min_learning_rate min_lr_ratio min_lr_rate \
         final_lr_ratio end_factor",
        keys: &[("end_ratio", PEAK), ("min_ratio", PEAK)],
        elsewhere: "`end_ratio` of the schedules that have one, a ratio of \
                    the peak",
    },
    Parameter {
        words: "alpha",
        keys: &[("end_ratio", PEAK), ("min_ratio", PEAK)],
        elsewhere: "`end_ratio` of the schedules that have one, or `alpha` of \
                    the optimizer `rmsprop`",
    },
    Parameter {
        words: "num_cycles n_cycles cycle_limit num_restarts",
        keys: &[("cycles", "")],
        elsewhere: "`cycles` of `cosine` or `sgdr`",
    },
    Parameter {
        words: "T_0 first_decay_steps cycle_length",
        keys: &[("t_0", "in steps")],
        elsewhere: "`t_0` of `sgdr`",
    },
    Parameter {
        words: "T_mult t_mul cycle_mul",
        keys: &[("t_mult", "")],
        elsewhere: "`t_mult` of `sgdr`",
    },
    Parameter {
        words: "m_mul cycle_decay",
        keys: &[("magnitude_decay", "")],
        elsewhere: "`magnitude_decay` of `sgdr`",
    },
    Parameter {
        words: "step_size decay_epochs decay_t drop_every",
        keys: &[("milestones", "a list of shares or steps")],
        elsewhere: "`milestones` of `step`",
    },
    Parameter {
        words: "boundaries boundaries_and_scales schedule_steps",
        keys: &[
            ("milestones", "a list of shares or steps"),
            ("points", "a list of pairs [share, ratio]"),
        ],
        elsewhere: "`milestones` of `step`",
    },
    Parameter {
        words: "decay_rate lr_gamma drop drop_rate",
        keys: &[
            ("gamma", "the factor at each milestone"),
            ("factor", ""),
            ("rate", ""),
            ("end_ratio", "the ratio that it comes to"),
        ],
        elsewhere: "`gamma` of `step`, `factor` of `plateau` or `end_ratio` \
                    of `exponential`",
    },
    Parameter {
        words: "num_decay_steps decay_ratio decay_frac decay_fraction \
         cooldown_steps cooldown_ratio cooldown_fraction lr_wsd_decay_iters",
        keys: &[
            ("decay", "a share of the steps such as 0.2 or \"20%\""),
            ("cooldown", "a share of the steps such as 0.2 or \"20%\""),
        ],
        elsewhere: "`decay` of `wsd` or `cooldown`, a share of the steps",
    },
    Parameter {
        words: "num_stable_steps stable_steps",
        keys: &[("decay", "the share of the steps that are not stable")],
        elsewhere: "`decay` of `wsd`, the share that is not stable",
    },
    Parameter {
        words: "decay_type decay_fn decay_shape cooldown_type",
        keys: &[("shape", ""), ("cooldown_shape", "")],
        elsewhere: "`shape` of `wsd` or `cooldown_shape`",
    },
    Parameter {
        words: "k_decay",
        keys: &[("k", "")],
        elsewhere: "`k` of `k-decay`",
    },
    Parameter {
        words: "anneal_strategy",
        keys: &[("anneal", "\"cos\" or \"linear\"")],
        elsewhere: "`anneal` of `one-cycle`",
    },
    Parameter {
        words: "pct_warmup peak_fraction cut_frac",
        keys: &[("pct_start", ""), ("inc_fraction", "")],
        elsewhere: "`warmup`, `pct_start` of `one-cycle` or `inc_fraction` of \
                    `triangular`",
    },
    Parameter {
        words: "base_momentum max_momentum moms",
        keys: &[("cycle_momentum", "a list such as [0.85, 0.95]")],
        elsewhere: "`cycle_momentum` of `one-cycle` or `cyclical`",
    },
    Parameter {
        words: "base_lr",
        keys: &[("base_ratio", PEAK)],
        elsewhere: "`lr` in `[[workload]]`, a rate that is known; else it is \
                    found",
    },
    Parameter {
        words: "ema_decay model_ema_decay ema_momentum use_ema ema",
        keys: &[("average_decay", "with `average = \"ema\"`")],
        elsewhere: "`average = \"ema\"` with `average_decay` in `[[schedule]]`",
    },
    Parameter {
        words: "swa_start swa_epoch_start swa",
        keys: &[(
            "average_from",
            "a share of the updates, with `average = \
                                  \"swa\"`",
        )],
        elsewhere: "`average = \"swa\"` with `average_from` in `[[schedule]]`",
    },
    Parameter {
        words: "T_max t_initial decay_steps total_iters transition_steps \
         lr_decay_iters lr_decay_steps",
        keys: &[("steps", "")],
        elsewhere: "the budget, leave it out: `budgets` at the top of the \
                    grid, or `--steps`",
    },
    Parameter {
        words: "lr_scheduler_type scheduler_type lr_decay_style",
        keys: &[("kind", "such as \"cosine\"")],
        elsewhere: "`kind` in `[[schedule]]`",
    },
    // Of trainings.
    Parameter {
        words: "epochs num_epochs n_epochs max_epochs num_train_epochs",
        keys: &[("budgets", "in steps such as [1000] or as [\"10 epochs\"]")],
        elsewhere: "`budgets` at the top of the grid, in steps such as [1000] \
                    or as [\"10 epochs\"]",
    },
    Parameter {
        words: "steps max_steps total_steps num_steps num_training_steps \
         train_steps iterations max_iters num_iterations budget",
        keys: &[("budgets", "a list of steps such as [1000]")],
        elsewhere: "`budgets` at the top of the grid, a list of steps such as \
                    [1000], or `--steps`",
    },
    Parameter {
        words: "lr learning_rate lrs learning_rates max_lr peak_lr peak_value \
         initial_lr init_lr initial_learning_rate base_learning_rate",
        keys: &[(
            "lr",
            "a rate or a list of them; without it lrscout finds one",
        )],
        elsewhere: "`lr` in `[[workload]]` if the rate is known; without it \
                    lrscout finds one",
    },
    Parameter {
        words: "batch_size bs train_batch_size per_device_train_batch_size \
         minibatch_size",
        keys: &[("batch", "")],
        elsewhere: "`batch` in `[[workload]]`",
    },
    Parameter {
        words: "gradient_accumulation_steps accumulation_steps \
         accumulate_grad_batches grad_accum",
        keys: &[("accumulate", "the parts of a batch")],
        elsewhere: "`accumulate` in `[[workload]]`, the parts of a batch",
    },
    Parameter {
        words: "weight_decay wd l2",
        keys: &[("weight_decay", "")],
        elsewhere: "a key of the optimizer: `optimizer = { kind = \"adamw\", \
                    weight_decay = 0.1 }` in `[[workload]]`",
    },
    Parameter {
        words: "momentum beta1",
        keys: &[("beta1", ""), ("momentum", "")],
        elsewhere: "a key of the optimizer, such as `optimizer = { kind = \
                    \"sgd\", momentum = 0.9 }` in `[[workload]]`",
    },
    Parameter {
        words: "nesterov",
        keys: &[],
        elsewhere: "a key of the optimizers `sgd` and `muon`: `optimizer = { \
                    kind = \"sgd\", nesterov = true }` in `[[workload]]`",
    },
    Parameter {
        words: "eps",
        keys: &[],
        elsewhere: "a key of the optimizers `adamw`, `adam`, `rmsprop` and \
                    `muon`: `optimizer = { kind = \"adamw\", eps = 1e-6 }` in \
                    `[[workload]]`",
    },
    Parameter {
        words: "beta2",
        keys: &[],
        elsewhere: "a key of the optimizers `adamw`, `adam`, `lion` and \
                    `muon`: `optimizer = { kind = \"adamw\", beta2 = 0.95 }` \
                    in `[[workload]]`",
    },
    Parameter {
        words: "betas",
        keys: &[("beta1", "the first of the two, and `beta2`, the second")],
        elsewhere: "`beta1` and `beta2` of the optimizer: `optimizer = { kind \
                    = \"adamw\", beta2 = 0.95 }` in `[[workload]]`",
    },
    Parameter {
        words: "rho smoothing_constant",
        keys: &[("alpha", "")],
        elsewhere: "`alpha` of the optimizer: `optimizer = { kind = \
                    \"rmsprop\", alpha = 0.9 }` in `[[workload]]`",
    },
    Parameter {
        words: "newton_schulz_steps ns_iterations backend_steps",
        keys: &[("ns_steps", "")],
        elsewhere: "`ns_steps` of the optimizer `muon`",
    },
    Parameter {
        words: "max_grad_norm clip_grad clip_grad_norm gradient_clip_val grad_clip \
         clip_norm",
        keys: &[("clip_norm", "")],
        elsewhere: "`clip_norm` of the optimizer: `optimizer = { kind = \
                    \"sgd\", clip_norm = 1.0 }` in `[[workload]]`",
    },
    Parameter {
        words: "optim opt",
        keys: &[("optimizer", "")],
        elsewhere: "`optimizer` in `[[workload]]`",
    },
    Parameter {
        words: "arch architecture network net model_name",
        keys: &[("model", "")],
        elsewhere: "`model` in `[[workload]]`",
    },
    Parameter {
        words: "dataset_name data task_name",
        keys: &[("dataset", "")],
        elsewhere: "`dataset` in `[[workload]]`",
    },
    Parameter {
        words: "scheduler lr_scheduler lr_schedule schedulers",
        keys: &[("schedule", "a table `[[schedule]]`")],
        elsewhere: "a table `[[schedule]]`",
    },
    Parameter {
        words: "seed random_state random_seed rng_seed num_seeds",
        keys: &[("seeds", "a count or a list")],
        elsewhere: "`seeds` at the top of the grid, a count or a list",
    },
    Parameter {
        words: "num_workers n_jobs workers max_parallel",
        keys: &[("jobs", "")],
        elsewhere: "`jobs` at the top of the grid",
    },
    Parameter {
        words: "lr_multipliers llrd layer_decay param_groups",
        keys: &[("lr_multipliers", "factors by a part of the weights' names")],
        elsewhere: "`lr_multipliers` of the optimizer",
    },
    // Of data sets.
    Parameter {
        words: "label label_column target_column y",
        keys: &[("target", "the column to predict")],
        elsewhere: "`target` of a data set with `kind = \"csv\"`",
    },
    Parameter {
        words: "ignore exclude drop_columns index_col skip",
        keys: &[("drop", "a list of columns")],
        elsewhere: "`drop` of a data set with `kind = \"csv\"`",
    },
    Parameter {
        words: "test_size val_split valid_split validation_split",
        keys: &[("split", "shares of validation and test, as [0.1, 0.2]")],
        elsewhere: "`split` of a data set with `kind = \"csv\"` or \"text\"",
    },
    Parameter {
        words: "block_size seq_len seq_length context_length",
        keys: &[("context", "characters a sequence")],
        elsewhere: "`context` of a data set with `kind = \"text\"`",
    },
    Parameter {
        words: "path filename csv",
        keys: &[("file", ""), ("dir", "")],
        elsewhere: "",
    },
];

/// What says here what the schedule `word` of another library is.
pub(crate) fn of_kind(word: &str) -> Option<&'static str> {
    let word = letters(word);
    let here =
        KINDS.iter().find(|(words, _)| words.split(' ').any(|w| w == word));
    here.map(|&(_, here)| here)
}

/// What does here what `word` does in another library, where the keys stand
/// that `has` says.
pub(crate) fn of_key(word: &str, has: impl Fn(&str) -> bool) -> Option<String> {
    let word = letters(word);
    let known = |parameter: &&Parameter| {
        parameter.words.split(' ').any(|known| letters(known) == word)
    };
    let Parameter { keys, elsewhere, .. } = PARAMETERS.iter().find(known)?;
    match keys.iter().find(|(key, _)| has(key)) {
        Some((key, "")) => Some(format!("`{key}`")),
        Some((key, remark)) => Some(format!("`{key}`, {remark}")),
        None => (!elsewhere.is_empty()).then(|| (*elsewhere).to_owned()),
    }
}

/// A name whichever way a language writes it: `CosineAnnealingLR` and
/// `cosine_annealing_lr` are one.
fn letters(word: &str) -> String {
    let plain = word.chars().filter(|letter| !matches!(letter, '_' | '-'));
    plain.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::{MODIFIERS, kinds};

    #[test]
    fn no_word_has_two_meanings() {
        let mut words: Vec<String> = PARAMETERS
            .iter()
            .flat_map(|parameter| parameter.words.split(' '))
            .map(letters)
            .collect();
        let mut kinds: Vec<&str> =
            KINDS.iter().flat_map(|(words, _)| words.split(' ')).collect();
        assert!(kinds.iter().all(|word| letters(word) == *word));
        let (all_words, all_kinds) = (words.len(), kinds.len());
        words.sort();
        words.dedup();
        kinds.sort_unstable();
        kinds.dedup();
        assert_eq!((words.len(), kinds.len()), (all_words, all_kinds));
    }

    #[test]
    fn kinds_that_are_named_are_kinds() {
        for (words, here) in KINDS {
            let kind = here.split('"').nth(1).unwrap_or("join");
            let known = kinds().iter().any(|known| known.name == kind);
            assert!(known || here.starts_with("`join"), "{words:?}: {here}");
            let own = words
                .split(' ')
                .find(|word| kinds().iter().any(|known| known.name == *word));
            assert_eq!(own, None, "it is read");
        }
    }

    #[test]
    fn keys_of_schedules_are_found_where_they_stand() {
        for (word, kind, want) in [
            ("warmup_steps", "cosine", Some("warmup")),
            ("num_warmup_steps", "linear", Some("warmup")),
            ("eta_min", "sgdr", Some("end_ratio")),
            ("min_lr", "plateau", Some("min_ratio")),
            ("min_lr_ratio", "wsd", Some("end_ratio")),
            ("num_cycles", "cosine", Some("cycles")),
            ("T_0", "sgdr", Some("t_0")),
            ("T_mult", "sgdr", Some("t_mult")),
            ("step_size", "step", Some("milestones")),
            ("decay_rate", "step", Some("gamma")),
            ("decay_rate", "exponential", Some("end_ratio")),
            ("num_decay_steps", "wsd", Some("decay")),
            ("num_decay_steps", "cosine", Some("cooldown")),
            ("base_lr", "cyclical", Some("base_ratio")),
            ("num_cycles", "linear", None),
            ("eta_min", "rex", None),
        ] {
            let info = kinds().iter().find(|info| info.name == kind);
            let info = info.expect("a kind");
            let has = |key: &str| {
                info.keys.iter().any(|known| known.name == key)
                    || MODIFIERS.iter().any(|&(known, _)| known == key)
            };
            let here = of_key(word, has).expect("a known word");
            match want {
                Some(key) => {
                    assert!(here.starts_with(&format!("`{key}`")), "{here}");
                }
                None => assert!(here.contains(" of "), "{word}: {here}"),
            }
        }
        assert_eq!(of_key("colour", |_| true), None);
    }
}
