"""Numbers of scipy, statsmodels and numpy for the tests of `stats`:
adjustments for several tests, intervals of a share, paired tests, power,
e-values, variance components, rank correlations, interquartile means.

    python tests/golden/inference-oracles.py > tests/golden/inference-oracles.json

Made with scipy 1.17, statsmodels 0.15, numpy 2.4.
"""

import json
import warnings

import numpy as np
import pandas as pd
from scipy import integrate, special, stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.proportion import proportion_confint

warnings.filterwarnings("ignore")
rng = np.random.default_rng(6)


def adjusted(p):
    methods = {
        "holm": "holm", "hochberg": "simes-hochberg", "hommel": "hommel",
        "benjamini_hochberg": "fdr_bh",
    }
    return {"p": p} | {
        name: multipletests(p, method=method)[1].tolist()
        for name, method in methods.items()
    }


def share(wins, n, alpha):
    low, high = proportion_confint(wins, n, alpha=alpha, method="wilson")
    return {"share": wins / n, "n": n, "alpha": alpha, "low": low, "high": high}


def paired(d):
    d = np.asarray(d, float)
    test = stats.ttest_1samp(d, 0.0)
    interval = test.confidence_interval(0.95)
    return {
        "d": d.tolist(), "mean": d.mean(), "t": test.statistic,
        "p": test.pvalue, "low": interval.low, "high": interval.high,
        "effect": d.mean() / d.std(ddof=1),
    }


def power(effect, n, alpha):
    p = TTestPower().power(effect, n, alpha, alternative="two-sided")
    return {"effect": effect, "n": n, "alpha": alpha, "power": p}


def pairs_needed(effect, alpha, wanted):
    n = TTestPower().solve_power(effect, None, alpha, wanted)
    return {
        "effect": effect, "alpha": alpha, "power": wanted,
        "n": int(np.ceil(n)),
    }


def e_value(wins, losses):
    """Bets by the Krichevsky-Trofimov mixture over the losing half alone."""
    n = wins + losses
    upper = special.betaincc(losses + 0.5, wins + 0.5, 0.5)
    ratio = special.beta(losses + 0.5, wins + 0.5) / special.beta(0.5, 0.5)
    return {"wins": wins, "losses": losses, "e": 2.0**n * ratio * upper / 0.5}


def student_e_value(d):
    """Normal prior of variance 4 on the effect size, by quadrature."""
    d = np.asarray(d, float)
    n, t = len(d), stats.ttest_1samp(d, 0.0).statistic
    prior = stats.norm(0, 2.0)

    def density(effect):
        return stats.nct.pdf(t, n - 1, effect * n**0.5) * prior.pdf(effect)

    edges = np.linspace(-30, 30, 61)
    mixed = sum(
        integrate.quad(density, a, b, epsabs=0, epsrel=1e-11)[0]
        for a, b in zip(edges[:-1], edges[1:])
    )
    return {"d": d.tolist(), "e": mixed / stats.t.pdf(t, n - 1)}


def components(workloads, schedules, seeds, sds):
    """Analysis of variance; equal numbers, so mean squares give all."""
    own, cell = rng.normal(0, sds[0], schedules), {}
    rows = []
    for w in range(workloads):
        level = rng.normal(0, sds[1])
        for j in range(schedules):
            cell[w, j] = rng.normal(0, sds[2])
        for s in range(seeds):
            luck = rng.normal(0, sds[3])
            for j in range(schedules):
                y = level + own[j] + cell[w, j] + luck + rng.normal(0, sds[4])
                rows.append((w, j, s, y))
    data = pd.DataFrame(rows, columns=["w", "j", "s", "y"])
    table = anova_lm(ols("y ~ C(w) * C(j) + C(w):C(s)", data).fit())
    square = {
        name: table["sum_sq"][key] / table["df"][key]
        for name, key in [
            ("w", "C(w)"), ("j", "C(j)"), ("wj", "C(w):C(j)"),
            ("s", "C(w):C(s)"), ("e", "Residual"),
        ]
    }
    k, m, n = schedules, seeds, workloads
    return {
        "shape": [n, m, k], "y": data["y"].tolist(),
        "residual": square["e"],
        "seed": max((square["s"] - square["e"]) / k, 0),
        "interaction": max((square["wj"] - square["e"]) / m, 0),
        "schedule": max((square["j"] - square["wj"]) / (n * m), 0),
        "workload": max(
            (square["w"] - square["wj"] - square["s"] + square["e"]) / (k * m),
            0,
        ),
    }


def spearman(a, b):
    rho = stats.spearmanr(a, b).statistic
    return {"a": a.tolist(), "b": b.tolist(), "rho": rho}


sample = rng.normal(0.3, 1, 23)
json.dump({
    "adjusted": [adjusted(p) for p in (
        [0.019172484755223106, 0.6084078002329985, 0.015719980210024593],
        [0.01, 0.04, 0.03, 0.005], [0.5, 0.5, 0.5], [0.04],
        [0.001, 0.2, 0.9, 0.02, 0.02, 1.0],
        sorted(rng.uniform(0, 0.1, 12).tolist(), key=lambda p: p * 7 % 0.01),
    )],
    "share": [
        share(*case) for case in [
            (7, 10, 0.05), (0, 6, 0.05), (6, 6, 0.1), (3.25, 10, 0.05),
            (50, 100, 0.01),
        ]
    ],
    "paired": [
        paired(d) for d in [
            [0.2, -0.1, 0.4, 0.3, 0.6, 0.5], [0, 0.1, -0.1, 0.2, 0, 0.3],
            sample.tolist(), [-3.0, -1.0, -2.5],
        ]
    ],
    "power": [
        power(*case) for case in [
            (0.5, 34, 0.05), (0.8, 15, 0.05), (2.0, 5, 0.05), (0.3, 10, 0.01),
            (1.0, 2, 0.05), (0.1, 400, 0.005),
        ]
    ],
    "pairs_needed": [
        pairs_needed(d, 0.05, 0.8) for d in (0.5, 0.8, 1.0, 1.5, 2.0)
    ],
    "e_value": [
        e_value(*case) for case in [
            (0, 0), (0, 1), (1, 0), (0, 10), (1, 9), (5, 5), (10, 0), (3, 27),
            (0, 60),
        ]
    ],
    "student_e_value": [
        student_e_value(d) for d in [
            [0.2, -0.1, 0.4, 0.3, 0.6, 0.5], [1.0, 1.1], [0.3, 0.5, 0.4],
            sample.tolist(),
        ]
    ],
    "components": [
        components(8, 4, 3, (0.3, 2, 0.5, 0.2, 0.1)),
        components(5, 6, 5, (0.0, 1, 0.0, 0.3, 0.4)),
    ],
    "spearman": [
        spearman(sample[:11], sample[11:22]),
        spearman(np.round(sample[:9]), np.round(sample[9:18], 1)),
    ],
    "interquartile_mean": [
        {"x": x.tolist(), "mean": stats.trim_mean(x, 0.25)}
        for x in (sample, rng.normal(size=8), rng.normal(size=3))
    ],
}, open(1, "w"), default=float, separators=(",", ":"))
