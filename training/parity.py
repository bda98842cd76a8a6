#!/usr/bin/env python3
"""Make the fixtures that hold the burn model in crates/vatic-train to this one.

    python3 training/parity.py crates/vatic-train/tests/fixtures

Writes a tiny random model (float.safetensors), what export.py makes of it (model.safetensors, with vocabulary.tsv,
config.json and train/text.bin, whose counts make the groups), and expected.safetensors: tokens; without and with simulated
quantisation, the hidden rows, the logits of all groups and of the target groups' tokens (both from the rows without, so
that no activation's rounding blurs them) and the nats that all targets cost; and the first values of each tensor after
three training steps.
"""

import json
import pathlib
import sys

import numpy as np
import torch
from safetensors.torch import save_file

import export
import groups
from model import Config, Transformer
from train import Muon

ROWS, LENGTH, STEPS, KEPT = 2, 24, 3, 8
RECIPE = {
    "seed": 1, "length": LENGTH, "rows": ROWS, "muon_lr": 0.02, "momentum": 0.95, "weight_decay": 0.05, "adam_lr": 0.004,
    "warm_up_steps": 1, "warm_down": 0.0, "quantise_last": 0.0,
}


def random_model(config: Config, starts) -> Transformer:
    """As a trained model might be: no tensor zero, and activations of every size."""
    model = Transformer(config, starts)
    with torch.no_grad():
        model.embed.normal_(0, 0.3)
        model.head.normal_(0, 0.3)
        for small in (model.embed_bias, model.head_bias, model.offset):
            small.normal_(0, 0.2)
        for layer in model.layers:
            layer.out.normal_(0, 0.1)
            layer.down.normal_(0, 0.1)
            layer.gain.uniform_(0.5, 2.5)
            layer.mix.copy_(torch.tensor([0.9, 0.2]) + 0.05 * torch.randn(2))
    return model


def trained(model: Transformer, x, y):
    """The first values of each tensor after a few steps on one batch, by the names of the model file."""
    matrices = [p for layer in model.layers for p in (layer.qkv, layer.out, layer.up, layer.down)]
    others = [model.embed, model.head, model.embed_bias, model.head_bias] + [p for layer in model.layers for p in (layer.gain, layer.mix)]
    optimisers = [
        Muon(matrices, RECIPE["muon_lr"], RECIPE["momentum"], RECIPE["weight_decay"]),
        torch.optim.AdamW(others, lr=RECIPE["adam_lr"], betas=(0.9, 0.95), weight_decay=0.0),
    ]
    for _ in range(STEPS):
        (model.nats(x, y) / y.numel()).backward()
        for optimiser in optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
    values = {"embed.weight": model.embed[x[0, 0]], "embed.bias": model.embed_bias}
    values |= {"head.weight": model.head, "head.bias": model.head_bias, "head.offset": model.offset}
    for n, layer in enumerate(model.layers):
        values |= {f"layers.{n}.{m}.weight": getattr(layer, m) for m in export.MATRICES}
        values |= {f"layers.{n}.gain": layer.gain, f"layers.{n}.mix": layer.mix}
    return {f"after.{name}": t.detach().flatten()[:KEPT].clone() for name, t in values.items()}


def main():
    folder = pathlib.Path(sys.argv[1])
    (folder / "train").mkdir(parents=True, exist_ok=True)
    torch.manual_seed(7)
    torch.set_num_threads(1)
    config = Config(name="tiny", vocab=320, groups=64, width=32, layers=2, heads=2, kv_heads=1, hidden=64,
                    windows=[8, 5], rope_period=64)
    # The last tokens are the most frequent: single ones, where padding to the largest group goes beyond the vocabulary.
    text = config.vocab - np.random.default_rng(7).geometric(0.02, 4000).clip(1, config.vocab)
    text.astype("<u2").tofile(folder / "train" / "text.bin")
    counts = export.token_counts(folder / "train", {"text": 1.0}, config.vocab)
    model = random_model(config, groups.balanced(counts.tolist(), config.groups))
    export.save_float(model, counts, folder / "float.safetensors")

    tokens = torch.randint(config.vocab, (ROWS, LENGTH + 1))
    x, y = tokens[:, :-1], tokens[:, 1:]
    both = lambda of: torch.stack([of(quantise) for quantise in (False, True)])
    with torch.no_grad():
        hidden, targets = model(x).flatten(0, 1), model.group_of[y.flatten()]
        expected = {
            "tokens": tokens.int(),
            "hidden": both(lambda quantise: model(x, quantise).flatten(0, 1)),
            "group_logits": both(lambda quantise: model.group_logits(hidden, quantise)),
            "leaf_logits": both(lambda quantise: model.leaf_logits(hidden, targets, quantise)),
            "nats": both(lambda quantise: model.nats(x, y, quantise)),
        }
    expected |= trained(model, x, y)
    save_file({name: t.contiguous() for name, t in expected.items()}, folder / "expected.safetensors")

    pairs = [bytes([97 + i, 97 + j]) for i in range(8) for j in range(8)]
    vocabulary = [bytes([byte]) for byte in range(256)] + pairs
    (folder / "vocabulary.tsv").write_text("".join(f"{token.hex()}\n" for token in vocabulary))
    settings = {"model": {k: v for k, v in vars(config).items()}, "training": RECIPE, "domains": {"text": 1.0}}
    (folder / "config.json").write_text(json.dumps(settings, indent=2) + "\n")
    sys.argv = ["export.py", *(str(folder / name) for name in (
        "float.safetensors", "vocabulary.tsv", "model.safetensors"))]
    export.main()


if __name__ == "__main__":
    main()
