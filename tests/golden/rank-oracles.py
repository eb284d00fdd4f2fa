"""Whole rankings for the tests of `ranking`: made-up studies with clusters,
budgets, ties, unequal seeds and diverged runs, and everything that
`lrscout rank --format json` says about them, computed anew from the
definitions with scipy and statsmodels; and autorank's answers on plain tables.

    python tests/golden/rank-oracles.py > tests/golden/rank-oracles.json

Made with scipy 1.17, statsmodels 0.15, autorank 1.3, numpy 2.4.
"""

import contextlib
import json
import math
import sys
import warnings
from fractions import Fraction

import autorank
import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.multitest import multipletests

warnings.filterwarnings("ignore")
rng = np.random.default_rng(9)


def wilcoxon(d):
    """All sign patterns, in whole numbers: Pratt zeros, doubled midranks."""
    d = np.asarray(d, float)
    ranks = np.round(2 * stats.rankdata(np.abs(d))).astype(int)
    w = min(int(ranks[d > 0].sum()), int(ranks[d < 0].sum()))
    moved = [int(r) for r in ranks[d != 0]]
    patterns = [1] + [0] * sum(moved)
    for rank in moved:
        for total in range(len(patterns) - 1, rank - 1, -1):
            patterns[total] += patterns[total - rank]
    p = Fraction(2 * sum(patterns[: w + 1]), 2 ** len(moved))
    return w / 2, float(min(p, Fraction(1)))


def standings(runs):
    """Diverged seeds and the mean of the others, over the common seeds."""
    seeds = sorted(set.intersection(*[set(of) for of in runs.values()]))
    result = {}
    for schedule, of in runs.items():
        scores = [of[s] for s in seeds if of[s] is not None]
        mean = math.fsum(scores) / len(scores) if scores else None
        result[schedule] = (len(seeds) - len(scores), mean)
    return seeds, result


def ranks_of(runs, names):
    _, standing = standings(runs)
    key = [(standing[s][0], standing[s][1] or 0.0) for s in names]
    return [
        sum(other < own for other in key)
        + (sum(other == own for other in key) + 1) / 2
        for own in key
    ]


def difference(runs, a, b):
    """An infinite part by its sign, and a finite one."""
    _, standing = standings(runs)
    (lost_a, mean_a), (lost_b, mean_b) = standing[a], standing[b]
    if lost_a != lost_b:
        return (1 if lost_a > lost_b else -1), 0.0
    if mean_a is None:
        return 0, 0.0
    return 0, math.log(mean_a) - math.log(mean_b)


def wins(runs, a, b):
    seeds, _ = standings(runs)
    worst = math.inf
    pairs = [
        tuple(worst if runs[x][s] is None else runs[x][s] for x in (a, b))
        for s in seeds
    ]
    return sum(1 if x < y else 0.5 if x == y else 0 for x, y in pairs) / len(
        seeds
    )


def regrets(runs, names):
    _, standing = standings(runs)
    whole = {s: math.log(m) for s, (lost, m) in standing.items() if not lost}
    if not whole:
        return [1.0] * len(names)
    best = min(whole.values())
    return [min(whole[s] - best, 1.0) if s in whole else 1.0 for s in names]


def answers(rows, control):
    names = sorted({row["schedule"] for row in rows})
    cells, clusters = {}, {}
    for row in rows:
        cell = cells.setdefault((row["workload"], row["budget"]), {})
        cell.setdefault(row["schedule"], {})[row["seed"]] = row["score"]
        clusters.setdefault(row["cluster"], set()).add(row["workload"])

    def by_cluster(of):
        of_workload = {}
        for (workload, _), runs in cells.items():
            of_workload.setdefault(workload, []).append(of(runs))
        means = {w: np.mean(v, axis=0) for w, v in of_workload.items()}
        return np.array([
            np.mean([means[w] for w in sorted(members)], axis=0)
            for _, members in sorted(clusters.items())
        ])

    def differences(a, b):
        result = []
        for _, members in sorted(clusters.items()):
            of_workload = []
            for workload in sorted(members):
                parts = [
                    difference(runs, a, b)
                    for (w, _), runs in cells.items() if w == workload
                ]
                of_workload.append((
                    np.sign(sum(sign for sign, _ in parts)),
                    sum(value for _, value in parts) / len(parts),
                ))
            sign = np.sign(sum(sign for sign, _ in of_workload))
            value = sum(v for _, v in of_workload) / len(of_workload)
            result.append(sign * math.inf if sign else value)
        return result

    ranks = by_cluster(lambda runs: ranks_of(runs, names))
    n, k = ranks.shape
    means = ranks.mean(axis=0)
    middle = (k + 1) / 2
    chi2 = (k - 1) * ((ranks.sum(axis=0) - n * middle) ** 2).sum()
    chi2 /= ((ranks - middle) ** 2).sum()
    f = (n - 1) * chi2 / (n * (k - 1) - chi2)
    spread = math.sqrt(k * (k + 1) / (6 * n))
    pairs = []
    for schedule in names:
        if schedule == control:
            continue
        d = differences(schedule, control)
        w, p = wilcoxon(d)
        mean = float(np.mean(d))
        pairs.append({
            "a": schedule, "wilcoxon_w": w, "p": p,
            "mean_difference": mean if math.isfinite(mean) else None,
            "probability_a_better":
                float(by_cluster(lambda runs: wins(runs, schedule, control))
                      .mean()),
        })
    methods = {
        "p_holm": "holm", "p_hochberg": "simes-hochberg",
        "p_hommel": "hommel", "p_benjamini_hochberg": "fdr_bh",
    }
    for key, method in methods.items():
        adjusted = multipletests([pair["p"] for pair in pairs], method=method)
        for pair, p in zip(pairs, adjusted[1]):
            pair[key] = p
    regret = by_cluster(lambda runs: regrets(runs, names))
    return {
        "n": n, "mean_ranks": dict(zip(names, means)),
        "friedman": {
            "chi2": chi2, "p": stats.chi2.sf(chi2, k - 1),
            "chi2_uncorrected": 12 * n / (k * (k + 1))
                * ((means**2).sum() - k * (k + 1) ** 2 / 4),
            "iman_davenport": f,
            "iman_davenport_p": stats.f.sf(f, k - 1, (k - 1) * (n - 1)),
        },
        "critical_difference":
            stats.studentized_range.ppf(0.95, k, np.inf) / 2**0.5 * spread,
        "nemenyi": {
            f"{a}|{b}": stats.studentized_range.sf(
                abs(means[i] - means[j]) / spread * 2**0.5, k, np.inf
            )
            for i, a in enumerate(names) for j, b in enumerate(names) if i < j
        },
        "pairs": pairs,
        "regret": {
            s: {
                "mean": regret[:, j].mean(),
                "iqm": stats.trim_mean(regret[:, j], 0.25),
            }
            for j, s in enumerate(names)
        },
    }


def study(workloads, names, seeds, budgets, a_cluster, digits, lost):
    """`lost` of the runs diverge, a tenth of the later seeds is not there."""
    rows = []
    for w in range(workloads):
        level = rng.uniform(0.5, 2.0)
        for budget in budgets:
            for j, schedule in enumerate(names):
                for seed in range(seeds):
                    if seed > 0 and rng.random() < 0.1:
                        continue
                    score = level + 0.02 * j + rng.normal(0, 0.1)
                    score = max(round(score, digits), 0.1)
                    rows.append({
                        "workload": f"w{w:02}",
                        "cluster": f"c{w // a_cluster:02}",
                        "schedule": schedule, "budget": budget, "seed": seed,
                        "score": None if rng.random() < lost else score,
                    })
    return {
        "rows": [list(row.values()) for row in rows], "control": names[0],
        **answers(rows, names[0]),
    }


def by_autorank(n, k, digits):
    """Lower is better; Friedman's test and Nemenyi's, as for no normal data."""
    scores = rng.uniform(0.5, 2.0, (n, 1)) + rng.normal(0, 0.1, (n, k))
    scores = np.round(scores + np.linspace(0, 0.1, k), digits)
    names = [f"s{j}" for j in range(k)]
    # It prints where it should warn.
    with contextlib.redirect_stdout(sys.stderr):
        result = autorank.autorank(
            pd.DataFrame(scores, columns=names), alpha=0.05,
            order="ascending", force_mode="nonparametric",
        )
    assert result.omnibus == "friedman" and result.posthoc == "nemenyi"
    return {
        "scores": scores.tolist(), "names": names, "p": result.pvalue,
        "mean_ranks": result.rankdf["meanrank"].to_dict(),
        "critical_difference": result.cd,
    }


four = ["linear", "cosine", "rex", "wsd"]
json.dump({
    "studies": [
        study(9, four, 3, [100], 1, 9, 0.0),
        study(12, four[:2], 4, [100, 400], 2, 1, 0.0),
        study(8, four, 3, [100], 1, 1, 0.15),
        study(10, four[:3], 2, [50, 100], 3, 9, 0.4),
        study(31, four[:3], 1, [100], 1, 2, 0.05),
    ],
    "autorank": [by_autorank(10, 4, 9), by_autorank(16, 6, 1)],
}, open(1, "w"), default=float, separators=(",", ":"))
