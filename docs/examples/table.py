#!/usr/bin/env python3
"""Prints the table of the article's section 4.5: 100 samples of 10 features and a label 0 or 1, as CSV.

    python3 docs/examples/table.py > table.csv

The article draws features and labels at random, so that there is nothing to learn. Here the label follows from the
features, but for one label in twenty, which is turned round. The numbers follow from the seed.
"""
import random

generator = random.Random(45)


def bell(deviation):
    """A number around 0: the sum of twelve uniform ones. `random` promises the same numbers from any version for these alone."""
    return deviation * (sum(generator.random() for _ in range(12)) - 6)


print(",".join([f"x{feature}" for feature in range(1, 11)] + ["label"]))
for _ in range(100):
    # Each feature has a scale of its own, as the columns of a real table have.
    features = [10 * feature + bell(feature) for feature in range(1, 11)]
    bends = [(value - 10 * feature) / feature for feature, value in enumerate(features, start=1)]
    label = 2 * bends[0] - bends[1] + bends[2] + 1.5 * max(bends[3], 0) - 1.5 * max(bends[4], 0) > 0
    if generator.random() < 0.05:
        label = not label
    print(",".join([f"{value:.4f}" for value in features] + [str(int(label))]))
