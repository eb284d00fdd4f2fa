"""Numbers of scipy, scikit-posthocs, baycomp and statsmodels for the tests of
`stats` and `ranking`.

    python tests/golden/stats-oracles.py > tests/golden/stats-oracles.json

Made with scipy 1.17, scikit-posthocs 0.17, baycomp 1.0.3, statsmodels 0.15.
"""

import itertools
import json
import warnings

import baycomp
import numpy as np
import scikit_posthocs as sp
from scipy import stats
from statsmodels.stats.multitest import multipletests

warnings.filterwarnings("ignore")
rng = np.random.default_rng(20)

# Table 6 of Demsar (2006): 14 data sets, 4 variants of C4.5, accuracies. The
# tie that the table shows on the last but one is broken, as in the paper.
DEMSAR = [
    [0.763, 0.768, 0.771, 0.798], [0.599, 0.591, 0.59, 0.569],
    [0.954, 0.971, 0.968, 0.967], [0.628, 0.661, 0.654, 0.657],
    [0.882, 0.888, 0.886, 0.898], [0.936, 0.931, 0.916, 0.931],
    [0.661, 0.668, 0.609, 0.685], [0.583, 0.583, 0.563, 0.625],
    [0.775, 0.838, 0.866, 0.875], [1, 1, 1, 1],
    [0.94, 0.962, 0.965, 0.962], [0.619, 0.666, 0.614, 0.669],
    [0.972, 0.981, 0.975, 0.9749], [0.957, 0.978, 0.946, 0.97],
]


def ranks_of(scores):
    return stats.rankdata(scores, axis=1)


def friedman(scores):
    n, k = scores.shape
    chi2, p = stats.friedmanchisquare(*scores.T)
    r = ranks_of(scores).mean(axis=0)
    uncorrected = 12 * n / (k * (k + 1)) * ((r**2).sum() - k * (k + 1) ** 2 / 4)
    f = (n - 1) * chi2 / (n * (k - 1) - chi2)
    f_p = stats.f.sf(f, k - 1, (k - 1) * (n - 1))
    return {
        "scores": scores.tolist(), "chi2": chi2, "p": p,
        "uncorrected": uncorrected, "f": f, "f_p": f_p,
    }


def nemenyi(scores):
    n, k = scores.shape
    table = np.asarray(sp.posthoc_nemenyi_friedman(scores))
    pairs = list(itertools.combinations(range(k), 2))
    return {
        "n": n, "mean_ranks": ranks_of(scores).mean(axis=0).tolist(),
        "p": [table[i, j] for i, j in pairs],
    }


def wilcoxon(d):
    """Exact by all sign patterns where there are zeros or ties."""
    d = np.asarray(d, float)
    clean = len(set(np.abs(d))) == len(d) and not (d == 0).any()
    if len(d) > 50:
        method = "asymptotic"
    elif clean:
        method = "exact"
    else:
        assert len(d) <= 16
        method = stats.PermutationMethod(n_resamples=2**17)
    w, p = stats.wilcoxon(d, zero_method="pratt", method=method)
    return {"d": d.tolist(), "w": w, "p": p, "exact": len(d) <= 50}


def bayes(d, rope):
    """`d` is `a - b` with lower better; 200,000 draws."""
    d = np.asarray(d, float)
    probs = baycomp.SignedRankTest.probs(
        np.zeros_like(d), d, rope, nsamples=200_000, random_state=1
    )
    left, middle, right = probs if rope > 0 else (probs[0], 0.0, probs[1])
    return {
        "d": d.tolist(), "rope": rope,
        "left": left, "rope_p": middle, "right": right,
    }


def adjusted(p):
    return {"p": p, "holm": multipletests(p, method="holm")[1].tolist()}


def study(n, k, digits):
    """Scores of `k` schedules on `n` workloads, with ties if rounded."""
    base = rng.uniform(0.5, 2.0, (n, 1))
    shift = np.linspace(0, 0.05, k)[None, :]
    return np.round(base + shift + rng.normal(0, 0.05, (n, k)), digits)


demsar = np.array(DEMSAR)
r = ranks_of(-demsar).mean(axis=0)
n, k = demsar.shape
no_ties = 12 * n / (k * (k + 1)) * ((r**2).sum() - k * (k + 1) ** 2 / 4)
f = (n - 1) * no_ties / (n * (k - 1) - no_ties)
studies = [study(10, 4, 9), study(14, 6, 1), study(6, 3, 9), study(40, 10, 2)]
zeros = [0, 0.1, -0.1, 0.2, 0.3, 0.3, 0.3, 0, -0.4, 0.5, 0.6, 0.7]
ties = [1, 1, 2, 2, -2, 3, 3, 4, -5, 6, 6, 7]
m = demsar[:, 1] - demsar[:, 0]
differences = [
    [0.2, -0.1, 0.4, 0.3, 0.6, 0.5], zeros, ties, m.tolist(),
    rng.normal(0.3, 1, 20).tolist(), rng.normal(0.4, 1, 30).tolist(),
    rng.normal(0.4, 1, 50).tolist(), rng.normal(0.2, 1, 80).tolist(),
    np.round(rng.normal(0.2, 1, 120), 1).tolist(),
]

json.dump({
    "demsar2006": {
        "scores": DEMSAR, "avg_ranks": r.tolist(), "chi2_no_ties": no_ties,
        "FF": f, "p_FF": stats.f.sf(f, k - 1, (k - 1) * (n - 1)),
        "scipy_friedman_tie_corrected":
            stats.friedmanchisquare(*demsar.T).statistic,
        "cd_005": stats.studentized_range.ppf(0.95, k, np.inf) / 2**0.5
            * (k * (k + 1) / (6 * n)) ** 0.5,
        "nemenyi": nemenyi(-demsar)["p"],
    },
    "friedman": [friedman(s) for s in studies],
    "nemenyi": [nemenyi(s) for s in studies],
    "nemenyi_q": {
        str(alpha): {
            str(k): stats.studentized_range.ppf(1 - alpha, k, np.inf) / 2**0.5
            for k in range(2, 21)
        }
        for alpha in (0.05, 0.1)
    },
    "wilcoxon_min_p": {str(n): min(1.0, 2 / 2**n) for n in range(1, 21)},
    "wilcoxon_exact_two_sided": {
        str(n): [
            min(1.0, 2 * stats._wilcoxon.WilcoxonDistribution(n).cdf(w))
            for w in range(n * (n + 1) // 4 + 1)
        ]
        for n in (5, 6, 7, 8, 9, 10, 12)
    },
    "wilcoxon": [wilcoxon(d) for d in differences],
    "holm": [adjusted(p) for p in (
        [0.019172484755223106, 0.6084078002329985, 0.015719980210024593],
        [0.01, 0.04, 0.03, 0.005], [0.5, 0.5, 0.5],
        [0.001, 0.2, 0.9, 0.02, 0.02, 1.0],
    )],
    "bayes": [
        bayes(m, 0.01), bayes(m, 0), bayes(zeros, 0.1), bayes(ties, 2),
        bayes(differences[0], 0.05), bayes(differences[4], 0.5),
        bayes([0.004, -0.003, 0.0, 0.006, 0.002], 0.005),
    ],
}, open(1, "w"), default=float, separators=(",", ":"))
