"""What wandb 0.31.0 makes without a server.

A run in offline mode leaves a log of records. They are read here with the
package's own record type. `Client` answers the two queries of the package's
public API with what is in these logs, so that its own code makes the tables:
`Runs`, `Run.config`, `Run.summary`, `Run.history()`, `Runs.histories()`. Only
the replies of the server are written by hand, from the queries in the package.

The CSV of a panel and that of the table of runs are made by the page of the
server alone: `panel` and `table` write them from their documented form.
"""

import json
import struct
import tempfile
from pathlib import Path

import pandas
import wandb
from wandb.apis.public import Runs
from wandb.proto import wandb_internal_pb2

BLOCK, HEAD, START = 32768, 7, 7
FULL, LAST = 1, 4


def records(path):
    """The records of a log, which has the form of LevelDB's."""
    data, at, whole = path.read_bytes(), START, b""
    while at + HEAD <= len(data):
        if BLOCK - at % BLOCK < HEAD:
            at += BLOCK - at % BLOCK
            continue
        _, length, kind = struct.unpack_from("<IHB", data, at)
        whole += data[at + HEAD : at + HEAD + length]
        at += HEAD + length
        if kind in (FULL, LAST):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(whole)
            yield record
            whole = b""


def add(items, to):
    """Sets the values of a record in a dictionary, which may have others."""
    for item in items:
        *outer, last = item.nested_key or [item.key]
        place = to
        for key in outer:
            place = place.setdefault(key, {})
        place[last] = json.loads(item.value_json)
    return to


def node(path):
    """A run as the server sends it, and its history."""
    config, summary, history, name = {}, {}, [], ""
    for record in records(path):
        kind = record.WhichOneof("record_type")
        if kind == "run":
            name = record.run.display_name
            add(record.run.config.update, config)
        elif kind == "summary":
            add(record.summary.update, summary)
        elif kind == "history":
            history.append(add(record.history.item, {}))
    run = {
        "id": path.stem,
        "name": path.stem.removeprefix("run-"),
        "displayName": name,
        "state": "finished",
        "projectId": "1",
        "config": json.dumps({k: {"value": v} for k, v in config.items()}),
        "summaryMetrics": json.dumps(summary),
    }
    return run, history


class Client:
    """Answers queries with the runs of `folder`."""

    def __init__(self, folder):
        logs = sorted(Path(folder).glob("wandb/offline-run-*/*.wandb"))
        found = [node(log) for log in logs]
        # In the order in which they were started.
        found.sort(key=lambda run: run[1][0]["_timestamp"])
        self.nodes = [run for run, _ in found]
        self.lines = {run["name"]: lines for run, lines in found}

    def execute_graphql(self, query, variables, **_):
        query = str(query)
        if "RunFullHistory" in query:
            lines = map(json.dumps, self.lines[variables["name"]])
            return {"project": {"run": {"history": list(lines)}}}
        if "RunSampledHistory" in query:
            (spec,) = map(json.loads, variables["specs"])
            keys = spec["keys"]
            rows = self.lines[variables["name"]]
            rows = [row for row in rows if all(key in row for key in keys)]
            rows = [{key: row[key] for key in keys} for row in rows]
            return {"project": {"run": {"sampledHistory": [rows]}}}
        if "query Runs(" in query:
            edges = [{"node": run, "cursor": run["id"]} for run in self.nodes]
            page = {"edges": edges, "pageInfo": {"hasNextPage": False}}
            page = {"runs": page, "runCount": len(edges), "internalId": "1"}
            return {"project": page}
        raise NotImplementedError(query)


def start(folder, name, config):
    """A run in offline mode."""
    settings = wandb.Settings(
        console="off", disable_git=True, save_code=False, silent=True
    )
    return wandb.init(
        mode="offline",
        project="sweep",
        name=name,
        dir=folder,
        config=config,
        settings=settings,
    )


def runs(folder):
    """The runs of `folder`, as `wandb.Api().runs("me/sweep")` gives them."""
    wandb.teardown()
    return Runs(Client(folder), "me", "sweep", lazy=False)


def panel(runs, metric, step):
    """The CSV button of a panel: a row for each value on the x-axis, and for
    each run the metric with its least and greatest value there."""
    columns = {}
    for run in runs:
        history = run.history(keys=[metric], x_axis=step)
        line = history.set_index(step)[metric]
        for end in ["", "__MIN", "__MAX"]:
            columns[f"{run.name} - {metric}{end}"] = line
    title = "Step" if step == "_step" else step
    return pandas.DataFrame(columns).rename_axis(title).reset_index()


def table(runs):
    """The CSV button of the table of runs."""
    rows = []
    for run in runs:
        flat = pandas.json_normalize(dict(run.config)).iloc[0].to_dict()
        metrics = dict(run.summary._json_dict)
        shown = {k: v for k, v in metrics.items() if not k.startswith("_")}
        rows.append(
            {
                "Name": run.name,
                "State": run.state,
                "Notes": "-",
                "Tags": "",
                "Runtime": round(metrics["_runtime"]),
                "Sweep": "",
                **flat,
                **shown,
            }
        )
    return pandas.DataFrame(rows)


def temporary():
    return tempfile.TemporaryDirectory()
