"""Tests of schedules on incomplete blocks, for the tests of `stats`.

    python tests/golden/incomplete-oracles.py \
        > tests/golden/incomplete-oracles.json

Made with scipy 1.17.1, scikit-posthocs 0.17.1, numpy 2.4.6, pandas 3.1.1.

- `published`: table 1 of Skillings & Mack (1981); statistic and p as the
  R package Skillings.Mack prints them for it.
- `durbin`: balanced incomplete blocks without ties by
  `scikit_posthocs.test_durbin`; complete ones, with ties, by
  `scipy.stats.friedmanchisquare`.
- `designs`: arbitrary holes and ties. The formula restated with numpy: the
  covariance is summed over all arrangements of each block, one by one, and
  inverted by `pinv`; `exact` counts all arrangements where there are few.
"""

import itertools
import json

import numpy as np
import pandas as pd
import scikit_posthocs as sp
from scipy import stats

rng = np.random.default_rng(81)
NAN = float("nan")


def ranks(y):
    return [
        stats.rankdata(row, nan_policy="omit").tolist() for row in np.array(y)
    ]


def scores(row):
    """Orders of the centred, weighted ranks of a block, as full rows."""
    there = np.flatnonzero(~np.isnan(row))
    own = stats.rankdata(row[there])
    own = np.sqrt(12 / (len(own) + 1)) * (own - own.mean())
    orders = []
    for order in itertools.permutations(own):
        full = np.zeros(len(row))
        full[there] = order
        orders.append(full)
    return np.array(orders)


def skillings_mack(y):
    y = np.array(y, float)
    blocks = [scores(row) for row in y]
    covariance = sum(b.T @ b / len(b) for b in blocks)
    inverse = np.linalg.pinv(covariance, rcond=1e-9, hermitian=True)
    form = lambda sums: np.einsum("...i,ij,...j", sums, inverse, sums)
    # The first order is the observed one.
    statistic = form(sum(b[0] for b in blocks))
    df = int(np.linalg.matrix_rank(covariance, tol=1e-9))
    exact = None
    if np.prod([float(len(b)) for b in blocks]) <= 50_000:
        sums = blocks[0]
        for block in blocks[1:]:
            sums = (sums[:, None, :] + block[None]).reshape(-1, y.shape[1])
        exact = float(np.mean(form(sums) >= statistic * (1 - 1e-9)))
    return {
        "ranks": ranks(y), "statistic": float(statistic), "df": df,
        "chi2_p": float(stats.chi2.sf(statistic, df)), "exact": exact,
    }


def holes(n, k, lost, decimals):
    y = rng.normal(size=(n, k)).cumsum(axis=1).round(decimals)
    y.flat[rng.permutation(n * k)[:lost]] = NAN
    return y


def durbin(blocks, k):
    y = np.full((len(blocks), k), NAN)
    for row, block in zip(y, blocks):
        row[list(block)] = rng.normal(size=len(block)) + 0.6 * np.array(block)
    cells = pd.DataFrame(
        [(i, j, y[i, j]) for i, block in enumerate(blocks) for j in block],
        columns=["block", "group", "y"],
    )
    p, statistic, df = sp.test_durbin(
        cells, y_col="y", group_col="group", block_col="block",
        block_id_col="block", melted=True,
    )
    return {"ranks": ranks(y), "statistic": statistic, "df": df, "p": p}


def friedman(y):
    statistic, p = stats.friedmanchisquare(*y.T)
    df = y.shape[1] - 1
    return {"ranks": ranks(y), "statistic": statistic, "df": df, "p": p}


ASSEMBLY = [
    [3.2, 4.1, 3.8, 4.2], [3.1, 3.9, 3.4, 4.0], [4.3, 3.5, 4.6, 4.8],
    [3.5, 3.6, 3.9, 4.0], [3.6, 4.2, 3.7, 3.9], [4.5, 4.7, 3.7, NAN],
    [NAN, 4.2, 3.4, NAN], [4.3, 4.6, 4.4, 4.9], [3.5, NAN, 3.7, 3.9],
]
FANO = [(0, 1, 3), (1, 2, 4), (2, 3, 5), (3, 4, 6), (0, 4, 5), (1, 5, 6),
        (0, 2, 6)]
apart = np.full((5, 4), NAN)
apart[:3, :2] = [[1, 2], [1, 2], [2, 1]]
apart[3:, 2:] = [[1, 2], [1, 2]]

text = json.dumps({
    "published": {
        "ranks": ranks(ASSEMBLY), "statistic": 15.493049, "df": 3,
        "chi2_p": 0.001440296302,
    },
    "durbin": [
        durbin(FANO, 7), durbin(FANO * 3, 7),
        durbin(list(itertools.combinations(range(5), 3)), 5),
        durbin(list(itertools.combinations(range(6), 2)), 6),
    ] + [
        friedman(rng.normal(size=(9, 4)).cumsum(axis=1).round(d))
        for d in (0, 1, 9)
    ],
    "designs": [skillings_mack(y) for y in (
        ASSEMBLY, holes(4, 3, 2, 9), holes(6, 3, 4, 0), holes(7, 4, 9, 9),
        holes(12, 5, 10, 0), holes(60, 6, 90, 9), apart,
    )],
})
print(text.replace("NaN", "null"))
