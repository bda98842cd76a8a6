#!/usr/bin/env python3
"""What each part of the recipe is worth: small models, one change each, the same tokens in the same order.

    python3 training/ablate.py TOKENS_DIR models/vocabulary.tsv training/ablations.csv [NAME]…

Trains every trial in TRIALS (or those named) for --steps steps and appends a line each to the table: multiply-adds per token,
bits per byte of each domain's dev text, and their mean by the domains' weights. Shapes differ by at most 5 % in
multiply-adds. What a small model learns in a few million tokens decides between recipes only where the difference is well
beyond that of two seeds, which is among the trials.
"""

import argparse
import csv
import dataclasses
import json
import pathlib
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

import export
import groups
from model import HEAD_DIM, Config, Layer, Transformer, attend, rms, rotate
from train import HALF_ON_CPU, Muon, Sampler, evaluate, token_lengths

CONFIGURATION = pathlib.Path(__file__).parent / "configs" / "base.json"
ROWS, LENGTH, WARM_UP = 16, 512, 40
SHAPE = dict(width=128, layers=4, heads=2, kv_heads=1, hidden=384, windows=[64, 512, 64, 512])


@dataclasses.dataclass
class Trial:
    """One recipe; the defaults are what the shipped models have."""

    shape: dict = dataclasses.field(default_factory=dict)  # in place of some of SHAPE
    qk_norm: bool = True
    activation: str = "relu2"  # or gelu, relu
    first_mixed: bool = True  # the first embedding, mixed into every layer
    exclusive: bool = False  # attention without what it takes from the token's own value (XSA)
    parallel: bool = False  # attention and feed-forward from the same input
    skips: bool = False  # the first half's outputs added to the second half's inputs, as in a U-Net
    soft_cap: float = 0.0  # logits held within ± so much by a hyperbolic tangent
    untied: bool = False  # rows of their own for the tokens of a group
    copy_hint: bool = False  # the token that followed the longest earlier match, as a second embedding
    muon: bool = True  # for the matrices, or else AdamW
    muon_lr: float = 0.02
    adam_lr: float = 0.008
    weight_decay: float = 0.05
    warm_down: float = 0.7
    average: float = 0.0  # of the weights, exponentially; the evaluated weights are the average's
    seed: int = 1


TRIALS = {
    "as shipped": Trial(),
    "another seed": Trial(seed=2),
    "6 layers of width 104": Trial(dict(layers=6, width=104, hidden=312, windows=[64, 64, 512, 64, 64, 512])),
    "3 layers of width 152": Trial(dict(layers=3, width=152, hidden=456, windows=[64, 512, 512])),
    "as many keys as queries, hidden 320": Trial(dict(kv_heads=2, hidden=320)),
    "hidden 512, width 112": Trial(dict(hidden=512, width=112)),
    "no QK-norm": Trial(qk_norm=False),
    "rotary on all 64 dimensions": Trial(dict(rope_dims=64)),
    "rotary on 16 dimensions": Trial(dict(rope_dims=16)),
    "GELU": Trial(activation="gelu"),
    "ReLU": Trial(activation="relu"),
    "first embedding not mixed in": Trial(first_mixed=False),
    "exclusive self-attention": Trial(exclusive=True),
    "parallel residuals": Trial(parallel=True),
    "U-Net skips": Trial(skips=True),
    "soft-cap of 15": Trial(soft_cap=15.0),
    "untied rows": Trial(untied=True),
    "copy hint": Trial(copy_hint=True),
    "AdamW for all": Trial(muon=False),
    "no weight decay": Trial(weight_decay=0.0),
    "AdamW's rate halved": Trial(adam_lr=0.004),
    "AdamW's rate doubled": Trial(adam_lr=0.016),
    "Muon's rate halved": Trial(muon_lr=0.01),
    "Muon's rate doubled": Trial(muon_lr=0.04),
    "rate falls over the last fifth": Trial(warm_down=0.2),
    "rate falls from the start": Trial(warm_down=1.0),
    "mean of weights (0.98)": Trial(average=0.98),
    # With other tokens and vocabularies, steps and dev tokens for as many bytes (models/vocabulary.tsv is of 8192 tokens):
    "vocabulary of 4096": Trial(dict(width=112, hidden=352)),
    "vocabulary of 16384": Trial(dict(width=136, hidden=424)),
    "vocabulary with numbers of up to three digits": Trial(),
}


class Model(Transformer):
    """The transformer with the trial's changes, in floating point."""

    def __init__(self, trial: Trial, config: Config, starts):
        super().__init__(config, starts)
        self.trial = trial
        if trial.untied:
            self.rows = nn.Parameter(torch.randn(config.vocab, config.width) * 0.02)
        if trial.copy_hint:
            self.hint = nn.Parameter(torch.randn(config.vocab, config.width) * 0.02)
        if trial.skips:
            self.skips = nn.Parameter(torch.ones(config.layers // 2))

    def forward(self, tokens, hints=None):
        time, period, trial = tokens.shape[1], self.config.rope_period, self.trial
        turns = (torch.arange(time)[:, None] * self.rope_freq[None, :]) % period
        cos, sin = self.rope_cos[turns], self.rope_cos[(turns - period // 4) % period]
        x = rms(F.embedding(tokens, self.embed))
        if hints is not None:
            x = rms(x + F.embedding(hints.clamp_min(0), self.hint) * (hints >= 0).unsqueeze(-1))
        first, saved = x, []
        for n, layer in enumerate(self.layers):
            if trial.skips and n >= len(self.layers) - len(saved):
                x = x + self.skips[len(saved) - 1] * saved.pop()
            x = self.layer(layer, x, first, cos, sin)
            if trial.skips and n < len(self.layers) // 2:
                saved.append(x)
        return rms(x)

    def layer(self, layer: Layer, x, first, cos, sin):
        c, trial, (batch, time, _) = self.config, self.trial, x.shape
        if trial.first_mixed:
            x = layer.mix[0] * x + layer.mix[1] * first
        qkv = F.linear(rms(x), layer.qkv).view(batch, time, -1, HEAD_DIM).transpose(1, 2)
        q, k, v = qkv.split([c.heads, c.kv_heads, c.kv_heads], dim=1)
        if trial.qk_norm:
            q, k = rms(q), rms(k)
        q = rotate(q, cos, sin) * layer.gain.view(1, -1, 1, 1)
        attended = attend(q, rotate(k, cos, sin), v, layer.window, None)
        if trial.exclusive:
            own = F.normalize(v, dim=-1).repeat_interleave(c.heads // c.kv_heads, 1)
            attended = attended - (attended * own).sum(-1, keepdim=True) * own
        attended = F.linear(attended.transpose(1, 2).reshape(batch, time, -1), layer.out)
        hidden = F.linear(rms(x if trial.parallel else x + attended), layer.up)
        hidden = {"relu2": lambda h: F.relu(h).square(), "gelu": F.gelu, "relu": F.relu}[trial.activation](hidden)
        return x + attended + F.linear(hidden, layer.down)

    def capped(self, logits):
        cap = self.trial.soft_cap
        return cap * torch.tanh(logits / cap) if cap else logits

    def of_groups(self, tokens, following, hints=None):
        with torch.autocast("cpu", torch.bfloat16, enabled=HALF_ON_CPU):
            hidden = self(tokens, hints).flatten(0, 1)
            logits = self.capped(self.group_logits(hidden).float())
        return F.cross_entropy(logits, self.group_of[following.flatten()], reduction="sum"), hidden

    def leaf_rows(self):
        return self.rows if self.trial.untied else self.embed

    def leaf_logits(self, hidden, groups, quantise=False):
        logits = super().leaf_logits(hidden, groups, quantise)
        return torch.where(logits.isinf(), logits, self.capped(logits))


def copy_hints(tokens, lengths=(6, 3, 2)):
    """For each position the token that followed the latest earlier occurrence of the longest context that has one, or −1."""
    hints = torch.full_like(tokens, -1)
    for row, ids in enumerate(tokens.tolist()):
        after = {}
        for at in range(len(ids)):
            contexts = [tuple(ids[at + 1 - n:at + 1]) for n in lengths if at + 1 >= n]
            hints[row, at] = next((after[c] for c in contexts if c in after), -1)
            if at + 1 < len(ids):
                after |= dict.fromkeys(contexts, ids[at + 1])
    return hints


def run(trial: Trial, settings, counts, sampler, lengths, steps: int, dev_tokens: int):
    config = Config(**(settings["model"] | SHAPE | trial.shape | dict(name="trial")))
    torch.manual_seed(trial.seed)
    model = Model(trial, config, groups.balanced(counts.tolist(), config.groups))
    matrices = [p for layer in model.layers for p in (layer.qkv, layer.out, layer.up, layer.down)]
    others = [p for p in model.parameters() if all(p is not m for m in matrices)]
    adam = dict(betas=(0.9, 0.95), fused=True)
    optimisers = [
        Muon(matrices, trial.muon_lr, 0.95, trial.weight_decay) if trial.muon
        else torch.optim.AdamW(matrices, lr=0.003, weight_decay=trial.weight_decay, **adam),
        torch.optim.AdamW(others, lr=trial.adam_lr, weight_decay=0.0, **adam),
    ]
    peaks = [o.param_groups[0]["lr"] for o in optimisers]
    sampler.restart(trial.seed)
    forward = torch.compile(model.of_groups, dynamic=False)
    hints = copy_hints if trial.copy_hint else lambda tokens: None
    mean = [p.detach().clone() for p in model.parameters()]
    for step in range(steps):
        rate = min(1.0, (step + 1) / WARM_UP, max(0.02, (1 - step / steps) / trial.warm_down))
        for optimiser, peak in zip(optimisers, peaks):
            optimiser.param_groups[0]["lr"] = peak * rate
        x, y = sampler.batch(ROWS)
        nats, hidden = forward(x, y, hints(x))
        ((nats + model.leaf_nats(hidden.float(), y.flatten())) / y.numel()).backward()
        for optimiser in optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        if trial.average:
            torch._foreach_lerp_(mean, [p.detach() for p in model.parameters()], 1 - trial.average)
    if trial.average:
        with torch.no_grad():
            torch._foreach_copy_(list(model.parameters()), mean)

    def nats_of(x, y, _):
        nats, hidden = model.of_groups(x, y, hints(x))
        return nats + model.leaf_nats(hidden.float(), y.flatten())

    return config, evaluate(nats_of, sampler.folder.parent / "dev", settings["domains"], lengths, LENGTH, dev_tokens, False)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("tokens", "vocabulary", "table"):
        parser.add_argument(name, type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--steps", type=int, default=400, help=f"of {ROWS} windows of {LENGTH} tokens")
    parser.add_argument("--dev-tokens", type=int, default=8192, help="of each domain")
    args = parser.parse_args()
    settings = json.loads(CONFIGURATION.read_text())
    domains = settings["domains"]
    lengths = token_lengths(args.vocabulary)
    settings["model"]["vocab"] = len(lengths)
    counts = export.token_counts(args.tokens / "train", domains, len(lengths))
    sampler = Sampler(args.tokens / "train", domains, LENGTH, 1, torch.device("cpu"))
    new = not args.table.exists()
    with args.table.open("a", buffering=1) as file:
        table = csv.writer(file, lineterminator="\n")
        if new:
            table.writerow(["trial", "tokens", "multiply-adds", "mean", *domains])
        for name in args.names or TRIALS:
            began = time.monotonic()
            torch._dynamo.reset()
            config, scores = run(TRIALS[name], settings, counts, sampler, lengths, args.steps, args.dev_tokens)
            mean = sum(scores[d] * w for d, w in domains.items()) / sum(domains.values())
            table.writerow([name, args.steps * ROWS * LENGTH, config.multiply_adds(), f"{mean:.4f}",
                            *(f"{s:.4f}" for s in scores.values())])
            print(f"{name}: {mean:.4f} ({config.multiply_adds() / 1e6:.2f} M, {time.monotonic() - began:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
