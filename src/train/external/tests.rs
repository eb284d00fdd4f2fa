//! Programs that do what they should, and programs that do not. They are
//! written for `sh`, which every system has that this runs on.

use super::super::{Replica, Score, is_point};
use super::*;
use crate::data::{Dataset, Split, Task};
use crate::learner::Learner;
use crate::nn;
use crate::record::Outcome;
use crate::schedule::ScheduleSpec;
use candle_core::{Device, Tensor};
use std::fmt::Write as _;
use std::path::Path;

const STEPS: usize = 60;

/// A program that `sh` reads.
fn external(script: impl Into<String>, timeout: Duration) -> External {
    let script = script.into();
    let launch = move |_: &ProgramTask<'_>| {
        let mut command = Command::new("sh");
        command.args(["-c", &script]);
        Ok(launched(command))
    };
    External {
        name: "odd".to_owned(),
        optimizer: OptimizerSpec::sgd(),
        metric: None,
        timeout,
        is_script: false,
        launch: Arc::new(launch),
    }
}

fn launched(command: Command) -> Launched {
    Launched { command, workers: Arc::new(Vec::new), holds: Box::new(()) }
}

/// What is written to the output.
fn say(lines: &[String]) -> String {
    format!("cat <<'END'\n{}\nEND\n", lines.join("\n"))
}

const HELLO: &str = r#"{"event":"hello","protocol":1}"#;
const DONE: &str = r#"{"event":"done"}"#;

fn update(step: usize, loss: f64, lr: f64) -> String {
    format!(r#"{{"event":"train","step":{step},"loss":{loss:?},"lr":{lr:?}}}"#)
}

fn evaluation(done: usize, loss: f64, split: &str) -> String {
    format!(
        r#"{{"event":"eval","step":{done},"loss":{loss:?},"split":"{split}"}}"#
    )
}

/// All that a program of ten updates at 0.1 has to say.
fn honest() -> Vec<String> {
    let mut lines = vec![HELLO.to_owned()];
    for step in 0..10 {
        lines.push(update(step, 1.0 / (step + 1) as f64, 0.1));
        if step % 2 == 1 {
            lines.push(evaluation(step + 1, 0.5, "valid"));
        }
    }
    lines.push(evaluation(10, 0.7, "test"));
    lines.push(DONE.to_owned());
    lines
}

fn ten(script: impl Into<String>, timeout: Duration) -> Result<Fit> {
    let course = vec![0.1; 10].into();
    external(script, timeout).follow(0, course, &|| false)
}

const LONG: Duration = Duration::from_secs(60);

/// Time limits of a program that does not end by itself: each is tried if the
/// one before was too short for it to begin.
const SHORT: [Duration; 3] = [
    Duration::from_millis(300),
    Duration::from_secs(3),
    Duration::from_secs(30),
];

#[test]
fn an_honest_program_leaves_a_run_behind() {
    let mut lines = honest();
    // What it prints besides is its own affair.
    lines.insert(3, "epoch 1 {'loss': 0.5}".to_owned());
    let fit = ten(say(&lines), LONG).expect("honest");
    assert_eq!((fit.outcome, fit.steps), (Outcome::Completed, 10));
    assert_eq!(fit.valid, Some(Score { loss: 0.5, metric: 0.5 }));
    assert_eq!(fit.test, Some(Score { loss: 0.7, metric: 0.7 }));
    assert_eq!(fit.train_loss, Some(0.1));
    let steps: Vec<usize> = fit.curve.iter().map(|p| p.step).collect();
    assert_eq!(steps, [2, 4, 6, 8, 10]);
    assert_eq!(fit.curve[0].train_loss, Some(0.75));
}

#[test]
fn the_metric_loss_is_the_loss_unless_the_program_has_another() {
    let fit = |metrics: &str| {
        let event = format!("\"eval\"{metrics}");
        let lines: Vec<String> =
            honest().iter().map(|l| l.replace("\"eval\"", &event)).collect();
        let metric = Some("loss".to_owned());
        let external = External { metric, ..external(say(&lines), LONG) };
        let fit = external.follow(0, vec![0.1; 10].into(), &|| false);
        fit.expect("honest").test
    };
    assert_eq!(fit(""), Some(Score { loss: 0.7, metric: 0.7 }));
    let other = r#","metrics":{"loss":0.25}"#;
    assert_eq!(fit(other), Some(Score { loss: 0.7, metric: 0.25 }));
}

#[test]
fn a_metric_is_kept_by_its_name() {
    let named = |lines: &[String]| {
        let script = say(lines);
        let external = External {
            metric: Some("hits".to_owned()),
            ..external(script, LONG)
        };
        external.follow(0, vec![0.1; 10].into(), &|| false)
    };
    let with_metric: Vec<String> = honest()
        .iter()
        .map(|line| {
            let metrics = r#""eval","metrics":{"misses":1,"hits":0.25}"#;
            line.replace("\"eval\"", metrics)
        })
        .collect();
    let fit = named(&with_metric).expect("honest");
    assert_eq!(fit.test, Some(Score { loss: 0.7, metric: 0.25 }));
    // What is not asked for need not make sense.
    let mut lines = with_metric.clone();
    lines[1] += "\n";
    lines[1] += &evaluation(1, 2.0, "valid");
    let odd = "\"metrics\":{\"auc\":null,\"note\":\"x\",";
    let lines: Vec<String> =
        lines.iter().map(|l| l.replace("\"metrics\":{", odd)).collect();
    assert_eq!(named(&lines).expect("honest").test, fit.test);
    let lines = honest();
    let why = named(&lines).expect_err("no metric").to_string();
    assert!(why.starts_with("bad_event") && why.contains("`hits`"), "{why}");
}

/// A plane with some bumps, 48 points for each part.
fn plane() -> Dataset {
    let part = |from: usize| {
        let rows: Vec<f32> = (from..from + 48)
            .flat_map(|i| [(0.7 * i as f32).sin(), (1.3 * i as f32).cos()])
            .collect();
        let heights: Vec<f32> =
            rows.chunks(2).map(|p| p[0] - 0.5 * p[1] * p[0]).collect();
        let tensor = |values: Vec<f32>, width: usize| {
            Tensor::from_vec(values, (48, width), &Device::Cpu)
                .expect("a tensor")
        };
        Split { inputs: tensor(rows, 2), targets: tensor(heights, 1) }
    };
    Dataset {
        train: part(0),
        valid: part(48),
        test: part(96),
        task: Task::Regress { width: 1 },
        optimum: None,
    }
}

/// A program that says what candle's training along `course` comes to, and
/// gives up if it is not answered what that needs.
fn double(learner: &Learner, mut course: Course) -> String {
    let workload = &learner.workload;
    let mut replica = Replica::new(workload, learner.seed).expect("a model");
    let reacts = course.reacts();
    let mut script = format!("echo '{HELLO}'\n");
    for step in 0..STEPS {
        let (lr, momentum) = (course.lr(step), course.momentum(step));
        replica.set_momentum(momentum);
        let loss = replica.update(lr).expect("trains");
        let mut line = update(step, loss, lr);
        if let Some(momentum) = momentum {
            let field = format!("\"lr\":{lr:?},\"momentum\":{momentum:?}");
            line = line.replace(&format!("\"lr\":{lr:?}"), &field);
        }
        let _ = writeln!(script, "echo '{line}'");
        let done = step + 1;
        if !(is_point(done, STEPS) || course.listens(done)) {
            continue;
        }
        let loss = replica.evaluate(&workload.data.valid).expect("scores").loss;
        let _ = writeln!(script, "echo '{}'", evaluation(done, loss, "valid"));
        if course.listens(done) {
            course.hear(loss);
        }
        if reacts {
            let next = course.lr(done.min(STEPS - 1));
            let answer = format!(
                "{{\"lr\": {next:?}, \"factor\": {:?}}}",
                course.height()
            );
            let _ = writeln!(
                script,
                "read -r answer; [ \"$answer\" = '{answer}' ] || exit 3"
            );
        }
    }
    let loss = replica.evaluate(&workload.data.test).expect("scores").loss;
    let _ = writeln!(script, "echo '{}'", evaluation(STEPS, loss, "test"));
    let _ = writeln!(script, "echo '{DONE}'");
    script
}

#[test]
fn a_program_that_does_what_candle_does_leaves_the_same_behind() {
    let learner =
        Learner::new(|vb, _| nn::linear(2, 1, vb), plane()).batch(8).seed(3);
    let spec = |json: &str| -> ScheduleSpec {
        serde_json::from_str(json).expect("a spec that reads")
    };
    let schedules = [
        spec(r#"{"kind": "cosine", "warmup": 5}"#),
        spec(r#"{"kind": "one-cycle", "cycle_momentum": [0.8, 0.95]}"#),
        spec(r#"{"kind": "plateau", "patience": 0, "evaluations": 12}"#),
        spec(r#"{"kind": "plateau", "patience": 1, "warmup": 9}"#),
    ];
    for schedule in schedules {
        let label = schedule.label();
        let course = schedule.course(0.3, STEPS).expect("stands");
        let ours = learner.fit_spec(&schedule, 0.3, STEPS).expect("trains");
        let script = double(&learner, course.clone());
        let theirs = external(script, LONG);
        let theirs = theirs.follow(3, course, &|| false).expect(&label);
        let bare = |fit: Fit| {
            // The metric of a program is its loss unless it has another.
            let score = |score: Score| Score { metric: score.loss, ..score };
            Fit {
                train_seconds: 0.0,
                valid: fit.valid.map(score),
                test: fit.test.map(score),
                ..fit
            }
        };
        if label.starts_with("plateau(patience=0") {
            let end = ours.curve.last().expect("points").lr;
            assert!(end < 0.3, "{label} never reacts here");
        }
        assert_eq!(bare(theirs), bare(ours), "{label}");
    }
}

#[test]
fn a_run_that_diverges_is_ended_and_is_a_result() {
    for loss in ["NaN", "Infinity"] {
        let mut lines = honest();
        // A greeting, five updates, two evaluations.
        lines.truncate(8);
        lines[7] = update(4, 0.0, 0.1).replace("0.0", loss);
        let script = say(&lines) + "sleep 100\n";
        let fit = ten(script, LONG).expect("a result");
        assert_eq!((fit.outcome, fit.steps), (Outcome::Diverged, 5));
        assert_eq!((fit.valid, fit.test, fit.train_loss), (None, None, None));
        assert_eq!(fit.curve.last().map(|p| p.step), Some(5));
    }
    // A validation loss that is none ends a run, too.
    let lines: Vec<String> = honest()
        .iter()
        .map(|line| {
            line.replace(
                "\"step\":6,\"loss\":0.5",
                "\"step\":6,\"loss\":\"nan\"",
            )
        })
        .collect();
    let fit = ten(say(&lines), LONG).expect("a result");
    assert_eq!((fit.outcome, fit.steps), (Outcome::Diverged, 6));
}

#[test]
fn a_range_test_hears_losses_until_it_has_enough() {
    let rates = [0.1; 10];
    let losses = |script: String, on_valid: bool, most: usize| {
        let mut watch = |step: usize, _: f64| {
            if step + 1 < most {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        };
        let external = external(script, LONG);
        external.losses(0, &rates, on_valid, &mut watch, &|| false)
    };
    let all = losses(say(&honest()), false, 99).expect("honest");
    assert_eq!(all.len(), 10);
    assert_eq!(all[9], 0.1);
    let some = losses(say(&honest()) + "sleep 100\n", false, 4);
    assert_eq!(some.expect("enough").len(), 4);
    // On the validation part, an evaluation comes before each update.
    let mut lines = vec![HELLO.to_owned()];
    for step in 0..10 {
        lines.push(evaluation(step, 2.0 + step as f64, "valid"));
        lines.push(update(step, 1.0, 0.1));
    }
    lines.push(DONE.to_owned());
    let all = losses(say(&lines), true, 99).expect("honest");
    assert_eq!(all, (2..12).map(f64::from).collect::<Vec<_>>());
    lines.remove(7);
    let why = losses(say(&lines), true, 99).expect_err("one is missing");
    assert!(why.to_string().contains("no `eval` after 3"), "{why}");
    let short = [HELLO.to_owned(), update(0, 1.0, 0.1), DONE.to_owned()];
    let why = losses(say(&short), false, 99).expect_err("too short");
    assert!(why.to_string().contains("1 of 10"), "{why}");
}

#[test]
fn gradient_norms_come_with_every_update() {
    let with = |norm: &str| {
        let lines: Vec<String> = honest()
            .iter()
            .map(|line| {
                line.replace("\"lr\":0.1", &format!("\"lr\":0.1{norm}"))
            })
            .collect();
        let external = external(say(&lines), LONG);
        external.measure(0, vec![0.1; 10].into(), &|| false)
    };
    let pilot = with(",\"grad_norm\":Infinity").expect("norms");
    assert_eq!(pilot.norms, [f64::MAX; 10]);
    for norm in ["", ",\"grad_norm\":NaN", ",\"grad_norm\":-1"] {
        let why = with(norm).expect_err("no norms").to_string();
        assert!(why.contains("no `grad_norm` of 0"), "{why}");
    }
}

/// The status, the message and how long it took.
fn wrong(script: impl Into<String>, timeout: Duration) -> (String, Duration) {
    let began = Instant::now();
    let why = ten(script, timeout).expect_err("wrong").to_string();
    (why, began.elapsed())
}

#[test]
fn each_fault_has_a_status_of_its_own() {
    let edited = |from: &str, to: &str| {
        let lines = honest();
        let lines = lines.iter().map(|line| line.replace(from, to));
        say(&lines.collect::<Vec<_>>())
    };
    let without = |at: usize| {
        let mut lines = honest();
        lines.remove(at);
        say(&lines)
    };
    let last = honest().len() - 1;
    let cases = [
        ("no_done", without(last), "without the event `done`"),
        ("no_done", "exit 0".to_owned(), "it wrote no other output"),
        ("exit_code", "echo out of luck >&2; exit 7".to_owned(), "code 7"),
        ("exit_code", "echo out of luck >&2; exit 7".to_owned(), "of luck"),
        ("exit_code", say(&honest()) + "exit 1", "code 1"),
        ("killed", "kill -9 $$".to_owned(), "signal 9"),
        (
            "invalid_lr",
            edited(
                "\"step\":3,\"loss\":0.25,\"lr\":0.1",
                "\"step\":3,\"loss\":0.25,\"lr\":0.1000002",
            ),
            "update 3 has `lr` 0.1000002 instead of 0.1",
        ),
        ("invalid_lr", edited("\"lr\":0.1", "\"lr\":NaN"), "NaN"),
        ("bad_event", edited("\"protocol\":1", "\"protocol\":2"), "protocol 2"),
        ("bad_event", edited("\"loss\":0.25,", ""), "missing field `loss`"),
        (
            "bad_event",
            edited("\"event\":\"done\"}", "\"event\":\"done\""),
            "EOF",
        ),
        ("bad_event", without(0), "must be `hello`"),
        ("bad_event", edited("\"step\":3,", "\"step\":4,"), "4 after 3"),
        ("bad_event", without(3), "no `eval` after 2 updates"),
        ("bad_event", edited(DONE, &format!("{HELLO}\n{DONE}")), "twice"),
        ("bad_event", say(&[HELLO.to_owned(), DONE.to_owned()]), "0 of 10"),
        (
            "bad_event",
            edited(DONE, &(update(10, 1.0, 0.1) + "\n" + DONE)),
            "after the 10 updates",
        ),
        (
            "bad_event",
            say(&honest()) + &format!("echo '{DONE}'"),
            "after `done`",
        ),
    ];
    for (status, script, part) in cases {
        let (why, took) = wrong(script.clone(), LONG);
        let right = why.starts_with(&format!("{status}: "));
        assert!(right && why.contains(part), "{status}, {part}: {why}");
        assert!(took < Duration::from_secs(5), "{status} took {took:?}");
    }
    // Whatever it says is shown in part, and steers no terminal.
    let shout = format!(
        "printf '{{\"event\":\"\\033[31m%s\"}}\\n' {}",
        "x".repeat(90_000)
    );
    let (why, _) = wrong(format!("echo '{HELLO}'\n{shout}"), LONG);
    assert!(
        why.starts_with("bad_event: `odd`: sent an invalid event"),
        "{why}"
    );
    assert!(why.len() < 1000 && !why.contains('\u{1b}'), "{why}");
    // Deaf, and shouting while it is ended.
    let yes = update(0, 1.0, 9.0);
    let script = format!("trap '' TERM\necho '{HELLO}'\nyes '{yes}'");
    let (why, took) = wrong(script, LONG);
    assert!(why.starts_with("invalid_lr: "), "{why}");
    assert!(took < Duration::from_secs(5), "{took:?}");
    let launch = |_: &ProgramTask<'_>| {
        let command = Command::new("/no/such/program");
        Ok(launched(command))
    };
    let missing = External { launch: Arc::new(launch), ..external("", LONG) };
    let why = missing.follow(0, vec![0.1; 10].into(), &|| false);
    let why = why.expect_err("missing").to_string();
    assert!(why.starts_with("not_started: `/no/such/program`"), "{why}");
}

#[test]
fn a_rate_may_be_off_by_what_f32_rounds() {
    let rounded = f64::from(0.1_f32);
    let lines: Vec<String> = honest()
        .iter()
        .map(|line| line.replace("\"lr\":0.1", &format!("\"lr\":{rounded:?}")))
        .collect();
    ten(say(&lines), LONG).expect("0.1 in f32");
    for (rate, rounded) in
        [(0.0, 0.0), (1e-40, 1e-40_f32), (3e-39, 3e-39), (0.3, 0.3)]
    {
        let shown = AnyFloat(f64::from(rounded));
        same_rate("lr", 0, shown, rate).expect("f32");
    }
    same_rate("lr", 0, AnyFloat(0.0), 1e-30).expect_err("no rate at all");
}

/// Whether the process whose number is in `file` is there.
fn is_there(file: &Path) -> bool {
    let number = std::fs::read_to_string(file).expect("its number");
    let number = number.trim().parse().expect("a number");
    let pid = rustix::process::Pid::from_raw(number).expect("positive");
    // One that has ended and was not yet taken note of has no program.
    let program = std::fs::read(format!("/proc/{number}/cmdline"));
    rustix::process::test_kill_process(pid).is_ok()
        && program.map_or(true, |program| !program.is_empty())
}

/// Whether it is gone soon: what was killed ends when the system comes to it.
fn goes(file: &Path) -> bool {
    let began = Instant::now();
    while is_there(file) {
        if began.elapsed() > Duration::from_secs(20) {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    true
}

#[test]
fn nothing_that_it_started_outlives_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("child");
    // Whole as soon as it is there.
    let note = format!("echo $! > {0}.new; mv {0}.new {0}\n", file.display());
    let child = format!("sleep 100 & {note}");
    let deaf = format!("trap '' TERM\n{child}");
    let hang = "while :; do sleep 1; done\n";
    for (script, limits, said) in [
        // Hangs, with a child; deaf to being asked; with its pipes closed.
        (format!("{child}{hang}"), &SHORT[..], "timed_out: took longer than"),
        (format!("{deaf}{hang}"), &SHORT, "took longer than"),
        (format!("{child}exec >&- 2>&-\n{hang}"), &SHORT, "took longer"),
        // Ends, and leaves a child that holds its pipes.
        (format!("{child}exit 0\n"), &[LONG], "no_done"),
        // One that goes on writing to them.
        (
            format!("(while :; do echo x; sleep 0.01; done) & {note}exit 4"),
            &[LONG],
            "exit_code",
        ),
    ] {
        // On a busy machine, the time limit may come before the child.
        let started = limits.iter().any(|&limit| {
            let (why, took) = wrong(script.clone(), limit);
            assert!(why.contains(said), "{script}: {why}");
            let ends_by_itself = limit == LONG;
            let limit = if ends_by_itself { Duration::ZERO } else { limit };
            let most = limit + Duration::from_secs(5);
            assert!(took < most, "{script} took {took:?}");
            file.exists()
        });
        assert!(started, "{script} did not come to start its child");
        assert!(goes(&file), "{script} left something behind");
        std::fs::remove_file(&file).expect("written");
    }
    // Done is done, whatever it leaves running.
    let fit = ten(format!("{child}{}", say(&honest())), LONG);
    assert_eq!(fit.expect("done").outcome, Outcome::Completed);
    assert!(goes(&file));
    std::fs::remove_file(&file).expect("written");
    // The user wants it to stop.
    let asked = std::cell::Cell::new(None);
    let stop = || {
        if file.exists() && asked.get().is_none() {
            asked.set(Some(Instant::now()));
        }
        asked.get().is_some()
    };
    let script = format!("{child}echo '{HELLO}'\n{hang}");
    let stopped = external(script, LONG).follow(0, vec![0.1; 10].into(), &stop);
    assert!(matches!(stopped, Err(Error::Interrupted)));
    let asked = asked.get().expect("it stopped for this");
    assert!(asked.elapsed() < Duration::from_secs(5));
    assert!(goes(&file));
}

#[test]
fn a_program_that_is_done_has_to_end() {
    let (why, _) = wrong(say(&honest()) + "sleep 100", LONG);
    assert!(why.starts_with("no_exit: `odd`: did not end within"), "{why}");
}

#[test]
fn the_pace_is_that_of_a_program_that_reports_late_too() {
    let launch = |late: bool| {
        move |task: &ProgramTask<'_>| {
            let updates = task.rates.iter().enumerate();
            let lines: Vec<String> =
                updates.map(|(t, lr)| update(t, 1.0, *lr)).collect();
            let each = |line: &String| {
                let tell = format!("; echo '{line}'");
                format!("sleep 0.01{}", if late { "" } else { &tell })
            };
            let each: Vec<String> = lines.iter().map(each).collect();
            let end = if late { say(&lines) } else { String::new() };
            let script = format!(
                "echo '{HELLO}'; sleep 0.3\n{}\n{end}echo '{DONE}'",
                each.join("\n")
            );
            let mut command = Command::new("sh");
            command.args(["-c", &script]);
            Ok(launched(command))
        }
    };
    for late in [false, true] {
        let launch = Arc::new(launch(late));
        let external = External { launch, ..external("", LONG) };
        let pace = external.pace(&|| false).expect("honest");
        let Pace { start_seconds, step_seconds } = pace;
        assert!((0.01..0.05).contains(&step_seconds), "{late}: {pace:?}");
        assert!((0.1..3.0).contains(&start_seconds), "{late}: {pace:?}");
    }
}

#[test]
fn a_range_test_is_over_where_the_script_is() {
    let early = r#"{"event":"error","status":"early_end","message":"short"}"#;
    let mut lines = honest()[..4].to_vec();
    lines.push(early.to_owned());
    let losses = |lines: &[String], is_script| {
        let script = External { is_script, ..external(say(lines), LONG) };
        let mut watch = |_, _| ControlFlow::Continue(());
        script.losses(0, &[0.1; 10], false, &mut watch, &|| false)
    };
    assert_eq!(losses(&lines, true).expect("a curve"), [1.0, 0.5]);
    let why = losses(&lines, false).expect_err("no script").to_string();
    assert!(why.starts_with("early_end: "), "{why}");
    let none = [lines[0].clone(), early.to_owned()];
    losses(&none, true).expect_err("no update at all");
}

#[test]
fn a_program_that_floods_is_ended() {
    // Lines, one endless line, and the errors.
    for flood in [
        "yes 'no event at all'",
        "cat /dev/zero",
        "yes >&2",
        "while :; do printf '{\"event\":'; head -c 1000000 /dev/zero; done",
    ] {
        let (why, took) = wrong(format!("echo '{HELLO}'\n{flood}"), LONG);
        assert!(why.starts_with("flood: "), "{flood}: {why}");
        assert!(why.len() < 4000, "{flood}: {} bytes", why.len());
        assert!(took < Duration::from_secs(20), "{flood} took {took:?}");
    }
}

#[test]
fn odd_bytes_harm_nothing() {
    // No text at all, an end without a newline, a progress bar.
    let lines = honest();
    let (first, last) = lines.split_at(lines.len() - 1);
    let script = format!(
        "printf '\\377\\376\\n' ; printf '10%%\\r20%%\\r'  >&2\n{}printf '%s' '{}'",
        say(first),
        last[0]
    );
    let fit = ten(script, LONG).expect("odd, but right");
    assert_eq!(fit.outcome, Outcome::Completed);
    let script = "printf '10%%\\r\\033[1m20%%\\r30%% \\n' >&2; exit 1";
    let (why, _) = wrong(script, LONG);
    assert!(why.ends_with("its last output: 30%"), "{why:?}");
}

#[test]
fn a_program_that_reads_no_answers_is_told_so() {
    let schedule: ScheduleSpec =
        serde_json::from_str(r#"{"kind": "plateau", "evaluations": 20}"#)
            .expect("a spec that reads");
    let course = schedule.course(0.1, 20).expect("stands");
    // The answers fill the pipe.
    let script = format!(
        "{}yes '{}'",
        say(&[HELLO.to_owned(), update(0, 1.0, 0.1)]),
        evaluation(1, 1.0, "valid")
    );
    let why = external(script, LONG).follow(0, course, &|| false);
    let why = why.expect_err("deaf").to_string();
    assert!(why.contains("does not read the answers"), "{why}");
}
