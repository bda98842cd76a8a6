#!/usr/bin/env python3
"""Draw a model's training: loss of the training batches, and bits per byte of the dev text by domain, over tokens.

    python3 training/plot.py models/swift models/swift/training.svg

Needs matplotlib. Reads training.csv and dev.csv in the folder.
"""

import csv
import math
import pathlib
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "vatic"  # the same file from the same figures
import matplotlib.pyplot as plt


def smooth(values, weight=0.9):
    """An exponential average without the bias of its start."""
    out, average, total = [], 0.0, 0.0
    for value in values:
        average, total = weight * average + (1 - weight) * value, weight * total + (1 - weight)
        out.append(average / total)
    return out


def main():
    folder, out = map(pathlib.Path, sys.argv[1:3])
    with (folder / "training.csv").open() as file:
        steps = list(csv.DictReader(file))
    with (folder / "dev.csv").open() as file:
        dev = list(csv.DictReader(file))
    millions = [int(row["tokens"]) / 1e6 for row in steps]
    per_step = int(steps[0]["tokens"]) / int(steps[0]["step"])

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5))
    bits = [float(row["loss"]) / math.log(2) for row in steps]
    left.plot(millions, bits, linewidth=0.4, color="0.7", label=f"batch of {per_step:,.0f} tokens")
    left.plot(millions, smooth(bits), color="C0", label="average of about ten")
    rate = left.twinx()
    rate.plot(millions, [float(row["rate"]) for row in steps], color="C3", linewidth=0.8)
    rate.set_ylim(0, 4)
    rate.set_yticks([0, 0.5, 1])
    rate.set_ylabel("learning rate, of its peak", color="C3", loc="bottom")
    left.set_xlabel("million tokens")
    left.set_ylabel("training loss, bits per token")
    left.legend()

    domains = [name for name in dev[0] if name not in ("step", "seconds", "quantised")]
    whole = [row for row in dev if row["quantised"] in ("0", "False")]
    at = [int(row["step"]) * per_step / 1e6 for row in whole]
    for n, domain in enumerate(domains):
        right.plot(at, [float(row[domain]) for row in whole], marker=".", markersize=3, linewidth=1,
                   linestyle="-" if n < 10 else "--", label=domain)
    right.set_xlabel("million tokens")
    right.set_ylabel("dev text, bits per byte")
    right.legend(fontsize=7, ncols=2)
    figure.tight_layout()
    figure.savefig(out, metadata={"Date": None})


if __name__ == "__main__":
    main()
