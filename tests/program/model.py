"""The model of train.py: linear regression."""

WIDTH = 8


def errors(weights, part):
    return [sum(w * a for w, a in zip(weights, x)) - y for x, y in part]


def loss_of(weights, part):
    return sum(e * e for e in errors(weights, part)) / (2 * len(part))


def slope_of(weights, part):
    off = errors(weights, part)
    return [sum(e * x[i] for e, (x, _) in zip(off, part)) / len(part) for i in range(WIDTH)]
