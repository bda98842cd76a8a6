#!/usr/bin/env python3
"""Train a model: Muon for the matrices, AdamW for the rest, quantisation simulated towards the end.

    python3 training/train.py training/configs/swift.json TOKENS_DIR models/vocabulary.tsv RUN_DIR --minutes 120

TOKENS_DIR has train/<domain>.bin (or parts of it: training/remote) and dev/<domain>.bin as the tokenizer's `encode` example
writes them. RUN_DIR gets
checkpoint.pt (resumed from when it is there), log.csv, dev.csv and, at the end, float.safetensors. The schedule runs
by the clock: the learning rate is constant, then falls to nearly zero over the last part of the minutes given.

--start MODEL takes its first weights from a model file, or a run's float.safetensors, of the same width. A configuration with a
multiple of its layers gets after each of them new ones that look where it does (Gong et al., Efficient training of BERT by
progressively stacking, 2019), one with more hidden units gets random ones (Chen et al., Net2Net, 2016), and neither writes
anything yet, so that the model begins with the same function. Tree and groups follow the configuration's domains, or those
under "tree": a group that the file has not gets its output from those of its tokens. --seed draws other windows than an
earlier run did that began anew. Runs on a GPU where there is one; products are computed in bfloat16 there and on CPUs that
have it.
"""

import argparse
import csv
import json
import math
import pathlib
import time

import numpy as np
import torch
import torch.nn.functional as F

import export
import groups
from model import Config, Layer, Transformer, window_mask
from safetensors import safe_open


def muon_directions(gradients):
    """Each gradient's nearest semi-orthogonal matrix, by five Newton-Schulz steps (Jordan et al., Muon, 2024).

    `gradients`: [n, rows, columns]. In bfloat16 where the processor has it, which is exact enough: only the directions
    are wanted, and the steps correct themselves.
    """
    x = gradients / (gradients.norm(dim=(1, 2), keepdim=True) + 1e-7)
    tall = x.shape[1] > x.shape[2]
    x = (x.mT if tall else x).to(MUON_TYPE).contiguous()
    for _ in range(5):
        a = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(a, a, a, beta=-4.7750, alpha=2.0315), x, beta=3.4445)
    return (x.mT if tall else x).float()


HALF_ON_CPU = torch.cpu._is_avx512_bf16_supported()
MUON_TYPE = torch.bfloat16 if torch.cuda.is_available() or HALF_ON_CPU else torch.float32


class Muon(torch.optim.Optimizer):
    """The matrices of one shape take their step together."""

    def __init__(self, params, lr, momentum, weight_decay):
        super().__init__(params, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            shapes = {}
            for p in group["params"]:
                shapes.setdefault(p.shape, []).append(p)
            for shape, params in shapes.items():
                leading = []
                for p in params:
                    buffer = self.state[p].setdefault("momentum", torch.zeros_like(p))
                    buffer.lerp_(p.grad, 1 - group["momentum"])
                    leading.append(p.grad.lerp(buffer, group["momentum"]))
                updates = muon_directions(torch.stack(leading))
                torch._foreach_mul_(params, 1 - group["lr"] * group["weight_decay"])
                torch._foreach_add_(params, updates.unbind(), alpha=-group["lr"] * max(1, shape[0] / shape[1]) ** 0.5)


class Sampler:
    """Windows of the domains' token files, all of a domain once before any again, a domain drawn by its weight for each row.

    A domain's tokens are in DOMAIN.bin or in parts, DOMAIN.*.bin; parts that come while training goes on are taken up by
    `look`. All tokens are held on `device`.
    """

    def __init__(self, folder: pathlib.Path, weights: dict[str, float], length: int, seed: int, device: torch.device):
        self.folder, self.length = folder, length
        self.names, total = list(weights), sum(weights.values())
        self.weights = [w / total for w in weights.values()]
        self.known, self.parts = set(), [[] for _ in weights]
        self.tokens = torch.empty(0, dtype=torch.int16, device=device)  # ids are below 2¹⁵
        self.places = torch.arange(length + 1, device=device)
        self.restart(seed)
        self.look()
        for name, parts in zip(self.names, self.parts):
            assert any(size > length for _, size in parts), f"{folder} has no window of {length} tokens of {name}"

    def restart(self, seed: int):
        self.rng = np.random.default_rng(seed)
        self.waiting = [[] for _ in self.names]

    def look(self):
        """Takes up the parts that are new."""
        for path in sorted(self.folder.glob("*.bin")):
            name = path.name.split(".")[0]
            if path in self.known or name not in self.names:
                continue
            self.known.add(path)
            tokens = torch.from_numpy(np.fromfile(path, dtype="<i2")).to(self.tokens.device)
            domain, part = self.names.index(name), (len(self.tokens), len(tokens))
            self.tokens = torch.cat([self.tokens, tokens])
            self.parts[domain].append(part)
            self.add(domain, [part])

    def add(self, domain: int, parts):
        """Puts the windows of parts among those that wait, in an order by chance; each time they begin elsewhere."""
        for first, size in parts:
            room = size - self.length
            if room > 0:
                begin = int(self.rng.integers(0, min(self.length, room)))
                self.waiting[domain] += range(first + begin, first + room, self.length)
        self.rng.shuffle(self.waiting[domain])

    def start(self, domain: int) -> int:
        while not self.waiting[domain]:
            self.add(domain, self.parts[domain])
        return self.waiting[domain].pop()

    def batch(self, rows: int):
        domains = self.rng.choice(len(self.weights), rows, p=self.weights)
        starts = torch.tensor([self.start(d) for d in domains]).to(self.places.device, non_blocking=True)
        tokens = self.tokens[starts[:, None] + self.places].long()
        return tokens[:, :-1], tokens[:, 1:]


@torch.no_grad()
def start_from(model: Transformer, path: pathlib.Path):
    """Takes the weights of a model file, int8 times their scales, or of a float file; a model of more layers gets new ones."""
    with safe_open(path, "pt") as file:
        known = set(file.keys())

        def matrix(name):
            weight = file.get_tensor(f"{name}.weight").float()
            return weight * file.get_tensor(f"{name}.scale")[:, None] if f"{name}.scale" in known else weight

        def rows(name):
            """A matrix of the output with its biases as one more column."""
            weight, bias = matrix(name), f"{name}.bias"
            return torch.cat([weight, (file.get_tensor(bias).float() if bias in known else torch.zeros(len(weight)))[:, None]], 1)

        if "head.offset" in known:
            model.offset.copy_(file.get_tensor("head.offset"))
        logits = rows("embed")
        model.embed.copy_(logits[:, :-1])
        model.embed_bias.copy_(logits[:, -1])
        counts = file.get_tensor("tree.counts").float()
        mean = lambda of, groups, values: (torch.zeros(groups, values.shape[1]).index_add(0, of, values * counts[:, None])
                                           / torch.zeros(groups).index_add(0, of, counts)[:, None])
        if "head.weight" in known:
            # What a token adds to its group's logit to first order; groups that are the same keep their rows.
            starts, head = file.get_tensor("head.starts").long(), rows("head")
            of = torch.searchsorted(starts, torch.arange(len(counts)), right=True) - 1
            logits = head[of] + logits - mean(of, len(starts), logits)[of]
        logits = mean(model.group_of, model.config.groups, logits)
        model.head.copy_(logits[:, :-1])
        model.head_bias.copy_(logits[:, -1])
        layers = sum(name.endswith(".gain") for name in known)
        copies, rest = divmod(len(model.layers), layers)
        assert rest == 0, f"{len(model.layers)} layers are no multiple of the file's {layers}"
        for n, layer in enumerate(model.layers):
            source, copy = divmod(n, copies)
            for name in export.MATRICES:
                weight, grown = matrix(f"layers.{source}.{name}"), getattr(layer, name)
                if name == "down":
                    grown.zero_()
                grown[:weight.shape[0], :weight.shape[1]] = weight
            layer.gain.copy_(file.get_tensor(f"layers.{source}.gain"))
            if copy == 0:
                layer.mix.copy_(file.get_tensor(f"layers.{source}.mix"))
            else:
                layer.out.zero_()
                layer.down.zero_()


def token_lengths(vocabulary: pathlib.Path):
    tokens = sorted(bytes.fromhex(line) for line in vocabulary.read_text().split())
    return torch.tensor([len(t) for t in tokens])


@torch.no_grad()
def evaluate(nats_of, folder, domains, lengths, context: int, tokens: int, quantise: bool):
    """Bits per byte of each domain's dev text: its first `tokens` tokens, in windows of `context`."""
    result = {}
    for domain in domains:
        ids = torch.from_numpy(np.fromfile(folder / f"{domain}.bin", dtype="<u2").astype(np.int64)[:tokens + 1])
        rows = (len(ids) - 1) // context
        x, y = ids[:rows * context].view(rows, context), ids[1:rows * context + 1].view(rows, context)
        nats = 0.0
        for a, b in zip(x.split(8), y.split(8)):
            nats += nats_of(a, b, quantise).item()
        result[domain] = nats / math.log(2) / lengths[y].sum().item()
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("config", "tokens", "vocabulary", "run"):
        parser.add_argument(name, type=pathlib.Path)
    parser.add_argument("--minutes", type=float, required=True, help="of wall clock, from now")
    parser.add_argument("--start", type=pathlib.Path, help="a model file, or float weights, to take the first weights from")
    parser.add_argument("--seed", type=int, help="of the windows drawn, in place of the configuration's")
    parser.add_argument("--peak", type=float, default=1.0, help="of the configuration's learning rates")
    parser.add_argument("--adam", type=float, default=1.0, help="of AdamW's learning rate: less where weights are good already")
    parser.add_argument("--rows", type=int, help="windows in a step, in place of the configuration's: 64 or more on a GPU")
    parser.add_argument("--counts", type=pathlib.Path, help="a file whose tree.counts make tree and groups, in place of TOKENS_DIR")
    parser.add_argument("--eval-minutes", type=float, default=12)
    args = parser.parse_args()

    settings = json.loads(args.config.read_text())
    config, recipe, weights = Config(**settings["model"]), settings["training"], settings["domains"]
    torch.manual_seed(recipe["seed"])
    args.run.mkdir(parents=True, exist_ok=True)
    lengths = token_lengths(args.vocabulary)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    half = device.type == "cuda" or HALF_ON_CPU
    if args.counts:
        with safe_open(args.counts, "pt") as file:
            counts = file.get_tensor("tree.counts")
    else:
        counts = export.token_counts(args.tokens / "train", settings.get("tree", weights), config.vocab)
    model = Transformer(config, groups.balanced(counts.tolist(), config.groups))
    if args.start:
        start_from(model, args.start)
    model = model.to(device)
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")
        masks = {window: window_mask(window, recipe["length"], device) for window in set(config.windows)}
        for layer in model.layers:
            layer.mask = masks[layer.window]
    matrices = [p for layer in model.layers for p in (layer.qkv, layer.out, layer.up, layer.down)]
    others = [p for p in model.parameters() if all(p is not m for m in matrices)]
    optimisers = [
        Muon(matrices, recipe["muon_lr"], recipe["momentum"], recipe["weight_decay"]),
        torch.optim.AdamW(others, lr=recipe["adam_lr"], betas=(0.9, 0.95), weight_decay=0.0, fused=True),
    ]
    peaks = [recipe["muon_lr"], recipe["adam_lr"] * args.adam]
    step, spent = 0, 0.0
    checkpoint = args.run / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device)
        model.load_state_dict(state["model"])
        for optimiser, saved in zip(optimisers, state["optimisers"]):
            optimiser.load_state_dict(saved)
        step, spent = state["step"], state["spent"]
    rows = args.rows or recipe["rows"]
    sampler = Sampler(args.tokens / "train", weights, recipe["length"], (args.seed or recipe["seed"]) + step, device)
    total = spent + args.minutes * 60

    def of_groups(hidden, y, quantise):
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            logits = model.group_logits(hidden, quantise).float()
        return F.cross_entropy(logits, model.group_of[y.flatten()], reduction="sum")

    def of_leaves(hidden, y, quantise):
        hidden = hidden.bfloat16() if half else hidden
        with torch.autocast(device.type, torch.bfloat16, enabled=half and hidden.is_cuda):
            return model.leaf_nats(hidden, y.flatten(), quantise)

    def nats_of(x, y, quantise, layer_of=Layer.__call__, of_groups=of_groups, of_leaves=of_leaves):
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            hidden = model(x, quantise, layer_of).flatten(0, 1)
        return of_groups(hidden, y, quantise) + of_leaves(hidden, y, quantise)

    # Compiled for the batches of training alone, a layer at a time: seconds where the whole took a minute.
    compiled = dict(layer_of=torch.compile(Layer.forward, dynamic=False), of_groups=torch.compile(of_groups, dynamic=False))
    if device.type == "cuda":
        compiled["of_leaves"] = torch.compile(of_leaves, dynamic=False)

    def save():
        partial = checkpoint.with_suffix(".partial")
        torch.save({"model": model.state_dict(), "optimisers": [o.state_dict() for o in optimisers],
                    "step": step, "spent": spent}, partial)
        partial.replace(checkpoint)

    log = csv.writer((args.run / "log.csv").open("a", buffering=1))
    dev_log = csv.writer((args.run / "dev.csv").open("a", buffering=1))

    def report_dev(quantise):
        dev = lambda x, y, quantise: nats_of(x.to(device), y.to(device), quantise)
        scores = evaluate(dev, args.tokens / "dev", weights, lengths, recipe["length"], 16384, quantise)
        dev_log.writerow([step, round(spent), int(quantise), *(f"{s:.4f}" for s in scores.values())])
        print("dev", step, {d: round(s, 3) for d, s in scores.items()}, flush=True)

    began = last_eval = time.monotonic() - spent
    tokens_per_step = rows * recipe["length"]
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters, "
          f"{config.multiply_adds() / 1e6:.2f} M multiply-adds per token", flush=True)
    last, centred = time.monotonic(), False
    while spent < total:
        progress = spent / total
        decay = min(1.0, (1 - progress) / recipe["warm_down"])
        rate = args.peak * max(decay, 0.02) * min(1.0, (step + 1) / recipe["warm_up_steps"])
        for optimiser, peak in zip(optimisers, peaks):
            for group in optimiser.param_groups:
                group["lr"] = peak * rate
        quantise = progress > 1 - recipe["quantise_last"]
        if quantise and not centred:
            model.centre(export.mean_hidden(model, (sampler.batch(4)[0] for _ in range(8))))
            centred = True
        x, y = sampler.batch(rows)
        loss = nats_of(x, y, quantise, **compiled) / y.numel()
        loss.backward()
        for optimiser in optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        step += 1
        spent = time.monotonic() - began
        if step % 50 == 0:
            sampler.look()
            now = time.monotonic()
            speed, last = 50 * tokens_per_step / (now - last), now
            log.writerow([step, step * tokens_per_step, round(spent), f"{loss.item():.4f}", f"{rate:.4f}", round(speed)])
            print(f"step {step}  {step * tokens_per_step / 1e6:.2f} M tokens  loss {loss.item():.4f}  rate {rate:.3f}  "
                  f"{speed:.0f} tokens/s  {(total - spent) / 60:.1f} min left", flush=True)
        if time.monotonic() - last_eval > args.eval_minutes * 60:
            save()
            export.save_float(model, counts, args.run / "float.safetensors")
            report_dev(quantise)
            last_eval = last = time.monotonic()
    save()
    export.save_float(model, counts, args.run / "float.safetensors")
    report_dev(False)
    report_dev(True)


if __name__ == "__main__":
    main()
