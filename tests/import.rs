//! Files of other tools, read and ranked through the binary.

mod program;

use program::{folder_with, lrscout};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

const LOSS: &str = include_str!("tables/loss.csv");

/// Files that the real packages made; the scripts stand beside them.
fn made(path: &str) -> String {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/import");
    format!("{root}/{path}")
}

/// Standard output and standard error.
fn said(folder: &Path, args: &[&str]) -> (String, String) {
    let run = lrscout(folder).args(args).assert().success();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let output = run.get_output();
    (text(&output.stdout), text(&output.stderr))
}

fn ranked(folder: &Path, args: &[&str]) -> Value {
    let args = [&["rank", "--format", "json"], args].concat();
    serde_json::from_str(&said(folder, &args).0).expect("JSON")
}

/// `workload schedule seed score outcome` of each run that was understood,
/// sorted.
fn runs(args: &[&str]) -> Vec<String> {
    let folder = folder_with("");
    let table = said(folder.path(), &[&["import"], args].concat()).0;
    let mut lines = table.lines().map(|line| line.split(','));
    let header: Vec<&str> = lines.next().expect("a header").collect();
    let known = [
        "workload",
        "cluster",
        "schedule",
        "budget",
        "lr_multiple",
        "seed",
        "peak_lr",
        "outcome",
        "better",
        "source",
        "source_hash",
    ];
    let at = |name: &str| header.iter().position(|column| *column == name);
    let score = header.iter().position(|column| !known.contains(column));
    let columns =
        [at("workload"), at("schedule"), at("seed"), score, at("outcome")];
    let mut runs: Vec<String> = lines
        .map(|cells| {
            let cells: Vec<&str> = cells.collect();
            let texts = columns.iter().flatten().map(|&column| cells[column]);
            texts.collect::<Vec<_>>().join(" ")
        })
        .collect();
    runs.sort();
    // 0.4 + 0.01, as Python prints it.
    runs.iter().map(|run| run.replace("0.41000000000000003", "0.41")).collect()
}

/// [`LOSS`] as an array of objects.
fn as_json() -> String {
    let rows = LOSS.lines().skip(1).map(|line| {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |text: &str| text.parse::<f64>().expect("a number");
        json!({"workload": cells[0], "schedule": cells[1],
               "seed": number(cells[2]), "loss": number(cells[3])})
    });
    Value::Array(rows.collect()).to_string()
}

#[test]
fn a_table_has_one_ranking_in_every_form() {
    let folder = folder_with("");
    let german = LOSS.replace(',', ";").replace('.', ",");
    let json = as_json();
    let lines = json.trim_matches(['[', ']']).replace("},{", "}\n{");
    let wanted = {
        fs::write(folder.path().join("loss.csv"), LOSS).expect("writable");
        ranked(folder.path(), &["loss.csv"])
    };
    for (name, text) in [
        ("semicolon.csv", LOSS.replace(',', ";")),
        ("german.csv", german.clone()),
        ("tab.tsv", LOSS.replace(',', "\t")),
        ("tab-german.tsv", german.replace(';', "\t")),
        ("sep.csv", format!("sep=,\n{LOSS}")),
        ("comment.csv", format!("# exported\n\n{LOSS}")),
        ("mark.csv", format!("\u{feff}{LOSS}")),
        ("rows.json", json),
        ("rows.jsonl", lines),
        // Other names.
        (
            "names.csv",
            LOSS.replacen(
                "workload,schedule,seed,loss",
                "Dataset,config.lr_scheduler,params.random_state,val/loss",
                1,
            ),
        ),
    ] {
        fs::write(folder.path().join(name), text).expect("writable");
        let this = ranked(folder.path(), &[name]);
        for key in ["mean_ranks", "verdicts", "regret", "n"] {
            assert_eq!(this[key], wanted[key], "{name}: {key}");
        }
    }
}

#[test]
fn what_other_tools_write_is_read_to_the_right_numbers() {
    let digits = |scores: [&str; 6]| -> Vec<String> {
        let names = [
            "constant 0",
            "constant 1",
            "cosine 0",
            "cosine 1",
            "linear 0",
            "linear 1",
        ];
        let rows = names.iter().zip(scores);
        rows.map(|(name, score)| format!("digits {name} {score}")).collect()
    };
    let plain = digits(["0.5", "0.51", "0.3", "0.31", "0.4", "0.41"]);
    let finished: Vec<String> =
        plain.iter().map(|row| format!("{row} finished")).collect();
    assert_eq!(runs(&[&made("wandb/runs/table.csv")]), finished);
    assert_eq!(runs(&[&made("wandb/runs/export.csv")]), plain);
    assert_eq!(runs(&[&made("wandb/runs/export.json")]), plain);
    assert_eq!(runs(&[&made("wandb/runs/histories.csv")]), plain);
    assert_eq!(runs(&[&made("wandb/runs/sampled.json")]), plain);
    let pattern = ["--path", "{schedule}-{seed}"];
    for file in ["history", "panel.csv"] {
        let found = runs(
            &[&[&made(&format!("wandb/runs/{file}"))[..]], &pattern[..]]
                .concat(),
        );
        let plain: Vec<String> =
            plain.iter().map(|row| row.replacen("digits", "all", 1)).collect();
        assert_eq!(found, plain, "{file}");
    }
    let folder = folder_with("");
    let panel = made("wandb/runs/panel.csv");
    let run = lrscout(folder.path()).args(["rank", &panel]).assert().code(65);
    let text = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
    assert!(text.ends_with("this run is `constant-0`\n"), "{text}");
    let args = ["rank", &panel, "--path", "{schedule}_{seed}"];
    let run = lrscout(folder.path()).args(args).assert().code(65);
    let text = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
    let place = "panel.csv:2:3: `--path` does not match `constant-0`\n";
    assert!(text.ends_with(place), "{text}");

    let trials: Vec<String> =
        plain.iter().map(|row| row.replacen("digits ", "", 1)).collect();
    for file in ["ray/runs/trials", "ray/runs/dataframe.csv"] {
        let found = runs(&[&made(file)]);
        let found: Vec<&str> = found
            .iter()
            .filter_map(|row| Some(row.split_once(' ')?.1))
            .collect();
        assert_eq!(found, trials, "{file}");
    }
    let results = made("ray/runs/trials/*/result.json");
    assert_eq!(runs(&[&results]).len(), 6);

    // The pruned trial has an intermediate value for its value.
    let study = [
        "digits constant 0 0.5 COMPLETE",
        "digits constant 1 0.51 COMPLETE",
        "digits constant 2 0.3333333333333333 failed",
        "digits cosine 0 0.3 COMPLETE",
        "digits cosine 1 0.31 COMPLETE",
        "digits cosine 2 0.32 COMPLETE",
        "digits linear 0 0.4 COMPLETE",
        "digits linear 1 0.41 COMPLETE",
        "digits linear 2  FAIL",
    ];
    assert_eq!(runs(&[&made("optuna/runs/trials.csv")]), study);
    assert_eq!(runs(&[&made("optuna/runs/accuracy.csv")]), study);
    let objectives = runs(&[&made("optuna/runs/objectives.csv")]);
    let study = study.map(|row| {
        let row = row.replace("0.3333333333333333 failed", "0.52 COMPLETE");
        row.replace(" 2  FAIL", " 2 0.42000000000000004 COMPLETE")
    });
    assert_eq!(objectives, study);

    // NaN is an empty cell in the CSV.
    let csv = runs(&[&made("mlflow/runs/search_runs.csv")]);
    assert_eq!(csv.len(), 12);
    assert_eq!(csv[0], "digits constant 0 0.5 FINISHED");
    assert_eq!(csv[1], "digits constant 1  FINISHED");
    assert_eq!(csv[11], "letter linear 1 1.41 FINISHED");
    assert_eq!(runs(&[&made("mlflow/runs/children.csv")]), CHILDREN);
    let by = |column| ["--workload", column];
    let experiments = made("mlflow/runs/experiments.csv");
    let found = runs(&[&[&experiments[..]], &by("experiment_id")[..]].concat());
    let numbers = EXPERIMENTS
        .map(|row| row.replacen("digits", "3", 1).replacen("letter", "4", 1));
    assert_eq!(found, numbers);
}

/// Children of a parent run, each schedule at its best rate: the runs of one
/// seed at that of the other.
const CHILDREN: [&str; 6] = [
    "children constant 0 0.49 FINISHED",
    "children constant 1 0.48 FINISHED",
    "children cosine 0 0.6 FINISHED",
    "children cosine 1  FAILED",
    "children linear 0 0.59 FINISHED",
    "children linear 1 0.58 FINISHED",
];

/// An experiment for each data set.
const EXPERIMENTS: [&str; 6] = [
    "digits constant 0 0.5 FINISHED",
    "digits cosine 0 0.3 FINISHED",
    "digits linear 0 0.4 FINISHED",
    "letter constant 0 inf FINISHED",
    "letter cosine 0 1.3 FINISHED",
    "letter linear 0 1.4 FINISHED",
];

#[cfg(feature = "sqlite")]
#[test]
fn databases_are_read_and_nothing_is_written_beside_them() {
    // NaN is kept as 0 with a mark.
    let store = runs(&[&made("mlflow/runs/mlflow.db")]);
    assert_eq!(store.len(), 12);
    assert_eq!(store[1], "digits constant 1 NaN FINISHED");
    assert_eq!(store[11], "letter linear 1 1.41 FINISHED");
    assert_eq!(runs(&[&made("mlflow/runs/children.db")]), CHILDREN);
    let experiments = made("mlflow/runs/experiments.db");
    let found = runs(&[&experiments, "--workload", "experiment"]);
    assert_eq!(found, EXPERIMENTS);
    for (file, table) in [
        ("study", "trials"),
        ("accuracy", "accuracy"),
        ("objectives", "objectives"),
    ] {
        let csv = runs(&[&made(&format!("optuna/runs/{table}.csv"))]);
        assert_eq!(runs(&[&made(&format!("optuna/runs/{file}.db"))]), csv);
    }

    let folder = folder_with("");
    let copy = folder.path().join("accuracy.db");
    fs::copy(made("optuna/runs/accuracy.db"), &copy).expect("a copy");
    // The study says that it is maximized, and which objective is.
    let objectives = made("optuna/runs/objectives.db");
    for (args, better, best) in [
        (&["accuracy.db"][..], "higher", "constant"),
        (&[&objectives], "lower", "cosine"),
        (&[&objectives, "--score", "val_acc"], "higher", "cosine"),
    ] {
        let ranked = ranked(folder.path(), args);
        assert_eq!(ranked["score"]["better"], better, "{args:?}");
        assert_eq!(ranked["mean_ranks"][best], 1.0, "{args:?}");
    }
    let names = fs::read_dir(folder.path()).expect("a folder");
    assert_eq!(names.count(), 2);
    fs::write(folder.path().join("accuracy.db-wal"), "x").expect("writable");
    let run = lrscout(folder.path()).args(["rank", "accuracy.db"]).assert();
    let run = run.code(65);
    let said = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
    assert!(
        said.contains("changes that are not in the database yet"),
        "{said}"
    );
}

#[test]
fn histories_of_runs_are_read_with_the_names_of_their_folders() {
    let eval = |schedule: &str| {
        let path = format!(
            "trainer/runs/{schedule}-s1/checkpoint-12/trainer_state.json"
        );
        let text = fs::read_to_string(made(&path)).expect("a state");
        let state: Value = serde_json::from_str(&text).expect("JSON");
        let log = state["log_history"].as_array().expect("rows");
        let mut losses = log.iter().filter_map(|row| row["eval_loss"].as_f64());
        losses.next_back().expect("a loss")
    };
    let states = ["constant", "cosine", "linear"]
        .map(|name| format!("runs {name} 1 {}", eval(name)));
    let folder = made("trainer/runs");
    let found = runs(&[&folder, "--path", "{schedule}-s{seed}"]);
    let end = |row: &String| row.split_once(' ').expect("words").1.to_owned();
    assert_eq!(
        found.iter().map(end).collect::<Vec<_>>(),
        states.iter().map(end).collect::<Vec<_>>()
    );

    let found = runs(&[&made("lightning/runs")]);
    let found: Vec<String> = found.iter().map(end).collect();
    let last = |run: &str| {
        let path = format!("lightning/runs/{run}/version_0/metrics.csv");
        let text = fs::read_to_string(made(&path)).expect("metrics");
        let mut lines = text.lines().filter_map(|line| line.rsplit(',').next());
        lines.rfind(|cell| !cell.is_empty()).expect("a loss").to_owned()
    };
    assert_eq!(
        found,
        [
            format!("constant 0 {}", last("constant-0")),
            format!("constant 1 {}", last("constant-1")),
            format!("exponential 0 {}", last("exponential-0")),
        ]
    );

    let f32 = |number: f32| f64::from(number).to_string();
    for kind in ["torch", "x", "tf"] {
        let folder = made(&format!("tensorboard/runs/{kind}"));
        let found = runs(&[&folder, "--path", "{schedule}-{seed}"]);
        let found: Vec<String> = found.iter().map(end).collect();
        let wanted = [
            format!("cosine 0 {}", f32(0.3)),
            format!("linear 0 {}", f32(0.4)),
        ];
        assert_eq!(found, wanted, "{kind}");
    }
    let folder = made("tensorboard/runs/new-style");
    let found = runs(&[&folder, "--schedule", "run"]);
    assert_eq!(end(&found[0]), format!("new-style {}", f32(0.5)));

    for file in ["training.csv", "history.json"] {
        let pattern = made(&format!("keras/runs/*/{file}"));
        let found = runs(&[&pattern, "--path", "{schedule}-{seed}"]);
        assert!(found[0].contains("constant 0 "), "{found:?}");
        assert!(found[1].ends_with("cosine 0 1.063441276550293"), "{found:?}");
    }
    let best = made("keras/runs/*/training.csv");
    let best = [&best, "--path", "{schedule}-{seed}", "--score", "val_mae"];
    let best = runs(&[&best[..], &["--row", "best"]].concat());
    assert!(best[1].ends_with("cosine 0 0.7884048819541931"), "{best:?}");
}

#[test]
fn an_imported_table_has_the_same_ranking() {
    let folder = folder_with("");
    let rates = "schedule,seed,lr,foo\n\
        cosine,0,0.1,3\ncosine,1,0.1,3\ncosine,0,0.01,1\ncosine,1,0.01,1\n\
        linear,0,0.1,2\nlinear,1,0.1,2\nlinear,0,0.01,2\nlinear,1,0.01,2\n";
    fs::write(folder.path().join("rates.csv"), rates).expect("writable");
    let one: Vec<&str> =
        rates.lines().filter(|line| !line.contains("0.01")).collect();
    fs::write(folder.path().join("one.csv"), one.join("\n")).expect("writable");
    let words = |text: &str| -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    };
    for args in [
        &words("one.csv --score foo")[..],
        &words("one.csv --score foo --higher"),
        &words("rates.csv --score foo --higher"),
        &words("rates.csv --score foo --lower --lr each"),
        &[made("wandb/runs/export.csv")],
        &[made("mlflow/runs/search_runs.csv")],
        &[made("lightning/runs")],
        &[made("tensorboard/runs/new-style"), "--schedule=run".to_owned()],
        &[made("optuna/runs/trials.csv"), "--higher".to_owned()],
    ] {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let direct = ranked(folder.path(), &args);
        let to = [&["import"], &args[..], &["--to", "out.csv"]].concat();
        said(folder.path(), &to);
        assert_eq!(ranked(folder.path(), &["out.csv"]), direct, "{args:?}");
    }
}

#[test]
fn several_tables_of_ours_are_imported_as_one() {
    let folder = folder_with("");
    let ours = LOSS.replacen(",loss", ",valid_loss", 1);
    let header = ours.lines().next().expect("a header");
    fs::create_dir(folder.path().join("parts")).expect("writable");
    for half in 0..2 {
        let rows = ours.lines().skip(1 + half).step_by(2);
        let text: Vec<&str> = [header].into_iter().chain(rows).collect();
        let name = format!("parts/{half}.csv");
        let text = text.join("\n") + "\n";
        fs::write(folder.path().join(name), text).expect("writable");
    }
    let direct = ranked(folder.path(), &["parts"]);
    said(folder.path(), &["import", "parts", "--to", "out.csv"]);
    assert_eq!(ranked(folder.path(), &["out.csv"]), direct);
}

/// The ranking of a table, and what was said about it.
fn table(text: &str, more: &[&str]) -> (Value, String) {
    let folder = folder_with("");
    fs::write(folder.path().join("t.csv"), text).expect("writable");
    let args = [&["t.csv"], more].concat();
    let all = [&["rank", "--format", "json"], &args[..]].concat();
    let (out, err) = said(folder.path(), &all);
    (serde_json::from_str(&out).expect("JSON"), err)
}

#[test]
fn wide_tables_and_tables_that_lack_columns_are_described() {
    let (wide, said) = table(
        "task,seed,cosine,linear\na,0,1.0,1.1\na,1,1.2,1.3\nb,0,2.0,\nb,1,2,3\n",
        &["--lower"],
    );
    assert_eq!(wide["mean_ranks"]["cosine"], 1.0);
    assert_eq!(wide["n"], 2);
    assert!(said.contains("a column for each schedule: `cosine` and `linear`"));

    let (bare, said) = table(
        "schedule,val_loss\ncosine,1\nlinear,2\ncosine,2\nlinear,3\n",
        &[],
    );
    assert_eq!(bare["workloads"], json!(["t"]));
    assert!(said.contains("no workload, so all runs are of one"), "{said}");
    assert!(said.contains("not paired, the mean of up to 2 runs"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    let (_, said) = table("schedule,val_loss\ncosine,1\nlinear,2\n", &[]);
    assert!(said.contains("one run a schedule: a description"), "{said}");
}

#[test]
fn of_several_rows_and_rates_one_counts() {
    let rows = "run,schedule,seed,epoch,acc\n\
        x,cosine,0,1,0.5\nx,cosine,0,2,0.9\nx,cosine,0,3,0.7\n\
        y,linear,0,1,0.6\ny,linear,0,2,0.6\ny,linear,0,3,0.8\n";
    let (last, said) = table(rows, &[]);
    assert!(said.contains("the last row of each run"), "{said}");
    assert_eq!(last["mean_ranks"]["linear"], 1.0);
    let (best, said) = table(rows, &["--row", "best"]);
    assert!(said.contains("too good by chance"), "{said}");
    assert_eq!(best["mean_ranks"]["cosine"], 1.0);

    // A rate by step is no setting.
    let decay = rows.replacen("acc", "acc,lr", 1);
    let decay = decay.replace('\n', ",0.1\n");
    let decay = decay.replacen("acc,lr,0.1", "acc,lr", 1);
    let decay = decay.replace("2,0.9,0.1", "2,0.9,0.05");
    let (best, _) = table(&decay, &["--row", "best"]);
    assert_eq!(best["mean_ranks"]["cosine"], 1.0);
    assert_eq!(best["mean_ranks"]["linear"], 2.0);

    // At 0.1 seed 0 of cosine is lucky: its rate is chosen on seed 1.
    let rates = "schedule,seed,lr,loss\n\
        cosine,0,0.1,0.1\ncosine,1,0.1,3\ncosine,0,0.01,1\ncosine,1,0.01,1\n\
        linear,0,0.1,2\nlinear,1,0.1,2\nlinear,0,0.01,2\nlinear,1,0.01,2\n";
    let (_, said) = table(rates, &[]);
    assert!(said.contains("chosen on other seeds"), "{said}");
    let folder = folder_with("");
    fs::write(folder.path().join("t.csv"), rates).expect("writable");
    let found = runs(&[&folder.path().join("t.csv").to_string_lossy()]);
    assert_eq!(
        found,
        ["t cosine 0 1", "t cosine 1 3", "t linear 0 2", "t linear 1 2"]
    );
    let (each, said) = table(rates, &["--lr", "each"]);
    assert!(said.contains("each of 2 rates by itself"), "{said}");
    assert_eq!(each["n"], 1);
    // Each rate is a run, though an epoch is in the table.
    let epochs = rates.replace("lr,loss", "lr,epoch,loss");
    let epochs =
        epochs.replace(",0.1,", ",0.1,9,").replace(",0.01,", ",0.01,9,");
    let (_, said) = table(&epochs, &[]);
    assert!(said.contains("the best of 2 rates"), "{said}");
    // Our own columns do not make it another table.
    let ours = rates.replace("\ncos", "\nw,cos").replace("\nlin", "\nw,lin");
    let (_, said) = table(&format!("workload,{ours}"), &["--score", "loss"]);
    assert!(said.contains("the best of 2 rates"), "{said}");

    let alone: Vec<&str> = rates.lines().collect();
    let alone = [alone[0], alone[1], alone[3], alone[5], alone[7]].join("\n");
    let (_, said) = table(&alone, &[]);
    assert!(said.contains("too good by chance"), "{said}");
}

#[test]
fn rates_of_a_random_search_are_chosen_where_they_were_tried() {
    let folder = folder_with("");
    let path = folder.path().join("t.csv");
    let file = path.to_string_lossy();
    let search = "schedule,seed,lr,loss\n\
        cosine,0,0.1,4\ncosine,0,0.2,2\ncosine,1,0.3,3\ncosine,1,0.4,1\n\
        linear,0,0.1,5\nlinear,0,0.2,6\nlinear,1,0.3,7\nlinear,1,0.4,8\n";
    fs::write(&path, search).expect("writable");
    assert_eq!(
        runs(&[&file]),
        ["t cosine 0 2", "t cosine 1 1", "t linear 0 5", "t linear 1 7"]
    );
    let (_, said) = table(search, &[]);
    assert!(said.contains("for 4 of 4 runs chosen on the run"), "{said}");
    // 0.4 would be the best of seed 1, and only 0.2 is in both.
    let overlap = search.replace("1,0.3,", "1,0.2,");
    fs::write(&path, &overlap).expect("writable");
    assert_eq!(
        runs(&[&file]),
        ["t cosine 0 2", "t cosine 1 3", "t linear 0 6", "t linear 1 7"]
    );
    // A run without a rate is none that was chosen, and hides nothing.
    let (_, said) = table(&format!("{overlap}step,0,,1\nstep,1,,1\n"), &[]);
    assert!(said.contains("chosen on other seeds than it is"), "{said}");
    let text = "schedule,seed,lr,loss\nnone,0,,1\ncosine,0,0.1,1\n\
        linear,0,0.2,2\n";
    let (_, said) = table(text, &[]);
    assert!(said.contains("the schedules ran at different rates"), "{said}");
}

#[test]
fn names_that_may_mean_the_same_are_named() {
    let rows = |names: [&str; 4]| {
        let rows = names.iter().enumerate().map(|(i, name)| {
            format!("{},{name},{},{i}\n", ["a", "b"][i / 2], i % 2)
        });
        let header = "dataset,schedule,seed,val_loss\n";
        let text = header.to_owned() + &rows.collect::<String>();
        let folder = folder_with("");
        fs::write(folder.path().join("t.csv"), text).expect("writable");
        said(folder.path(), &["import", "t.csv"]).1
    };
    let said = rows(["cosine", "Cosine", "linear", "step"]);
    assert!(said.contains("the schedules `Cosine` and `cosine` are not"));
    let said = rows(["CosineAnnealingLR", "a", "cosine_annealing", "b"]);
    assert!(said.contains("`CosineAnnealingLR` and `cosine_annealing`"));
    let said = rows(["linear", "linear-warmup", "poly 1.0", "poly 10"]);
    assert!(!said.contains("not counted as one"), "{said}");
}

#[test]
fn a_table_of_runs_is_no_history_of_keras() {
    let (ranked, said) = table(
        "lr_scheduler,dataset,loss,val_loss\ncosine,a,1,1\nlinear,a,2,2\n\
         cosine,b,1,1\nlinear,b,2,2\n",
        &[],
    );
    assert!(said.starts_with("table, 1 file, 4 rows"), "{said}");
    assert_eq!(ranked["n"], 2);
}

#[test]
fn imports_of_both_directions_want_a_decision() {
    let folder = folder_with("");
    let table = "workload,schedule,seed,score,better,source,source_hash\n\
        a,cosine,0,1,higher,x,0\na,linear,0,2,higher,x,0\n";
    fs::write(folder.path().join("a.csv"), table).expect("writable");
    let other = table.replace("higher", "lower").replace("\na", "\nb");
    fs::write(folder.path().join("b.csv"), other).expect("writable");
    let run = lrscout(folder.path()).args(["rank", "a.csv", "b.csv"]).assert();
    let run = run.code(65);
    let text = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
    assert!(text.contains("decide with `--higher` or `--lower`"), "{text}");
    said(folder.path(), &["rank", "a.csv", "b.csv", "--higher"]);
}

#[test]
fn the_infinity_of_mlflow_is_a_divergence() {
    let text = "run_id,params.schedule,params.seed,metrics.val_loss\n\
        a,cosine,0,1.7976931348623157e+308\nb,linear,0,0.3\n";
    let (ranked, said) = table(text, &[]);
    assert!(said.starts_with("mlflow, 1 file, 2 rows"), "{said}");
    assert_eq!(ranked["diverged"], json!({"cosine": 1, "linear": 0}));
}

#[test]
fn holes_are_counted_in_the_first_line() {
    let folder = folder_with("");
    let text = "dataset,schedule,seed,val_loss\n\
        a,cosine,0,1\na,linear,0,2\nb,cosine,0,1\nb,linear,0,2\nc,cosine,0,1\n\
        d,linear,0,1\nd,cosine,0,2\n";
    fs::write(folder.path().join("t.csv"), text).expect("writable");
    let (out, _) = said(folder.path(), &["rank", "t.csv"]);
    let first = out.lines().next().expect("a line");
    assert_eq!(
        first,
        "1 of 8 cells (a schedule on a workload) have no result."
    );
}

#[test]
fn report_diff_and_recommend_take_imported_tables() {
    let folder = folder_with("");
    for name in ["a.csv", "b.csv"] {
        let copy = folder.path().join(name);
        fs::copy(made("wandb/runs/export.csv"), copy).expect("a copy");
    }
    let (out, _) = said(folder.path(), &["recommend", "a.csv"]);
    assert!(out.contains("`cosine`"), "{out}");
    let (out, _) = said(folder.path(), &["diff", "a.csv", "b.csv"]);
    assert!(out.contains("6 runs in A, 6 in B"), "{out}");
    let (out, _) = said(folder.path(), &["report", "a.csv"]);
    let pages: Vec<PathBuf> = out.lines().map(PathBuf::from).collect();
    let page = fs::read_to_string(folder.path().join(&pages[1]));
    let page = page.expect("a report");
    assert!(page.contains("imported from a.csv"), "{page}");
    assert!(folder.path().join("a.report.html").is_file());

    // Ours: a folder or its file.
    let ours = LOSS.replacen(",loss", ",valid_loss", 1);
    fs::write(folder.path().join("runs.csv"), ours).expect("writable");
    for args in [
        &["rank", "."][..],
        &["recommend", "."],
        &["recommend", "runs.csv"],
        &["report", "runs.csv"],
        &["diff", ".", "runs.csv"],
    ] {
        said(folder.path(), args);
    }
}

#[test]
fn a_file_or_pattern_leaves_the_reports_of_folders_alone() {
    let folder = folder_with("");
    let at = |name: &str| folder.path().join(name);
    let ours = LOSS.replacen(",loss", ",valid_loss", 1);
    for name in ["mine", "p"] {
        fs::create_dir(at(name)).expect("writable");
    }
    for name in ["mine.csv", "mine/runs.csv", "p/a.csv"] {
        fs::write(at(name), &ours).expect("writable");
    }
    said(folder.path(), &["report", "mine"]);
    let before = fs::read(at("mine/report.html")).expect("a report");
    let files = |args: &[&str]| -> Vec<PathBuf> {
        let (out, _) = said(folder.path(), &[&["report"], args].concat());
        out.lines().map(|line| at(line.trim_start_matches("./"))).collect()
    };
    let of = |stem: &str| -> [PathBuf; 2] {
        ["html", "md"].map(|end| at(&format!("{stem}.report.{end}")))
    };
    let by_file = files(&["mine.csv"]);
    assert_eq!(by_file, of("mine"));
    assert_eq!(files(&["p/*.csv"]), of("p"));
    assert_eq!(files(&["p/?.csv"]), of("p"));
    assert_eq!(files(&["m?ne/runs.csv"]), of("m-ne-runs"));
    assert_eq!(files(&["?ine.csv", "--higher"]), of("ine"));
    let after = fs::read(at("mine/report.html")).expect("a report");
    assert_eq!(before, after);
    // The options are heard: of higher scores the other schedule is best.
    let page = |path: &Path| fs::read_to_string(path).expect("a report");
    assert_ne!(page(&by_file[1]), page(&of("ine")[1]));
}

#[test]
fn recommend_takes_the_columns_of_a_table() {
    let folder = folder_with("");
    let text = "place,a.schedule,b.schedule,lucky,val_loss,goodness\n\
        x,cosine,linear,0,1,1\nx,linear,cosine,0,2,2\n\
        y,cosine,linear,0,1,1\ny,linear,cosine,0,2,2\n";
    fs::write(folder.path().join("t.csv"), text).expect("writable");
    let best = |args: &str| {
        let more: Vec<&str> = args.split(' ').collect();
        let args = [&["recommend", "--format=json", "t.csv"], &more[..]];
        let (out, _) = said(folder.path(), &args.concat());
        let advice: Value = serde_json::from_str(&out).expect("JSON");
        let headline = advice["headline"].as_str().expect("a headline");
        headline.split('`').nth(1).expect("a schedule").to_owned()
    };
    let named = "--workload-column place --seed lucky --schedule";
    assert_eq!(best(&format!("{named} a.schedule")), "cosine");
    assert_eq!(best(&format!("{named} b.schedule")), "linear");
    let score = "--score goodness --higher --workload y";
    assert_eq!(best(&format!("{named} a.schedule {score}")), "linear");

    let refused = |args: &[&str]| {
        let args = [&["recommend"], args].concat();
        let run = lrscout(folder.path()).args(args).assert().code(65);
        String::from_utf8_lossy(&run.get_output().stderr).into_owned()
    };
    let said = refused(&["--score", "loss"]);
    assert!(said.contains("those of a table: name it"), "{said}");
    let twice = "a.task,b.task,schedule,val_loss\nx,y,cosine,1\n";
    fs::write(folder.path().join("t.csv"), twice).expect("writable");
    let said = refused(&["t.csv"]);
    assert!(said.ends_with("name one with `--workload-column`\n"), "{said}");
}

#[test]
fn a_run_that_two_files_have_is_told_with_both_places() {
    let folder = folder_with("");
    let put = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().expect("a folder")).expect("writable");
        fs::write(file, text).expect("writable");
    };
    let head = "task,schedule,seed,loss\n";
    put("both/p.csv", &format!("{head}w,x,0,1\nw,y,0,2\n"));
    put("both/q.csv", &format!("{head}w,z,0,1\nw,y,1,2\nw,y,0,3\n"));
    // Ours, in one file.
    let ours = head.replace("task", "workload").replace("loss", "valid_loss");
    put("ours/runs.csv", &format!("{ours}w,x,0,1\nw,y,0,2\nw,y,0,3\n"));
    for (dir, file, first) in [
        ("both", "both/q.csv:4:1", "line 3 of both/p.csv;"),
        ("ours", "ours/runs.csv:4:1", "line 3;"),
    ] {
        for args in [
            &["rank", dir][..],
            &["recommend", dir],
            &["report", dir],
            &["diff", dir, dir],
        ] {
            let run = lrscout(folder.path()).args(args).assert().code(65);
            let error = String::from_utf8_lossy(&run.get_output().stderr);
            let wanted = format!(
                "{file}: schedule `y` with seed 0 on workload `w` is already \
                 in {first}"
            );
            assert!(error.contains(&wanted), "{args:?}: {error}");
        }
    }
}

#[test]
fn an_event_file_that_is_still_written_is_read_to_its_end() {
    let folder = folder_with("");
    let event =
        "tensorboard/runs/torch/cosine-0/events.out.tfevents.1700000000.host";
    let mut bytes = fs::read(made(event)).expect("an event file");
    bytes.truncate(bytes.len() - 5);
    let run = folder.path().join("out/cosine-3");
    fs::create_dir_all(&run).expect("writable");
    fs::write(run.join("events.out.tfevents.1"), bytes).expect("writable");
    // Without scalars: the writer of a version only.
    let start = fs::read(made(event)).expect("an event file")[..40].to_vec();
    fs::write(run.join("events.out.tfevents.0"), start).expect("writable");
    let out = folder.path().join("out").to_string_lossy().into_owned();
    let found = runs(&[&out, "--path", "{schedule}-{seed}"]);
    let wanted = format!("all cosine 3 {}", f64::from(0.3_f32));
    assert_eq!(found, [wanted]);
}

/// Twenty and more files that cannot be ranked, and what is said.
#[test]
fn broken_and_foreign_files_are_refused_with_place_and_remedy() {
    let folder = folder_with("");
    let long = "x".repeat(5000);
    let event = fs::read(made(
        "tensorboard/runs/torch/cosine-0/events.out.tfevents.1700000000.host",
    ));
    let mut event = event.expect("an event file");
    event[100] ^= 1;
    let files: Vec<(&str, Vec<u8>)> = vec![
        ("empty.csv", vec![]),
        ("header.csv", b"workload,schedule,seed,valid_loss\n".to_vec()),
        ("uneven.csv", b"schedule;val_loss\ncosine;1;2\n".to_vec()),
        ("latin.csv", b"schedule,val_loss\n\xe9,1\n".to_vec()),
        ("zip.xlsx", b"PK\x03\x04rest".to_vec()),
        ("frame.parquet", b"PAR1rest".to_vec()),
        ("gzip.csv.gz", b"\x1f\x8brest".to_vec()),
        ("state.pkl", b"\x80\x04rest".to_vec()),
        ("nul.csv", b"a,b\0c\n".to_vec()),
        ("utf16.csv", b"\xff\xfea".to_vec()),
        ("cut.json", b"[{\"schedule\": \"cosine\", \"val_loss\": 1}".to_vec()),
        ("word.json", b"{\"schedule\": oops}".to_vec()),
        ("numbers.json", b"[1, 2, 3]".to_vec()),
        ("uneven.json", b"{\"lr\": [1, 2], \"loss\": [1]}".to_vec()),
        ("deep.json", "[".repeat(10_000).into_bytes()),
        ("no-schedule.csv", b"seed,val_loss\n0,1\n".to_vec()),
        ("no-score.csv", b"schedule,seed\ncosine,0\n".to_vec()),
        ("train.csv", b"schedule,seed,train_loss\ncosine,0,1\n".to_vec()),
        (
            "two-scores.csv",
            b"schedule,seed,val_acc,val_f1\ncosine,0,1,1\n".to_vec(),
        ),
        (
            "two-schedules.csv",
            b"a.schedule,b.schedule,val_loss\ncosine,linear,1\n".to_vec(),
        ),
        ("seed.csv", b"schedule,seed,val_loss\ncosine,x,1\n".to_vec()),
        ("outcome.csv", b"schedule,outcome,val_loss\ncosine,huh,1\n".to_vec()),
        (
            "budget.csv",
            b"schedule,budget,val_loss\ncosine,long,1\nlinear,9,2\n".to_vec(),
        ),
        ("long.csv", format!("{long},b\n1,2\n").into_bytes()),
        ("long.json", format!("{{\"a\": {long}}}").into_bytes()),
        ("events.out.tfevents.1", event),
        ("other.db", b"SQLite format 3\0 and nothing else".to_vec()),
    ];
    let mut text = String::new();
    for (name, bytes) in &files {
        fs::write(folder.path().join(name), bytes).expect("writable");
        let run = lrscout(folder.path()).args(["rank", name]).assert();
        let run = run.code(65);
        let said = String::from_utf8_lossy(&run.get_output().stderr);
        // What was understood may stand before.
        let said = said.lines().last().unwrap_or_default().to_owned() + "\n";
        // Those without SQLite say so.
        if *name == "other.db" {
            assert!(said.starts_with("error: other.db: "), "{said}");
            continue;
        }
        assert!(said.starts_with(&format!("error: {name}:")), "{said}");
        assert!(said.len() < 500, "{said}");
        text.push_str(&said);
    }
    for args in [
        &["rank", "none/*.csv"][..],
        &["rank", "seed.csv", "--workload", "dataset"],
        &["rank", "seed.csv", "--path", "{a"],
        &["rank", "seed.csv", "--row", "best", "--score", "seed"],
        &["rank", "two-scores.csv", "--from", "mlflow", "--score", "zzz"],
    ] {
        let run = lrscout(folder.path()).args(args).assert().code(65);
        let said = String::from_utf8_lossy(&run.get_output().stderr);
        text.push_str(said.lines().last().unwrap_or_default());
        text.push('\n');
    }
    insta::assert_snapshot!(text);
}
