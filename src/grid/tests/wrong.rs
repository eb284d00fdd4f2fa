//! What is refused, and in which words.

#![expect(clippy::too_many_lines, reason = "tables of cases")]

use super::*;

/// Each case: a line of the valid grid, what stands there instead, and the
/// complaint after the file's name.
fn check(cases: &[(usize, &str, &str)]) {
    for &(line, new, complaint) in cases {
        let error = parse(&with(line, new)).expect_err(new);
        assert!(matches!(error, Error::Input { .. }), "{new}");
        assert_eq!(
            error.to_string(),
            format!("grid.toml:{complaint}"),
            "{new}"
        );
    }
}

#[test]
fn the_head() {
    check(&[
        (
            1,
            "sedes = 3",
            "1:1: unknown key `sedes` in the head of the file, did you mean \
             `seeds`?",
        ),
        (
            1,
            "seeds = 0",
            "1:9: `seeds` is 0, a ranking needs at least 1 and better 5",
        ),
        (
            1,
            "seeds = []",
            "1:9: `seeds` is empty, give a count such as 5, or a list such \
             as [1, 2, 3]",
        ),
        (
            1,
            "seeds = -1",
            "1:9: `seeds` must be a whole number from 1 to 1000000, got -1",
        ),
        (
            1,
            "seeds = \"3\"",
            "1:9: `seeds` must be a count of at least 1, or a list of \
             different seeds, got the string \"3\"",
        ),
        (
            1,
            "seeds = 2.5",
            "1:9: `seeds` must be a count of at least 1, or a list of \
             different seeds, got 2.5",
        ),
        (
            1,
            "seeds = [1, 2, 1]",
            "1:16: 1 stands twice in `seeds`, leave one out",
        ),
        (
            1,
            "seeds = [1, -2]",
            "1:13: `seeds` must be a list of whole numbers from 0, got -2",
        ),
        (
            1,
            "seeds = 99999999999999999999",
            "1:9: `99999999999999999999` is out of range, a whole number \
             here is at most 9223372036854775807",
        ),
        (
            1,
            "seeds = 1000001",
            "1:9: `seeds` must be a whole number from 1 to 1000000, got \
             1000001",
        ),
        (1, "title = 3", "1:9: `title` must be a string, got 3"),
        (
            1,
            "jobs = 0",
            "1:8: `jobs` must be \"auto\" or a number of runs at once from \
             1 to 4096, got 0",
        ),
        (
            1,
            "jobs = \"all\"",
            "1:8: `jobs` must be \"auto\" or a number of runs at once from \
             1 to 4096, got the string \"all\"",
        ),
        (
            1,
            "steps = 100",
            "1:1: unknown key `steps` in the head of the file, here it is \
             `budgets`, a list of steps such as [1000]",
        ),
        (
            1,
            "learning_rate = 0.1",
            "1:1: unknown key `learning_rate` in the head of the file, here \
             it is `lr` in `[[workload]]`, where it is known; else it is \
             found",
        ),
        (
            1,
            "epochs = 3",
            "1:1: unknown key `epochs` in the head of the file, here it is \
             `budgets`, in steps such as [1000] or as [\"10 epochs\"]",
        ),
        (
            1,
            "batch = 64",
            "1:1: unknown key `batch` in the head of the file, use a table \
             `[[workload]]`",
        ),
        (
            2,
            "",
            "1:1: the grid has no `budgets`, add a list of run lengths in \
             steps such as `budgets = [250, 1000]`",
        ),
        (
            2,
            "budgets = 300",
            "2:11: `budgets` must be a list of run lengths in steps such as \
             [250, 1000], got 300",
        ),
        (
            2,
            "budgets = []",
            "2:11: `budgets` is empty, give at least one run length in \
             steps such as [1000]",
        ),
        (
            2,
            "budgets = [100, 5]",
            "2:17: a budget of 5 steps is too short for any schedule, give \
             at least 10",
        ),
        (
            2,
            "budgets = [100, 250, 100]",
            "2:22: 100 stands twice in `budgets`, leave one out",
        ),
        (
            2,
            "budgets = [1e3]",
            "2:12: `budgets` must be a list of whole numbers from 10 to \
             10000000, got 1000.0",
        ),
        (
            2,
            "budgets = [100000000]",
            "2:12: `budgets` must be a list of whole numbers from 10 to \
             10000000, got 100000000",
        ),
        (
            1,
            "lr_multiples = 2",
            "1:16: `lr_multiples` must be a list of factors such as [0.5, \
             1, 2], got 2",
        ),
        (
            1,
            "lr_multiples = [1, 0]",
            "1:20: `lr_multiples` must be a list of finite factors above 0 \
             such as [0.5, 1, 2], got 0",
        ),
        (
            1,
            "lr_multiples = [1, inf]",
            "1:20: `lr_multiples` must be a list of finite factors above 0 \
             such as [0.5, 1, 2], got inf",
        ),
        (
            1,
            "lr_multiples = [nan]",
            "1:17: `lr_multiples` must be a list of finite factors above 0 \
             such as [0.5, 1, 2], got NaN",
        ),
        (
            1,
            "lr_multiples = [1, 1.0]",
            "1:20: 1 stands twice in `lr_multiples`, leave one out",
        ),
        (
            1,
            "lr_multiples = [1e999]",
            "1:17: `1e999` is out of range, a number here is at most 1e308",
        ),
        (
            1,
            "control = \"cosin\"",
            "1:11: unknown schedule `cosin` in `control`, did you mean \
             `cosine`?",
        ),
        (
            1,
            "control = \"rex\"",
            "1:11: unknown schedule `rex` in `control`, expected `linear` \
             or `cosine`",
        ),
        (
            1,
            "control = 1",
            "1:11: `control` must be the label or kind of a schedule, got 1",
        ),
        (
            1,
            "device = \"gpu\"",
            "1:10: unknown device `gpu`, did you mean `cpu`?",
        ),
        (
            1,
            "device = \"cuda:x\"",
            "1:10: unknown device `cuda:x`, did you mean `cuda:0`?",
        ),
        (
            1,
            "device = 0",
            "1:10: `device` must be `cpu`, `cuda`, `cuda:0`, `metal` or \
             `auto`, got 0",
        ),
        (
            1,
            "\"seeds\" = 3\n\"\" = 2",
            "2:1: unknown key `` in the head of the file, expected `title`, \
             `seeds`, `jobs`, `budgets`, `lr_multiples`, `control`, `race`, \
             `device`, `lr_find`, `workload` or `schedule`",
        ),
        (
            1,
            "[workload]",
            "3:3: not valid TOML: duplicate key; keep one (repeated tables \
             have headers in double brackets, as in `[[workload]]`)",
        ),
        (
            1,
            "workload = [1]",
            "3:3: not valid TOML: duplicate key; keep one (repeated tables \
             have headers in double brackets, as in `[[workload]]`)",
        ),
        (
            1,
            "control = \"linear\"\nworkload = []",
            "4:3: not valid TOML: duplicate key; keep one (repeated tables \
             have headers in double brackets, as in `[[workload]]`)",
        ),
    ]);
}

#[test]
fn the_range_test() {
    check(&[
        (
            2,
            "budgets = [100]\nlr_find = 3",
            "3:11: `lr_find` must be a table `[lr_find]`, got 3",
        ),
        (
            2,
            "budgets = [100]\n[lr_find]\nsteep = 3",
            "4:1: unknown key `steep` in `[lr_find]`, expected `per`, \
             `seeds`, `verify`, `trainings`, `from`, `to`, `steps`, `ladder`, `on` or \
             `rule`",
        ),
        (
            2,
            "budgets = [100]\n[lr_find]\nper = \"budgets\"",
            "4:7: unknown value `budgets` in `per`, did you mean `budget`?",
        ),
        (
            2,
            "budgets = [100]\n[lr_find]\nseeds = 0",
            "4:9: `seeds` must be a whole number from 1 to 100, got 0",
        ),
        (
            2,
            "budgets = [100]\n[lr_find]\nverify = 1",
            "4:10: `verify` must be `true` or `false`, got 1",
        ),
        (
            2,
            "budgets = [100]\n[lr_find]\nfrom = 0",
            "4:8: `from` must be a learning rate above 0, at most 1000000, \
             got 0",
        ),
        (
            2,
            "budgets = [100]\n[lr_find]\nfrom = 1\nto = 0.1",
            "5:6: `to` must be above `from`, got 0.1 for a range from 1",
        ),
        (
            2,
            "budgets = [100]\n[lr_find]\nsteps = 5",
            "4:9: `steps` must be a whole number from 10 to 100000, got 5",
        ),
        (
            2,
            "budgets = [100]\n[lr_find]\nladder = \"log\"",
            "4:10: unknown value `log` in `ladder`, expected `exponential` \
             or `linear`",
        ),
    ]);
}

#[test]
fn tables_and_toml() {
    check(&[
        (
            3,
            "[workload]",
            "3:1: `workload` must be tables, each under its header \
             `[[workload]]`, got a table",
        ),
        (
            6,
            "[schedule]",
            "8:3: not valid TOML: duplicate key; keep one (repeated tables \
             have headers in double brackets, as in `[[workload]]`)",
        ),
        (
            6,
            "[[schedule]]\nkind = \"rex\"\n[[shedule]]",
            "8:3: unknown key `shedule` in the head of the file, did you \
             mean `schedule`?",
        ),
        (
            7,
            "",
            "6:1: this schedule has no `kind`, name one: constant, linear, \
             polynomial, cosine, k-decay, one-minus-sqrt, exponential, \
             inverse-time, inverse-sqrt, step, wsd, knee, rex, one-cycle, \
             triangular, cyclical, sgdr, tanh, noam, piecewise, table, \
             refined, plateau",
        ),
        (
            3,
            "[[schedule]]",
            "1:1: the grid has no workload, add a table `[[workload]]` with \
             `model = \"mlp\"` and `dataset = \"letter\"`",
        ),
    ]);
}

#[test]
fn models() {
    check(&[
        (4, "model = \"mpl\"", "4:9: unknown model `mpl`, did you mean `mlp`?"),
        (
            4,
            "model = \"gan\"",
            "4:9: unknown model `gan`, expected `mlp`, `cnn`, `resnet` or \
             `transformer`",
        ),
        (
            4,
            "",
            "3:1: this workload has no `model`, name one, as in `model = \
             \"mlp\"`",
        ),
        (
            4,
            "model = []",
            "4:9: the list of models is empty, name at least one",
        ),
        (
            4,
            "model = 3",
            "4:9: a model is a name or a table such as { kind = \"mlp\" }, \
             got 3",
        ),
        (
            4,
            "modle = \"mlp\"",
            "4:1: unknown key `modle` in `[[workload]]`, did you mean \
             `model`?",
        ),
        (
            4,
            "model = { hidden = [64] }",
            "4:9: this model has no `kind`, name one: mlp, cnn, resnet, \
             transformer",
        ),
        (4, "model = { kind = 3 }", "4:18: `kind` must be a string, got 3"),
        (
            4,
            "model = { kind = \"mlp\", widths = [64] }",
            "4:25: unknown key `widths` in model `mlp`, expected `kind` or \
             `hidden`",
        ),
        (
            4,
            "model = { kind = \"mlp\", hidden = 64 }",
            "4:34: `hidden` must be a list of whole numbers such as [64, \
             32], got 64",
        ),
        (
            4,
            "model = { kind = \"mlp\", hidden = [64, \"32\"] }",
            "4:39: `hidden` must be a list of whole numbers such as [64, \
             32], got the string \"32\" in it",
        ),
        (
            4,
            "model = { kind = \"mlp\", hidden = [64, 0] }",
            "4:34: every entry of `hidden` must be from 1 to 16384, got 0",
        ),
        (
            4,
            "model = { kind = \"mlp\", hidden = [[64], 32] }",
            "4:41: `hidden` must be a list of whole numbers such as [64, \
             32], got 32",
        ),
        (
            4,
            "model = { kind = \"mlp\", hidden = [100000] }",
            "4:34: every entry of `hidden` must be from 1 to 16384, got \
             100000",
        ),
        (
            4,
            "model = \"cnn\"",
            "4:9: model `cnn` needs pictures or signals, but `letter` has \
             rows of features, which want `mlp`",
        ),
        (
            4,
            "model = \"resnet\"",
            "4:9: model `resnet` needs pictures, but `letter` has rows of \
             features, which want `mlp`",
        ),
        (
            4,
            "model = \"transformer\"",
            "4:9: model `transformer` needs text, but `letter` has rows of \
             features, which want `mlp`",
        ),
        (
            4,
            "model = { kind = \"transformer\", width = 65 }",
            "4:41: `width` must be a multiple of `heads`, got 65 for 4 \
             heads; the next is 68",
        ),
        (
            4,
            "model = { kind = \"transformer\", heads = 0 }",
            "4:41: `heads` must be from 1 to 64, got 0",
        ),
    ]);
}

#[test]
fn optimizers() {
    check(&[
        (
            4,
            "model = \"mlp\"\noptimizer = \"adam\"",
            "5:13: unknown optimizer `adam`, did you mean `adamw`?",
        ),
        (
            4,
            "model = \"mlp\"\noptimizer = { kind = \"sgd\", lr = 0.1 }",
            "5:29: unknown key `lr` in optimizer `sgd`, here it is `lr` in \
             `[[workload]]`, where it is known; else it is found",
        ),
        (
            4,
            "model = \"mlp\"\noptimizer = { kind = \"sgd\", momentum = 1 }",
            "5:40: `momentum` must be from 0, below 1, got 1",
        ),
        (
            4,
            "model = \"mlp\"\noptimizer = { kind = \"sgd\", momentum = 0, \
             nesterov = true }",
            "5:54: `nesterov` looks ahead along the momentum, give a \
             `momentum` above 0 or leave it out",
        ),
        (
            4,
            "model = \"mlp\"\noptimizer = { kind = \"adamw\", beta1 = [] }",
            "5:39: `beta1` has no values, give at least one or leave the \
             key out",
        ),
        (
            4,
            "model = \"mlp\"\noptimizer = { kind = \"sgd\", nesterov = 1 }",
            "5:40: `nesterov` must be `true` or `false`, got 1",
        ),
        (
            4,
            "model = \"mlp\"\noptimizer = { kind = \"sgd\", clip_norm = 0 }",
            "5:41: `clip_norm` must be above 0, got 0",
        ),
        (
            4,
            "model = \"mlp\"\noptimizer = { kind = \"sgd\", weight_decay = \
             inf }",
            "5:44: `weight_decay` must be a finite number, got inf",
        ),
        (
            4,
            "model = \"mlp\"\noptimizer = [{ kind = \"sgd\" }, { kind = \
             \"sgd\", momentum = 0.5 }]",
            "3:1: the lists of this workload make `letter-mlp` twice, tell \
             them apart: `name = \"{dataset}-{model}-{optimizer}\"`",
        ),
    ]);
}

#[test]
fn workloads() {
    check(&[
        (
            4,
            "model = \"mlp\"\nbatch = 0",
            "5:9: `batch` must be a whole number from 1 to 1000000, got 0",
        ),
        (
            4,
            "model = \"mlp\"\nbatch = []",
            "5:9: `batch` has no values, give at least one or leave the key \
             out",
        ),
        (
            4,
            "model = \"mlp\"\nbatch = [32, 64]",
            "3:1: the lists of this workload make `letter-mlp` twice, tell \
             them apart: `name = \"{dataset}-{model}-{batch}\"`",
        ),
        (
            4,
            "model = \"mlp\"\nlabel_noise = 1",
            "5:15: `label_noise` must be a share of the training labels \
             from 0, below 1, got 1",
        ),
        (
            4,
            "model = \"mlp\"\nlabel_noise = -0.1",
            "5:15: `label_noise` must be a share of the training labels \
             from 0, below 1, got -0.1",
        ),
        (
            4,
            "model = \"mlp\"\nname = \"{data}\"",
            "5:8: unknown placeholder `data` in `name`, expected `dataset`, \
             `model`, `optimizer`, `lr`, `batch` or `label_noise`",
        ),
        (
            4,
            "model = \"mlp\"\nname = \"a/b\"",
            "5:8: `a/b` cannot be the name of a workload, which is also a \
             file name: it must not contain any of / \\ : * ? \" < > | { }",
        ),
        (
            4,
            "model = \"mlp\"\nname = \"\"",
            "5:8: `` cannot be the name of a workload, which is also a file \
             name: it must not be empty or begin or end with a space",
        ),
        (
            4,
            "model = \"mlp\"\nname = \"..\"",
            "5:8: `..` cannot be the name of a workload, which is also a file \
             name: it must not begin or end with a dot",
        ),
        (
            4,
            "model = \"mlp\"\nfingerprint = [\"train.py\"]",
            "5:1: unknown key `fingerprint` in `[[workload]]`, it goes with \
             `command`, which this workload lacks",
        ),
        (
            4,
            "model = \"mlp\"\nseeds = 4",
            "5:1: unknown key `seeds` in `[[workload]]`, it belongs to the \
             top of the file, before the first table",
        ),
        (
            4,
            "model = \"mlp\"\ncluster = 3",
            "5:11: `cluster` must be a string, got 3",
        ),
        (
            4,
            "model = \"mlp\"\nname = \"{x\"\nbatch = 1e3",
            "6:9: `batch` must be a whole number from 1 to 1000000, got \
             1000.0",
        ),
    ]);
}

#[test]
fn data_sets() {
    check(&[
        (
            4,
            "model = \"mlp\"\nname = \"{dataset\"",
            "5:8: `name` has a `{` without its `}`, placeholders look like \
             `{dataset}`",
        ),
        (
            5,
            "dataset = \"leter\"",
            "5:11: unknown data set `leter`, did you mean `letter`?",
        ),
        (
            5,
            "dataset = \"words\"",
            "4:9: model `mlp` needs inputs of a fixed size, but `words` has \
             text, which wants `transformer`",
        ),
        (
            5,
            "dataset = \"diamonds\"\nlabel_noise = 0.1",
            "6:15: `label_noise` swaps classes, but `diamonds` has numbers \
             to predict, leave it out",
        ),
        (
            5,
            "dataset = { kind = \"csv\", file = \"no.csv\", target = \"y\" }",
            "5:34: missing file: `no.csv`; put it there or correct `file` (it \
             is relative to the folder of the grid)",
        ),
        (
            5,
            "dataset = { kind = \"csv\", file = \"no.csv\" }",
            "5:11: data set `csv` needs the key `target`",
        ),
        (
            5,
            "dataset = { kind = \"csv\", file = \"no.csv\", target = \"y\", \
             split = [0.5, 0.5] }",
            "5:66: `split` must leave rows for validation, test and \
             training: two shares above 0 with a sum below 1, as in [0.1, \
             0.2], got [0.5, 0.5]",
        ),
        (
            5,
            "dataset = { kind = \"csv\", file = \"no.csv\", target = \"y\", \
             split = [0.5] }",
            "5:66: `split` must be a list of two shares such as [0.1, 0.2] \
             or [\"10%\", \"20%\"], got a list of one",
        ),
        (
            5,
            "dataset = { kind = \"csv\", file = \"no.csv\", target = \"y\", \
             drop = \"id\" }",
            "5:65: `drop` must be a list of names such as [\"id\"], got the \
             string \"id\"",
        ),
        (
            5,
            "dataset = { kind = \"csv\", file = \"no.csv\", target = \"y\", \
             exclude = [\"id\"] }",
            "5:58: unknown key `exclude` in data set `csv`, here it is \
             `drop`, a list of columns",
        ),
        (
            5,
            "dataset = { kind = \"csv\", file = \"no.csv\", target = \"y\", \
             task = \"regression\" }",
            "5:65: unknown value `regression` in `task`, did you mean \
             `regress`?",
        ),
        (
            5,
            "dataset = { kind = \"teacher-student\", noise = -1 }",
            "5:47: `noise` must be from 0 to 100, got -1",
        ),
        (
            5,
            "dataset = { kind = \"mnist\", dir = \"nowhere\" }",
            "5:35: missing file: `nowhere/train-images-idx3-ubyte`; put it \
             there or correct `dir` (it is relative to the folder of the \
             grid)",
        ),
        (
            5,
            "dataset = \"letter\"\n[[workload]]\nmodel = \"mlp\"\ndataset = \
             \"letter\"\nbatch = 32",
            "6:1: two workloads are called `letter-mlp`, the other is at \
             line 3, column 1; give each its own `name`",
        ),
        (
            5,
            "dataset = 1979-05-27",
            "5:11: no key of a grid takes a date or time, put it in quotes \
             if it is a name",
        ),
        (
            4,
            "model = { kind = \"cnn\", channels = [8, 8, 8, 8] \
             }\n[[workload]]\nmodel = { kind = \"cnn\", channels = [8, 8, \
             8, 8] }\ndataset = \"fashion\"\n[[workload]]\nmodel=\"mlp\"",
            "3:1: this workload has no `dataset`, name one, as in `dataset \
             = \"letter\"`",
        ),
        (
            5,
            "dataset = \"fashion\"\n[[workload]]\nmodel = { kind = \"cnn\", \
             channels = [8, 8, 8, 8] }\ndataset = \"fashion\"",
            "7:9: convolution 4 of `cnn` has nothing left of the 14 points \
             a side of `fashion`, lower `stride`, `pool` or the number of \
             `channels`",
        ),
        (
            5,
            "dataset = \"mnist1d\"\n[[workload]]\nmodel = { kind = \"cnn\", \
             kernels = [3, 3, 3] }\ndataset = \"mnist1d\"",
            "7:35: `kernels` has 3 widths for 2 convolutions, give one, or \
             one for each",
        ),
        (
            5,
            "dataset = { kind = \"text\", file = \"tests\", context = 1 }",
            "5:54: `context` must be from 2 to 4096, got 1",
        ),
        (
            5,
            "dataset = \"letter\"\nlabel_noise = \"100%\"",
            "6:15: `label_noise` must be a share of the training labels \
             from 0, below 1, got the string \"100%\"",
        ),
    ]);
}

#[test]
fn rates_that_are_given() {
    check(&[
        (
            5,
            "dataset = \"letter\"\nlr = 0",
            "6:6: `lr` must be a learning rate above 0, at most 1000000, or a \
             list of them, got 0",
        ),
        (
            5,
            "dataset = \"letter\"\nlr = []",
            "6:6: `lr` has no values, give at least one or leave the key out",
        ),
        (
            5,
            "dataset = \"letter\"\nlr = [0.1, 0.2]",
            "3:1: the lists of this workload make `letter-mlp` twice, tell \
             them apart: `name = \"{dataset}-{model}-{lr}\"`",
        ),
        (
            5,
            "dataset = \"letter\"\nname = \"at-{lr}\"",
            "6:8: the name `at-{lr}` needs `lr`, which this workload lacks: \
             add it, or give a `name` without it",
        ),
    ]);
}

#[test]
fn words_of_other_libraries() {
    check(&[
        (
            5,
            "dataset = \"letter\"\nbatch_size = 32",
            "6:1: unknown key `batch_size` in `[[workload]]`, here it is \
             `batch`",
        ),
        (
            5,
            "dataset = \"letter\"\nweight_decay = 0.1",
            "6:1: unknown key `weight_decay` in `[[workload]]`, here it is a \
             key of the optimizer: `optimizer = { kind = \"adamw\", \
             weight_decay = 0.1 }` in `[[workload]]`",
        ),
        (
            5,
            "dataset = \"letter\"\nmax_steps = 100",
            "6:1: unknown key `max_steps` in `[[workload]]`, here it is \
             `budgets` at the top of the grid, a list of steps such as \
             [1000], or `--steps`",
        ),
        (
            5,
            "dataset = \"letter\"\noptimizer = { kind = \"adamw\", betas = \
             [0.9, 0.95] }",
            "6:31: unknown key `betas` in optimizer `adamw`, here it is \
             `beta1`, and `beta2`",
        ),
        (
            7,
            "kind = \"cosine\"\nwarmup_steps = 10",
            "8:1: unknown key `warmup_steps` in schedule `cosine`, here it \
             is `warmup`, in steps, such as 100, or as a share: \"5%\"",
        ),
        (
            7,
            "kind = \"cosine\"\neta_min = 1e-6",
            "8:1: unknown key `eta_min` in schedule `cosine`, here it is \
             `end_ratio`, a ratio of the peak, not a rate",
        ),
        (
            7,
            "kind = \"ReduceLROnPlateau\"",
            "7:8: unknown schedule `ReduceLROnPlateau`, here it is `kind = \
             \"plateau\"`",
        ),
        (
            7,
            "join = [{ kind = \"rex\", T_max = 10 }]",
            "7:25: unknown key `T_max` in schedule `rex`, here it is \
             `steps`",
        ),
    ]);
}

#[test]
fn schedules() {
    check(&[
        (
            7,
            "kind = \"lineer\"",
            "7:8: unknown schedule `lineer`, did you mean `linear`?",
        ),
        (7, "kind = 3", "7:8: `kind` must be a string, got 3"),
        (
            7,
            "kind = \"linear\"\nend_ration = 0.1",
            "8:1: unknown key `end_ration` in schedule `linear`, did you \
             mean `end_ratio`?",
        ),
        (
            7,
            "kind = \"linear\"\nend_ratio = []",
            "8:13: `end_ratio` has no values, give at least one or leave \
             the key out",
        ),
        (
            7,
            "kind = \"cosine\"",
            "8:1: two schedules are `cosine`, the other is at line 6, \
             column 1; leave one out",
        ),
        (
            7,
            "kind = \"linear\"\nwarmup = 100",
            "8:10: `warmup` is 100 steps, the budget only 100; leave at \
             least one step after the warm-up (at the budget of 100 steps)",
        ),
        (
            7,
            "kind = \"linear\"\nwarmup = \"5\"",
            "8:10: `warmup` takes a whole number of steps or a share of the \
             budget such as \"5%\", not the string \"5\"",
        ),
        (
            7,
            "kind = \"linear\"\nwarmup = -1",
            "8:10: `warmup` takes a whole number of steps or a share of the \
             budget such as \"5%\", not -1",
        ),
        (
            7,
            "kind = \"linear\"\nend_ratio = \"x\"",
            "8:13: `end_ratio` takes a number (also in per cent, as \"20%\"), not \
             the string \"x\"",
        ),
        (
            7,
            "kind = \"linear\"\nend_ratio = 2",
            "8:13: `end_ratio` is 2, it must be from 0 to 1",
        ),
        (
            7,
            "kind = \"step\"\nmilestones = []",
            "8:14: `milestones` is empty, give shares such as [0.5, 0.75]",
        ),
        (
            7,
            "kind = \"step\"\nmilestones = [[0.5], [0.5]]",
            "6:1: the lists of this schedule make `step(milestones=[0.5])` \
             twice, leave one value out",
        ),
        (
            7,
            "kind = \"wsd\"\nshape = \"squared\"",
            "8:9: `shape` takes one of \"linear\", \"one-minus-sqrt\", \
             \"cosine\", \"square\", \"exponential\", not the string \
             \"squared\"",
        ),
        (
            7,
            "kind = \"one-cycle\"\nanneal = \"cosine\"",
            "8:10: `anneal` takes \"cos\" or \"linear\", not the string \
             \"cosine\"",
        ),
        (
            7,
            "kind = \"piecewise\"\npoints = [[0, 1], [1]]",
            "8:10: `points` takes a list of pairs [share, ratio] (also in per \
             cent, as \"20%\"), not a list",
        ),
        (
            7,
            "kind = \"table\"\nfile = \"no.csv\"",
            "8:8: missing file: `no.csv`; put it there or correct `file` (it \
             is relative to the folder of the grid)",
        ),
        (
            7,
            "kind = \"table\"",
            "6:1: `table` needs `file`, a CSV file `step,factor` or a .npy \
             file",
        ),
        (7, "join = []", "7:8: `join` is empty, list the schedules to join"),
        (
            7,
            "join = [{ kind = \"linear\", share = 0.5 }]",
            "7:8: the parts of `join` take 50 steps, the budget is 100; \
             they must fill it exactly (at the budget of 100 steps)",
        ),
        (
            7,
            "join = [{ kind = \"lineer\", share = 1 }]",
            "7:18: unknown schedule `lineer`, did you mean `linear`?",
        ),
        (
            7,
            "join = [{ kind = \"linear\", share = 1 }]\nkind = \"cosine\"",
            "7:8: `join` stands instead of `kind`, leave one out",
        ),
        (
            7,
            "kind = \"linear",
            "7:15: not valid TOML: invalid basic string, expected `\"`",
        ),
        (
            7,
            "kind = \"linear\"\nkind = \"cosine\"",
            "8:1: not valid TOML: duplicate key; keep one (repeated tables \
             have headers in double brackets, as in `[[workload]]`)",
        ),
        (
            7,
            "kind == \"linear\"",
            "7:7: not valid TOML: extra `=`, expected nothing",
        ),
        (
            7,
            "kind = \"linear\"\npower = 2",
            "8:1: schedule `linear` has no key `power`, it belongs to \
             polynomial; leave it out",
        ),
        (
            7,
            "kind = \"table\"\nfile = \".\"",
            "8:8: `.` is a folder, name a file in it",
        ),
        (
            7,
            "join = [{ kind = \"linear\", share = 0.5 }, { kind = \
             \"cosine\", end_ratio = 3, share = 0.5 }]",
            "7:74: `end_ratio` is 3, it must be from 0 to 1",
        ),
        (
            7,
            "join = [{ kind = \"linear\", steps = 50 }, { kind = \
             \"cosine\", steps = 60 }]",
            "7:8: the parts of `join` take 110 steps, the budget is 100; \
             they must fill it exactly (at the budget of 100 steps)",
        ),
        (
            7,
            "join = [{ kind = \"linear\", steps = 50 }, { kind = \
             \"cosine\", share = 0.5, warmup = 60 }]",
            "7:8: part 2 of `join`: `warmup` is 60 steps, the budget only \
             50; leave at least one step after the warm-up (at the budget \
             of 100 steps)",
        ),
        (
            7,
            "join = [{ kind = \"linear\" }]",
            "7:8: part 1 of `join`: it takes either `steps` or `share`",
        ),
        (7, "join = 3", "7:8: `join` takes a list of schedules"),
        (
            7,
            "join = [\"linear\"]",
            "7:9: part 1 of `join`: it takes a table such as { kind = \
             \"linear\", share = 0.5 }",
        ),
        (
            7,
            "join = [{ kind = \"linear\", share = 1, stepz = 2 }]",
            "7:39: unknown key `stepz` in schedule `linear`, did you mean \
             `steps`?",
        ),
        (
            7,
            "kind = \"linear\"\nwarmup_shape = \"cosine\"",
            "8:16: `warmup_shape` needs `warmup`, add it",
        ),
        (
            7,
            "kind = \"linear\"\nwarmup = 1979-05-27",
            "8:10: no key of a grid takes a date or time, put it in quotes \
             if it is a name",
        ),
        (
            7,
            "kind = \"wsd\"\ndecay = [0.2, 0.2]",
            "6:1: the lists of this schedule make `wsd` twice, leave one \
             value out",
        ),
        (
            8,
            "[[schedule]]\nkind = \"linear\"\n[[schedule]]\nkind = \
             \"linear\"\nwarmup = 5\n[control]\nx=1\n[[schedule]]",
            "8:1: two schedules are `linear`, the other is at line 6, \
             column 1; leave one out",
        ),
    ]);
}

#[test]
fn a_grid_too_large_is_refused_before_it_is_made() {
    let many: Vec<String> = (1..=1000).map(|n| n.to_string()).collect();
    let many = many.join(", ");
    let text = with(
        4,
        &format!(
            "model = \"mlp\"\nbatch = [{many}]\noptimizer = {{ kind = \"sgd\", \
             momentum = [{many}] }}\nlabel_noise = [{many}]"
        ),
    );
    let error = parse(&text).expect_err("a thousand million workloads");
    assert_eq!(
        error.to_string(),
        "grid.toml:3:1: the grid has 6000000000 runs (1000000000 workloads x \
         2 schedules x 1 budgets x 1 multiples x 3 seeds), at most 1000000 \
         are allowed; this list is the longest, shorten it"
    );
    // Far beyond what 128 bits can count.
    let keys: Vec<String> = crate::schedule::ScheduleSpec::kinds()[9]
        .keys
        .iter()
        .map(|key| key.name.to_owned())
        .chain((0..60).map(|n| format!("key{n}")))
        .map(|key| format!("{key} = [{many}]"))
        .collect();
    let text = with(9, &format!("kind = \"step\"\n{}", keys.join("\n")));
    let error = parse(&text).expect_err("a thousand to the 60").to_string();
    assert!(error.contains(&u128::MAX.to_string()), "{error}");
    let error = parse(&with(1, "seeds = 1000000")).expect_err("two million");
    assert_eq!(
        error.to_string(),
        "grid.toml:1:9: the grid has 2000000 runs (1 workloads x 2 schedules \
         x 1 budgets x 1 multiples x 1000000 seeds), at most 1000000 are \
         allowed; this list is the longest, shorten it"
    );
}

#[test]
fn deep_nesting_is_refused() {
    for (open, close) in [("[", "]"), ("{ a = ", "}")] {
        let deep = open.repeat(200_000) + &close.repeat(200_000);
        let error = parse(&with(1, &format!("seeds = {deep}")));
        let error = error.expect_err("deep").to_string();
        assert!(error.starts_with("grid.toml:1:"), "{error}");
        assert!(error.contains("max recursion depth"), "{error}");
    }
    let keys = "a.".repeat(100_000);
    let error = parse(&with(1, &format!("{keys}b = 1"))).expect_err("deep");
    assert!(error.to_string().contains("recursion limit"), "{error}");
    let error = parse_schedule(&"[".repeat(100_000)).expect_err("deep");
    assert!(matches!(error, Error::Input { .. }), "{error}");
}

#[test]
fn long_names_are_cut() {
    let text = with(4, &format!("model = \"{}\"", "x".repeat(1_000_000)));
    let error = parse(&text).expect_err("no such model").to_string();
    assert!(error.len() < 200, "{error}");
}

fn load_bytes(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("grid.toml");
    std::fs::write(&path, bytes).expect("written");
    let error = Experiment::load(&path, &Known::default());
    let error = error.expect_err("refused");
    assert!(matches!(error, Error::Input { .. }), "{error}");
    let error = error.to_string();
    let start = error.find("grid.toml:").expect("the file is named");
    error[start..].to_owned()
}

#[test]
fn files_that_are_no_text_are_refused() {
    assert_eq!(
        load_bytes(b""),
        "grid.toml:1:1: the grid has no `budgets`, add a list of run lengths \
         in steps such as `budgets = [250, 1000]`"
    );
    assert_eq!(
        load_bytes(b"seeds = 3\ntitle = \"Gr\xfc\xdfe\"\n"),
        "grid.toml:2:12: byte 0xfc is not UTF-8, save the file as UTF-8"
    );
    assert_eq!(
        load_bytes(&vec![b'#'; (4 << 20) + 1]),
        "grid.toml:1:1: the file is larger than 4194304 bytes, a grid names \
         data files and does not hold them"
    );
    let error = load_bytes(b"seeds = 3\n\0\n");
    assert!(error.starts_with("grid.toml:2:2: not valid TOML: "), "{error}");
}

#[test]
fn what_is_no_file_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let load = |path: &Path| {
        Experiment::load(path, &Known::default()).expect_err("no file")
    };
    let error = load(folder.path());
    assert!(matches!(error, Error::Invalid(_)), "{error}");
    assert!(
        error.to_string().contains("is a folder, name a grid in it"),
        "{error}"
    );
    let error = load(&folder.path().join("none.toml"));
    assert!(matches!(error, Error::Io { .. }), "{error}");
}

#[test]
fn data_files_must_be_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("grid.toml");
    let complaint = |text: &str| {
        let error = Experiment::parse(&path, text, &Known::default());
        let error = error.expect_err(text).to_string();
        error.replace(&folder.path().display().to_string(), "HERE")
    };
    std::fs::create_dir(folder.path().join("sub")).expect("made");
    let file = "sub/train-images-idx3-ubyte";
    std::fs::write(folder.path().join(file), "").expect("written");
    assert_eq!(
        complaint(&with(5, "dataset = { kind = \"mnist\", dir = \"sub\" }")),
        "HERE/grid.toml:5:35: missing file: \
         `HERE/sub/train-labels-idx1-ubyte`; put it there or correct `dir` \
         (it is relative to the folder of the grid)"
    );
    assert_eq!(
        complaint(&with(5, "dataset = { kind = \"text\", file = \"sub\" }")),
        "HERE/grid.toml:5:35: `HERE/sub` is a folder, name a file in it"
    );
    let factors = folder.path().join("f.csv");
    std::fs::write(&factors, "step,factor\n0,1\n1,0.5\n").expect("written");
    let table = with(7, "kind = \"table\"\nfile = \"f.csv\"");
    let error = complaint(&table);
    assert!(error.starts_with("HERE/grid.toml:8:8: "), "{error}");
    assert!(error.contains('2') && error.contains("100"), "{error}");
    std::fs::write(&factors, "step,factor\n0,1\n2,0.5\n").expect("written");
    assert_eq!(
        complaint(&table),
        "HERE/f.csv:3:1: the step of this row must be 1"
    );
    let header = b"{'descr': '<f8', 'shape': (2,)}";
    let mut array = b"\x93NUMPY\x01\x00\x1f\x00".to_vec();
    array.extend(header);
    array.extend([1.0, f64::NAN].map(f64::to_le_bytes).concat());
    std::fs::write(&factors, array).expect("written");
    assert_eq!(
        complaint(&table),
        "HERE/grid.toml:8:8: `file` has NaN at step 1, a factor is 0 or more"
    );
}

#[test]
#[cfg(not(feature = "hub"))]
fn downloads_need_a_binary_that_can() {
    check(&[(
        5,
        "dataset = \"cifar-10\"",
        "5:11: this binary cannot download `cifar-10`, name the folder of its \
         files with `dir`, or build with `--features hub`",
    )]);
}

#[test]
fn programs() {
    let program = "command = [\"sh\"]\nfingerprint = []\n";
    check(&[
        (
            4,
            "command = \"python train.py\"",
            "4:11: `command` must be a list of the program and its \
             arguments, such as [\"python\", \"train.py\", \"--spec\", \
             \"{spec}\"]; no shell reads it, got the string \"python \
             train.py\"",
        ),
        (
            4,
            "command = [\"sh\", 1]",
            "4:18: `command` must be a list of strings, got 1",
        ),
        (
            4,
            "command = [\"\"]",
            "4:11: `command` needs the name of a program, and no NUL in any \
             word",
        ),
        (
            4,
            "command = [\"./train\"]",
            "4:11: missing file: `./train`; put it there or correct `command` \
             (it is relative to the folder of the grid)",
        ),
        (
            4,
            "command = [\"sh\"]",
            "4:11: no word of `command` is a file beside the grid, so changes \
             of the program would not be noticed: list its files in \
             `fingerprint`, or write `fingerprint = []` if there are none",
        ),
        (
            4,
            "command = [\"sh\"]\nfingerprint = []",
            "3:1: the name `{dataset}-{model}` needs `model`, which this \
             workload lacks: add it, or give a `name` without it",
        ),
    ]);
    let cases = [
        (
            "fingerprint = \"train.py\"",
            "5:15: `fingerprint` must be a list of the files that the \
             results depend on, got the string \"train.py\"",
        ),
        (
            "fingerprint = [\"train.py\"]",
            "5:16: missing file: `train.py`; put it there or correct \
             `fingerprint` (it is relative to the folder of the grid)",
        ),
        ("protocol = 2", "6:12: this lrscout supports only protocol 1, got 2"),
        (
            "timeout = \"soon\"",
            "6:11: `timeout` must be a time such as \"20m\", the limit \
             of one training, got the string \"soon\"",
        ),
        (
            "timeout = \"0s\"",
            "6:11: `timeout` must be a time such as \"20m\", the limit \
             of one training, got the string \"0s\"",
        ),
        (
            "model = { kind = \"mlp\" }",
            "6:9: `model` must be a name that the program knows, as its \
             `command` does the training, got a table",
        ),
        ("metric = \"\"", "6:10: `metric` must be a name, got the string \"\""),
        (
            "name = \"{label_noise}\"",
            "6:8: unknown placeholder `label_noise` in `name`, expected \
             `dataset`, `model`, `optimizer`, `lr` or `batch`",
        ),
        (
            "batch = []",
            "6:9: `batch` has no values, give at least one or leave the key \
             out",
        ),
        (
            "label_noise = 0.1",
            "6:1: unknown key `label_noise` in `[[workload]]`, with `command` \
             the program itself decides this: pass it as an argument",
        ),
        (
            "comand = 1",
            "6:1: unknown key `comand` in `[[workload]]`, did you mean \
             `command`?",
        ),
        (
            "seeds = 4",
            "6:1: unknown key `seeds` in `[[workload]]`, it belongs to the \
             top of the file, before the first table",
        ),
        (
            "name = \"x\"\noptimizer = [\"sgd\", \"lion\"]",
            "6:8: the lists of this workload make `x` twice, tell them \
             apart: `name = \"x-{optimizer}\"`",
        ),
    ];
    for (new, complaint) in cases {
        let program = if new.starts_with("fingerprint") {
            "command = [\"sh\"]\n"
        } else {
            program
        };
        check(&[(4, &format!("{program}{new}"), complaint)]);
    }
}
