"""The aggregation strategies, from their definitions; and the figures on the way to each result."""

import math
from itertools import combinations


def median(values):
    values = sorted(values)
    low, high = values[(len(values) - 1) // 2], values[len(values) // 2]
    return (low + high) / 2, low, high


def half_away(value):
    """The nearest whole number; halves away from zero."""
    return math.copysign(math.floor(abs(value) + 0.5), value)


def average(values, _weights, _knobs):
    total = math.fsum(values)
    steps = {"mean": {"sum": total, "kept": len(values)}}
    return total / len(values), steps, [1 / len(values)] * len(values), set()


def middle(values, _weights, _knobs):
    value, low, high = median(values)
    order = sorted(range(len(values)), key=lambda i: values[i])
    shares = [0.0] * len(values)
    shares[order[(len(values) - 1) // 2]] += 0.5
    shares[order[len(values) // 2]] += 0.5
    return value, {"median": {"low": low, "high": high}}, shares, set()


def majority(values, _weights, knobs):
    step = knobs["step"]
    rounded = [half_away(value / step) * step for value in values]
    best = min(set(rounded), key=lambda value: (-rounded.count(value), value))
    votes = rounded.count(best)
    shares = [1 / votes if value == best else 0.0 for value in rounded]
    return best, {"majority": {"step": step, "votes": votes}}, shares, set()


def upper_median(values, _weights, _knobs):
    order = sorted(range(len(values)), key=lambda i: values[i])
    chosen = order[len(values) // 2]
    shares = [float(i == chosen) for i in range(len(values))]
    return values[chosen], {"upper-median": {"rank": len(values) // 2 + 1}}, shares, set()


def weighted_median(values, weights, _knobs):
    weights = weights if any(weights) else [1.0] * len(values)
    order = sorted(range(len(values)), key=lambda i: values[i])
    total, below = math.fsum(weights), 0.0
    for i in order:
        if below + weights[i] >= total * (0.5 - 1e-12):
            shares = [float(j == i) for j in range(len(values))]
            steps = {"weighted-median": {"total": total, "below": below, "weight": weights[i]}}
            return values[i], steps, shares, set()
        below += weights[i]
    raise AssertionError("some value has half of the weight")


def kept_mean(values, kept, first_step):
    total = math.fsum(values[i] for i in kept)
    steps = dict([first_step, ("mean", {"sum": total, "kept": len(kept)})])
    shares = [1 / len(kept) if i in kept else 0.0 for i in range(len(values))]
    return total / len(kept), steps, shares, set(range(len(values))) - kept


def trimmed_mean(values, _weights, knobs):
    m = len(values)
    drop = min(math.floor(m * knobs["trim"] + 1e-9), (m - 1) // 2)
    order = sorted(range(m), key=lambda i: values[i])
    return kept_mean(values, set(order[drop : m - drop]), ("trim", {"dropped": drop}))


def mad(values, _weights, _knobs):
    center = median(values)[0]
    deviation = median([abs(value - center) for value in values])[0]
    limit = 3 * 1.4826 * deviation
    kept = {i for i, value in enumerate(values) if abs(value - center) <= limit}
    return kept_mean(values, kept, ("filter", {"median": center, "mad": deviation, "limit": limit}))


def hodges_lehmann(values, _weights, _knobs):
    if len(values) == 1:
        return values[0], {"hodges-lehmann": {"pairs": 0}}, [None], set()
    means = [(a + b) / 2 for a, b in combinations(sorted(values), 2)]
    value, low, high = median(means)
    steps = {"hodges-lehmann": {"pairs": len(means), "low": low, "high": high}}
    return value, steps, [None] * len(values), set()


def pyth(values, _weights, knobs):
    confidence, votes, invalid = knobs["noise"] / math.sqrt(3), [], set()
    for i, value in enumerate(values):
        price = int(half_away(value * 1e8))
        conf = max(1, int(half_away(abs(value) * confidence * 1e8)))
        if abs(price) + conf < 2**63:
            votes += [price - conf, price, price + conf]
        else:
            invalid.add(i)
    if not votes:
        return None
    votes.sort()
    low, high = votes[(len(votes) - 1) // 2], votes[len(votes) // 2]
    steps = {"pyth": {"votes": len(votes), "confidence": confidence, "low": low / 1e8, "high": high / 1e8}}
    return (low + high) // 2 / 1e8, steps, [None] * len(values), invalid


ALL = {
    "average": average,
    "median": middle,
    "majority": majority,
    "upper-median": upper_median,
    "weighted-median": weighted_median,
    "trimmed-mean": trimmed_mean,
    "mad": mad,
    "hodges-lehmann": hodges_lehmann,
    "pyth": pyth,
}
DROPPED = {"trimmed-mean": "trimmed", "mad": "outlier"}
