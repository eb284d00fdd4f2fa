"""Makes sets.json: what the data sets of the study must contain.

    python3 sets.py > sets.json

The real ones are read with numpy from src/data/pack, in float64, by the facts
of study.json and the rules of the pack's README. The generated ones come from
procedural.py, the reference implementation; procedural.json, which was made
with it before there were any in Rust, is checked on the way. FNV-1a of all
labels and tokens as bytes shows that not one of them differs.
"""
import gzip
import hashlib
import json
import pathlib
import sys

import numpy as np

import procedural

HERE = pathlib.Path(__file__).parent
PACK = HERE.parents[1] / "src" / "data" / "pack"


def unpacked(name):
    return gzip.open(PACK / name).read()


def idx(name):
    raw = unpacked(name)
    rank = raw[3]
    shape = np.frombuffer(raw, ">u4", rank, 4).astype(int)
    kind = {8: "u1", 11: ">i2"}[raw[2]]
    return np.frombuffer(raw, kind, offset=4 + 4 * rank).reshape(shape)


def fnv(values):
    h = 0xCBF29CE484222325
    for b in np.asarray(values).astype(np.uint8).tobytes():
        h = ((h ^ b) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{h:016x}"


def parts_of(x, counts):
    cuts = np.cumsum([0, *counts])
    return [x[a:b] for a, b in zip(cuts, cuts[1:])]


def standardised(parts, axis, clip=True):
    # Inputs are f32 in Rust before they are standardised.
    parts = [p.astype(np.float32).astype(float) if clip else p for p in parts]
    mean, deviation = parts[0].mean(axis), parts[0].std(axis)
    constant = deviation <= 1e-12 * np.abs(mean)
    z = [np.where(constant, 0, (p - mean) / np.where(constant, 1, deviation)) for p in parts]
    return [np.clip(p, -6, 6) for p in z] if clip else z


def summary(x, y):
    """First numbers, and sums that no misplaced number leaves alone."""
    out = []
    for a, b in zip(x, y):
        rows, a, b = len(a), a.ravel(), b.ravel()
        place = lambda v: (np.arange(len(v)) % 97 + 1) / 97
        out.append({
            "rows": rows, "first": [float(f"{v:.9g}") for v in a[:16]],
            "sum": float(a.sum()), "placed": float(a @ place(a)),
            "first_targets": [float(f"{v:.9g}") for v in b[:16]],
            "target_sum": float(b.sum()), "target_placed": float(b @ place(b)),
        })
    return out


def finished(x, y, counts, kind, classes):
    """Cuts and standardises; facts of the labels."""
    x = parts_of(x, counts)
    if kind != "raw":
        x = standardised(x, 0 if kind == "table" else None)
    if classes:
        facts = {"class_counts": np.bincount(y, minlength=classes).tolist(), "fnv": fnv(y)}
        y = parts_of(y.astype(float), counts)
    else:
        facts = {}
        y = standardised(parts_of(y.astype(float).reshape(len(y), -1), counts), 0, clip=False)
    return {"parts": summary(x, y), **facts}


def windows(f):
    """Blocks of 600, of ten of which six train, two validate and two test."""
    series = idx(f["files"][0])[0].astype(float)
    context, horizon, missing = f["context"], f["horizon"], f.get("missing")
    x, y = ([], [], []), ([], [], [])
    for block in range(len(series) // 600):
        part = [0] * 6 + [1] * 2 + [2] * 2
        part = part[block % 10]
        for t in range(600 * block + context - 1, 600 * block + 600 - horizon, 2):
            seen = series[t - context + 1 : t + 1]
            if missing is not None and missing in [*seen, series[t + horizon]]:
                continue
            x[part].append(seen)
            y[part].append([series[t + horizon] - series[t]])
    x, y = [np.array(p) for p in x], [np.array(p) for p in y]
    return {"parts": summary(standardised(x, None), standardised(y, 0, clip=False))}


def sequences(rows, start, first=0):
    """Each row after `start`, which also fills up; targets: the row itself, -1 where none counts."""
    x = np.concatenate([np.full((len(rows), 1), start), rows[:, :-1]], 1)
    x[rows == start] = start  # a last token is followed by nothing
    y = np.where(rows == start, -1, rows)
    y[:, :first] = -1
    return x, y


def lines(f):
    """The letters, sorted, then the end and the start."""
    text = unpacked(f["files"][0]).decode()
    index = {c: i for i, c in enumerate(sorted(set(text) - {"\n"}))}
    end, start = len(index), len(index) + 1
    rows = np.full((f["lines"], f["context"]), start)
    for row, line in zip(rows, text.splitlines(), strict=True):
        row[: len(line) + 1] = [*(index[c] for c in line), end]
    i = np.arange(len(rows)) % 20
    parts = [rows[k] for k in ((i != 7) & (i != 17), i == 7, i == 17)]
    x, y = zip(*(sequences(p, start) for p in parts))
    return {"parts": summary(x, y), "fnv": fnv(np.concatenate(parts)), "vocabulary": len(index) + 2}


def text(f):
    """Contiguous parts; characters that the first lacks share one symbol."""
    text = unpacked(f["files"][0]).decode()
    n = len(text)
    parts = [text[: n * 9 // 10], text[n * 9 // 10 : n * 19 // 20], text[n * 19 // 20 :]]
    index = {c: i for i, c in enumerate(sorted(set(parts[0])))}
    context, x, y = f["context"], [], []
    for part in parts:
        tokens = np.array([index.get(c, len(index)) for c in part])
        starts = range(0, len(tokens) - context, context)
        x.append(np.array([tokens[s : s + context] for s in starts]))
        y.append(np.array([tokens[s + 1 : s + 1 + context] for s in starts]))
    return {"parts": summary(x, y), "vocabulary": len(index) + 1}


def real(f):
    if f["kind"] in ("lines", "text", "series"):
        return {"lines": lines, "text": text, "series": windows}[f["kind"]](f)
    x, y = (idx(name) for name in f["files"])
    return finished(x.astype(float), y.astype(int) if f["classes"] else y, f["counts"], f["kind"], f["classes"])


def check(name, x, y, f, known):
    """That the reference implementation still says what procedural.json says."""
    x = x.astype(np.float32).astype(float)
    assert list(x.shape) == known["shape"] and f["counts"] == known["counts"], name
    close = lambda a, b, within: np.allclose(a, b, rtol=0, atol=within)
    assert close([x.mean(), x.std()], [known["x_mean"], known["x_std"]], 1e-6), name
    assert close(x[0].ravel()[:8], known["x_first"], 1e-5), name
    assert close(x[-1].ravel()[-4:], known["x_last"], 1e-5), name
    digest = lambda v: hashlib.sha256(v.astype(np.uint8).tobytes()).hexdigest()
    if "sha256_of_tokens_as_bytes" in known:
        assert digest(x) == known["sha256_of_tokens_as_bytes"], name
    elif "sha256_of_labels_as_bytes" in known:
        assert digest(y) == known["sha256_of_labels_as_bytes"], name
    else:
        assert close([y.mean(), y.std()], [known["y_mean"], known["y_std"]], 1e-6), name
        assert close(y.ravel()[:8], known["y_first"], 1e-5), name


def generated(name, known):
    procedural.SETS.clear()
    getattr(procedural, name)()
    x, y, f = procedural.SETS[name]
    check(name, x, y, f, known)
    if f["task"] == "sequences":
        first = f.get("counted_from", 0)
        x, y = zip(*(sequences(p, 0, first) for p in parts_of(x, f["counts"])))
        return {"parts": summary(x, y), "fnv": fnv(procedural.SETS[name][0]), "vocabulary": f["vocabulary"]}
    return finished(x, y, f["counts"], f["kind"], f["classes"])


def main():
    sets = {name: real(f) for name, f in json.load(open(HERE / "study.json")).items()}
    for name, known in json.load(open(HERE / "procedural.json")).items():
        print(name, file=sys.stderr, flush=True)
        sets[name] = generated(name, known)
    rows = (f"{json.dumps(name)}: {json.dumps(facts)}" for name, facts in sets.items())
    print("{\n" + ",\n".join(rows) + "\n}")


main()
