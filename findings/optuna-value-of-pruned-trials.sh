#!/bin/sh
# Optuna 5.0.0, pandas 2.3.3: a pruned trial has a value in trials_dataframe.
#
# Expected: the column `value` holds the objective of finished trials, so the
# row with the lowest value is the best trial.
# Behaviour: a pruned trial has its last intermediate value there. Sorting or
# averaging the column takes a run that was stopped early, and was never
# finished, for the best. `study.best_trial` is right: it looks at `state`.
# Remedy: keep only the rows with `state == "COMPLETE"`. lrscout does.
# Output seen:
#   best by study.best_params: 0.1
#   best by the column value:  1.0 (PRUNED)
# Exit status 0 while this holds, 1 if it changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q optuna==5.0.0 pandas==2.3.3
"$folder/venv/bin/python" - << 'END'
import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)


def objective(trial):
    lr = trial.suggest_categorical("lr", [0.1, 1.0])
    if lr == 1.0:
        # The loss falls fast at first; the pruner stops the trial.
        trial.report(0.2, step=0)
        raise optuna.TrialPruned
    return 0.3


study = optuna.create_study(direction="minimize")
study.enqueue_trial({"lr": 0.1})
study.enqueue_trial({"lr": 1.0})
study.optimize(objective, n_trials=2)
first = study.trials_dataframe().sort_values("value").iloc[0]
print("best by study.best_params:", study.best_params["lr"])
print(f"best by the column value:  {first.params_lr} ({first.state})")
assert study.best_params["lr"] == 0.1
assert first.params_lr == 1.0 and first.state == "PRUNED"
END
