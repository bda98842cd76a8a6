#!/usr/bin/env python3
"""Average the float weights of several runs of one model, each of which went on from the one before or from the same start.

    python3 training/average.py OUTPUT.safetensors RUN_DIR/float.safetensors RUN_DIR/float.safetensors…

Name and windows, which are no weights, may differ: those of the last one are taken. Where the learning rate has fallen to nothing, runs differ by what chance their last windows were; their mean lies lower than
each (Wortsman et al., Model soups, 2022), and the mean of a specialist and what it was trained from loses less of the rest (Wortsman et al., Robust fine-tuning
of zero-shot models, 2022). docs/decisions.md has what it brought.
"""

import argparse
import json
import pathlib

import torch
from safetensors import safe_open
from safetensors.torch import save_file


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("runs", type=pathlib.Path, nargs="+")
    args = parser.parse_args()
    sums, shape = {}, None
    for path in args.runs:
        with safe_open(path, "pt") as file:
            metadata = file.metadata()
            own = json.loads(metadata["vatic"]) | {"name": None, "windows": None}
            shape = shape or own
            assert shape == own, f"{path} is another model"
            for name in file.keys():
                tensor = file.get_tensor(name)
                if not tensor.is_floating_point():
                    assert name not in sums or torch.equal(sums[name], tensor), f"{path}: {name} is different"
                    sums[name] = tensor
                else:
                    sums[name] = sums.get(name, 0) + tensor / len(args.runs)
    save_file(sums, args.output, metadata=metadata)


if __name__ == "__main__":
    main()
