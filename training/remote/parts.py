#!/usr/bin/env python3
"""Takes the corpus to a machine that has none, in parts that each hold a share of every domain.

    python3 training/remote/parts.py pack TOKENS_DIR PARTS_DIR [--parts 3]      here: PARTS_DIR/0/code.0.xz …
    python3 training/remote/parts.py counts TOKENS_DIR CONFIG base.counts       here: the tree's counts, from all of it
    python3 training/remote/parts.py half FLOAT.safetensors swift.half          here: weights to begin with; there: to come back
    python3 training/remote/parts.py unpack PARTS_DIR/0 TOKENS_DIR              there: TOKENS_DIR/train/code.0.bin …
    python3 training/remote/parts.py float swift.half FLOAT.safetensors         here: what came back

train.py takes up parts as they come, so it can begin with the first. What comes back (run.sh) is the model file and the weights
as halves, whose eleven bits are several times finer than the int8 that is made of them, in pieces that `cat` joins.
"""

import argparse
import json
import lzma
import pathlib
import sys
from multiprocessing import Pool

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

# Tokens are numbers of two bytes: literals and positions in pairs.
FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9, "lc": 3, "lp": 1, "pb": 1, "dict_size": 64 << 20}]


def pack_one(source, target, part, parts):
    tokens = np.fromfile(source, dtype="<u2")
    share = tokens[len(tokens) * part // parts:len(tokens) * (part + 1) // parts]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(lzma.compress(share.tobytes(), filters=FILTERS))
    print(target, target.stat().st_size, flush=True)


def unpack_one(source, target):
    partial = target.with_suffix(".partial")
    partial.write_bytes(lzma.decompress(source.read_bytes()))
    partial.rename(target)


def convert(path, target, of: str, to: str):
    import torch
    from safetensors import safe_open
    from safetensors.torch import save_file
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}
        changed = lambda t: t.to(getattr(torch, to)) if t.dtype == getattr(torch, of) else t
        save_file({name: changed(t) for name, t in tensors.items()}, target, metadata=file.metadata())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, places in dict(pack="tokens out", counts="tokens config out", half="file out", float="file out",
                             unpack="part out").items():
        command = commands.add_parser(name)
        for place in places.split():
            command.add_argument(place, type=pathlib.Path)
        if name == "pack":
            command.add_argument("--parts", type=int, default=3)
    args = parser.parse_args()
    if args.command == "pack":
        sources = sorted((args.tokens / "train").glob("*.bin"))
        jobs = [(s, args.out / str(k) / f"{s.stem}.{k}.xz", k, args.parts) for k in range(args.parts) for s in sources]
        with Pool() as pool:
            pool.starmap(pack_one, jobs, chunksize=1)
    elif args.command == "unpack":
        (args.out / "train").mkdir(parents=True, exist_ok=True)
        with Pool() as pool:
            sources = sorted(args.part.glob("*.xz"))
            pool.starmap(unpack_one, [(s, args.out / "train" / f"{s.stem}.bin") for s in sources], chunksize=1)
    elif args.command == "counts":
        from safetensors.torch import save_file
        import export
        settings = json.loads(args.config.read_text())
        weights = settings.get("tree", settings["domains"])
        save_file({"tree.counts": export.token_counts(args.tokens / "train", weights, settings["model"]["vocab"])}, args.out)
    elif args.command == "half":
        convert(args.file, args.out, "float32", "float16")
    else:
        convert(args.file, args.out, "float16", "float32")


if __name__ == "__main__":
    main()
