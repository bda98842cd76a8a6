#!/usr/bin/env python3
"""Centre the float weights of a run that ended before it did so itself: the same function, but one that int8 does not hurt.

    python3 training/centre.py RUN_DIR/float.safetensors TOKENS_DIR CENTRED.safetensors

The means are those of the beginnings of all domains' training tokens.
"""

import argparse
import json
import pathlib

import numpy as np
import torch
from safetensors import safe_open

import export
import train
from model import Config, Transformer

ROWS, LENGTH = 4, 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("float", "tokens", "output"):
        parser.add_argument(name, type=pathlib.Path)
    args = parser.parse_args()
    with safe_open(args.float, "pt") as file:
        config = Config(**json.loads(file.metadata()["vatic"]) | {"format": Config.format})
        starts, counts = file.get_tensor("head.starts").tolist(), file.get_tensor("tree.counts")
    model = Transformer(config, starts)
    train.start_from(model, args.float)
    beginning = lambda path: np.fromfile(path, dtype="<u2", count=ROWS * LENGTH).astype(np.int64).reshape(ROWS, LENGTH)
    mean = export.mean_hidden(model, (torch.from_numpy(beginning(p)) for p in sorted((args.tokens / "train").glob("*.bin"))))
    model.centre(mean)
    export.save_float(model, counts, args.output)
    print(f"largest mean {mean.abs().max():.2f}, all others together {mean.square().sum().sub(mean.square().max()).sqrt():.2f}")


if __name__ == "__main__":
    main()
