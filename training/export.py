#!/usr/bin/env python3
"""Make the model file that the runtime reads: int8 weights, scales, tables, tokenizer and tree in one safetensors.

    python3 training/export.py RUN_DIR/float.safetensors models/vocabulary.tsv models/swift/model.safetensors
"""

import argparse
import json
import pathlib

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from model import Config, Transformer, WEIGHT_LEVELS

MATRICES = ("qkv", "out", "up", "down")


def save_float(model: Transformer, counts: torch.Tensor, path: pathlib.Path):
    """The float weights under the model file's names, with the groups and the counts that they were made from."""
    tensors = {"embed.weight": model.embed, "embed.bias": model.embed_bias}
    tensors |= {"head.weight": model.head, "head.bias": model.head_bias, "head.offset": model.offset}
    for n, layer in enumerate(model.layers):
        tensors |= {f"layers.{n}.{m}.weight": getattr(layer, m) for m in MATRICES}
        tensors |= {f"layers.{n}.gain": layer.gain, f"layers.{n}.mix": layer.mix}
    tensors |= {"head.starts": model.starts.cpu().to(torch.uint32), "tree.counts": counts}
    tensors = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
    partial = path.with_suffix(".partial")
    save_file(tensors, partial, metadata={"vatic": model.config.to_json()})
    partial.replace(path)


@torch.no_grad()
def mean_hidden(model: Transformer, batches) -> torch.Tensor:
    """The mean, [width], of what the model's output is made of, over some batches of tokens."""
    return torch.stack([model(tokens).flatten(0, 1).mean(0) for tokens in batches]).mean(0)


def quantise(weight):
    scale = weight.abs().amax(-1) / WEIGHT_LEVELS
    levels = torch.round(weight / scale.clamp_min(1e-12)[:, None]).clamp(-WEIGHT_LEVELS, WEIGHT_LEVELS)
    return levels.to(torch.int8), scale.float()


def token_counts(folder: pathlib.Path, weights: dict[str, float], size: int) -> torch.Tensor:
    """How often each token occurs in a domain mix of ten million tokens, at least once: the shape of the token tree."""
    counts = np.zeros(size)
    for domain, weight in weights.items():
        ids = np.fromfile(folder / f"{domain}.bin", dtype="<u2")
        counts += np.bincount(ids, minlength=size) * (weight / len(ids))
    return torch.from_numpy(np.maximum(1, np.rint(counts * 1e7 / counts.sum())).astype(np.uint32))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("float", "vocabulary", "output"):
        parser.add_argument(name, type=pathlib.Path)
    args = parser.parse_args()
    with safe_open(args.float, "pt") as source:
        config = Config(**json.loads(source.metadata()["vatic"]))
        weights = {name: source.get_tensor(name) for name in source.keys()}
    tensors = {}
    for name, weight in weights.items():
        if name.endswith(".weight"):
            tensors[name], tensors[name.removesuffix("weight") + "scale"] = quantise(weight)
        else:
            tensors[name] = weight
    model = Transformer(config, weights["head.starts"].tolist())
    tensors["rope.cos"], tensors["rope.freq"] = model.rope_cos, model.rope_freq
    tokens = [bytes.fromhex(line) for line in args.vocabulary.read_text().split()]
    tensors["tokenizer.bytes"] = torch.from_numpy(np.frombuffer(b"".join(tokens), dtype=np.uint8).copy())
    tensors["tokenizer.lengths"] = torch.tensor([len(t) for t in tokens], dtype=torch.uint8)
    args.output.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: t.contiguous() for name, t in tensors.items()}, args.output, metadata={"vatic": config.to_json()})
    print(args.output, args.output.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
