#!/usr/bin/env python3
"""Microseconds a training step, ours and PyTorch's, in turns on the same cores.

    python benches/compare.py [--rounds 5] [--lrscout target/release/lrscout]
        [--before ANOTHER_BUILD]

Needs torch and numpy. Each round trains two runs at once with each program:
`peers/torch_matrix.py` (the loop that a competent user writes, fused
optimizer), `peers/torch_step.py` for the ResNet, and `lrscout bench`. Prints a
Markdown table of the medians over all rounds, their ratio, and the ratio of
the lowest values, which the machine's noise touches least. With `--before`,
another build of lrscout takes its turn, too.
"""

import argparse
import csv
import io
import math
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
THEIR_NAME = {"words-transformer": "words-lm", "teacher-student": "teacher-mlp"}


def output(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode:
        sys.exit(f"{command}: {done.stderr}")
    return done.stdout


def torch_matrix(folder):
    out = Path(folder) / "runs.csv"
    output(
        [sys.executable, HERE / "peers/torch_matrix.py", ROOT / "src/data/pack"]
        + "--schedules linear --seeds 2 --steps 300 --procs 2 --out".split()
        + [out]
    )
    with out.open() as rows:
        return [(r["workload"], float(r["step_us"])) for r in csv.DictReader(rows)]


def torch_resnet(folder, layout):
    """Two processes at once; `layout` is empty or `cl` for channels_last."""
    script = HERE / "peers/torch_step.py"
    step = [sys.executable, script, *"res8 64 sgd 3 1 fused".split(), *layout]
    printed = output(["bash", HERE / "peers/two.sh", *step], cwd=folder)
    return [float(us) for us in re.findall(r"step (\d+)us", printed)]


def ours(lrscout, grid):
    printed = output([lrscout, "bench", HERE / grid, "--jobs", "2"], cwd=ROOT)
    rows = csv.DictReader(io.StringIO(printed))
    return [(r["workload"], r["us_per_step"], r["share_of_peak"]) for r in rows]


def geometric(ratios):
    return math.exp(statistics.fmean(map(math.log, ratios)))


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("--rounds", type=int, default=5)
    args.add_argument("--lrscout", default=ROOT / "target/release/lrscout")
    args.add_argument("--before", help="another build to compare with")
    args = args.parse_args()
    theirs, mine, old, shares = {}, {}, {}, {}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "data").mkdir()
        output([sys.executable, (HERE / "peers/torch_step_data.py").resolve()], cwd=folder)
        for _ in range(args.rounds):
            for name, us in torch_matrix(folder):
                theirs.setdefault(name, []).append(us)
            for grid in ["peers.toml", "resnet.toml"]:
                for name, us, share in ours(args.lrscout, grid):
                    mine.setdefault(name, []).append(float(us))
                    shares.setdefault(name, []).append(float(share))
                for name, us, _ in ours(args.before, grid) if args.before else []:
                    old.setdefault(name, []).append(float(us))
            for name, layout in [("resnet8", []), ("resnet8-cl", ["cl"])]:
                theirs.setdefault(name, []).extend(torch_resnet(folder, layout))
    print("| workload | PyTorch µs | ours µs | ratio | lowest / lowest | share of peak |")
    print("|---|---|---|---|---|---|")
    ratios = []
    for name, us in mine.items():
        names = ["resnet8", "resnet8-cl"] if name == "resnet8" else [name]
        for row in names:
            peer = theirs[THEIR_NAME.get(row, row)]
            ratio = statistics.median(peer) / statistics.median(us)
            if name != "resnet8":
                ratios.append(ratio)
            print(
                f"| {row} | {statistics.median(peer):.0f} | {statistics.median(us):.0f} "
                f"| {ratio:.2f} | {min(peer) / min(us):.2f} | {statistics.median(shares[name]):.2f} |"
            )
    print(f"\nGeometric mean of the {len(ratios)} without the ResNet: {geometric(ratios):.2f}")
    if not old:
        return
    print("\n| workload | before µs | now µs | ratio | lowest / lowest |")
    print("|---|---|---|---|---|")
    gains = {}
    for name, us in mine.items():
        before = old[name]
        gains[name] = statistics.median(before) / statistics.median(us)
        print(
            f"| {name} | {statistics.median(before):.1f} | {statistics.median(us):.1f} "
            f"| {gains[name]:.2f} | {min(before) / min(us):.2f} |"
        )
    gains.pop("resnet8", None)
    print(f"\nGeometric mean without the ResNet: {geometric(gains.values()):.2f}")


if __name__ == "__main__":
    main()
