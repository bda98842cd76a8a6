"""The transformer in PyTorch: the float model, and the same with quantisation simulated as the runtime computes it.

The mathematics is the one of `crates/vatic-transformer` (docs/format.md); names follow the tensors of the model file.
"""

import dataclasses
import json
import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.attention.flex_attention import BlockMask, create_block_mask, flex_attention

HEAD_DIM = 64
EPSILON = 1e-6
WEIGHT_LEVELS = 63  # so that a pair of u8 x i8 products fits in 16 bits
ACTIVATION_LEVELS = 127
BLOCKS = 4  # of attention in a window: more compute fewer products that are masked, but copy keys and values more often


@dataclasses.dataclass
class Config:
    """The shape of a model: what the model file carries as its configuration."""

    name: str
    vocab: int
    width: int
    layers: int
    heads: int
    kv_heads: int
    hidden: int
    windows: list[int]
    rope_dims: int = 32
    rope_period: int = 2048
    head_dim: int = HEAD_DIM
    groups: int = 1024
    format: int = 3

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    def multiply_adds(self) -> int:
        """Per token: weights once each, the head's groups included, and the attention's reads with full windows."""
        width_q, width_kv = self.heads * HEAD_DIM, self.kv_heads * HEAD_DIM
        layer = self.width * (width_q + 2 * width_kv) + width_q * self.width + 2 * self.width * self.hidden
        return self.layers * layer + self.groups * self.width + 2 * width_q * sum(self.windows)


def rms(x):
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + EPSILON)


def fake_quantise(x, levels):
    """x rounded to `levels` steps either side of zero, scaled by its largest magnitude along the last dimension."""
    scale = x.detach().abs().amax(-1, keepdim=True).clamp_min(1e-12) / levels
    return x + (torch.round(x / scale).clamp(-levels, levels) * scale - x).detach()


def rounded(x, levels, quantise: bool):
    """x as the runtime has it where `quantise` is true."""
    return fake_quantise(x, levels) if quantise else x


def rope_frequencies(config: Config) -> torch.Tensor:
    """Whole numbers of turns per period, geometric from one radian a token to one turn a period: exact modulo it."""
    pairs = config.rope_dims // 2
    fastest = config.rope_period / (2 * math.pi)
    return torch.tensor([round(fastest ** (1 - i / (pairs - 1))) for i in range(pairs)], dtype=torch.int32)


class Layer(nn.Module):
    def __init__(self, config: Config, window: int):
        super().__init__()
        self.config, self.window, self.mask = config, window, None
        rows = (config.heads + 2 * config.kv_heads) * HEAD_DIM
        bound = 1 / math.sqrt(config.width)
        self.qkv = nn.Parameter(torch.randn(rows, config.width) * bound)
        self.out = nn.Parameter(torch.zeros(config.width, config.heads * HEAD_DIM))
        self.up = nn.Parameter(torch.randn(config.hidden, config.width) * bound)
        self.down = nn.Parameter(torch.zeros(config.width, config.hidden))
        self.gain = nn.Parameter(torch.full((config.heads,), 1.5))
        self.mix = nn.Parameter(torch.tensor([1.0, 0.0]))

    def forward(self, x, first, cos, sin, quantise):
        weight = lambda w: rounded(w, WEIGHT_LEVELS, quantise)
        active = lambda a: rounded(a, ACTIVATION_LEVELS, quantise)
        c, (batch, time, _) = self.config, x.shape
        x = self.mix[0] * x + self.mix[1] * first
        qkv = F.linear(active(rms(x)), weight(self.qkv)).view(batch, time, -1, HEAD_DIM).transpose(1, 2)
        q, k, v = qkv.split([c.heads, c.kv_heads, c.kv_heads], dim=1)
        q = active(rotate(rms(q), cos, sin)) * self.gain.view(1, -1, 1, 1)
        k, v = active(rotate(rms(k), cos, sin)), active(v)
        attended = attend(q, k, v, self.window, self.mask).transpose(1, 2).reshape(batch, time, -1)
        x = x + F.linear(active(attended), weight(self.out))
        hidden = F.relu(F.linear(active(rms(x)), weight(self.up))).square()
        return x + F.linear(active(hidden), weight(self.down))


def rotate(x, cos, sin):
    half = cos.shape[-1]
    a, b, rest = x[..., :half], x[..., half:2 * half], x[..., 2 * half:]
    return torch.cat([a * cos - b * sin, a * sin + b * cos, rest], -1)


def window_mask(window: int, time: int, device) -> BlockMask:
    """The pairs of positions of which one attends to the other, for the kernel that a GPU compiles."""
    seen = lambda batch, head, query, key: (query >= key) & (query - key < window)
    return create_block_mask(seen, None, None, time, time, device=device)


def attend(q, k, v, window: int, mask: BlockMask | None):
    """Causal attention over the last `window` positions, in blocks of `window / BLOCKS` where that saves work; with a mask in
    one kernel that makes no scores to keep (Dong et al., FlexAttention, 2024)."""
    if mask is not None and torch.compiler.is_compiling():
        q, k, v = (t.bfloat16() for t in (q, k, v))
        return flex_attention(q, k, v, block_mask=mask, enable_gqa=q.shape[1] != k.shape[1])
    batch, heads, time, dim = q.shape
    groups = heads // k.shape[1]
    k, v = k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1)
    block = window // BLOCKS
    if window >= time or window % BLOCKS or time % block:
        i = torch.arange(time, device=q.device)
        distance = i[:, None] - i[None, :]
        return softmax_values(q @ k.transpose(-1, -2), (distance >= 0) & (distance < window), v)
    # Each block sees itself and the blocks before it.
    count = time // block
    q = q.reshape(batch, heads, count, block, dim)
    seen = lambda t: torch.cat([
        F.pad(t, (0, 0, n * block, 0))[:, :, :time].reshape(batch, heads, count, block, dim) for n in range(BLOCKS, -1, -1)
    ], dim=-2)
    i = torch.arange(window + block, device=q.device)
    distance = window + i[:block, None] - i[None, :]
    first = torch.arange(count, device=q.device)[:, None, None] * block - window  # the position of the first key
    visible = (distance >= 0) & (distance < window) & (first + i >= 0)
    return softmax_values(q @ seen(k).transpose(-1, -2), visible, seen(v)).reshape(batch, heads, time, dim)


def softmax_values(scores, mask, v):
    scores = (scores / math.sqrt(HEAD_DIM)).masked_fill(~mask, float("-inf"))
    return torch.softmax(scores, -1) @ v


class Transformer(nn.Module):
    """`starts`: the first token of each group (groups.py)."""

    def __init__(self, config: Config, starts):
        super().__init__()
        self.config = config
        self.embed = nn.Parameter(torch.randn(config.vocab, config.width) * 0.02)
        self.head = nn.Parameter(torch.randn(config.groups, config.width) * 0.02)
        self.embed_bias = nn.Parameter(torch.zeros(config.vocab))
        self.head_bias = nn.Parameter(torch.zeros(config.groups))
        self.register_buffer("offset", torch.zeros(config.width))
        self.layers = nn.ModuleList(Layer(config, window) for window in config.windows)
        angle = torch.arange(config.rope_period, dtype=torch.float64) * (2 * math.pi / config.rope_period)
        buffer = lambda name, tensor: self.register_buffer(name, tensor, persistent=False)
        buffer("rope_cos", torch.cos(angle).float())
        buffer("rope_freq", rope_frequencies(config))
        bounds = torch.tensor([*starts, config.vocab])
        assert len(starts) == config.groups
        buffer("starts", bounds[:-1])
        buffer("sizes", bounds.diff())
        buffer("group_of", torch.repeat_interleave(torch.arange(config.groups), self.sizes))
        buffer("places", torch.arange(int(self.sizes.max())))

    def forward(self, tokens, quantise=False, layer_of=nn.Module.__call__):
        """Token ids [batch, time] to what the output is made of, [batch, time, width]. `layer_of`: the layer's function, compiled
        perhaps: by itself, since all layers of a window share what is compiled."""
        time, period = tokens.shape[1], self.config.rope_period
        turns = (torch.arange(time, device=tokens.device)[:, None] * self.rope_freq[None, :]) % period
        cos, sin = self.rope_cos[turns], self.rope_cos[(turns - period // 4) % period]
        first = rms(F.embedding(tokens, rounded(self.embed, WEIGHT_LEVELS, quantise)))
        x = first.clone()  # or else the first layer would be compiled by itself
        for layer in self.layers:
            x = layer_of(layer, x, first, cos, sin, quantise)
        return rounded(rms(x) - self.offset, ACTIVATION_LEVELS, quantise)

    @torch.no_grad()
    def centre(self, mean):
        """Takes `mean`, [width], from what `forward` returns, and adds to the logits what it would have brought: the same
        function, but a channel that is always large, as those are that serve as biases, no longer costs the others their
        levels."""
        self.offset += mean
        self.head_bias += self.head @ mean
        self.embed_bias += self.embed @ mean

    def group_logits(self, hidden, quantise=False):
        """[…, width] to the logits of all groups, […, groups], in nats."""
        return F.linear(hidden, rounded(self.head, WEIGHT_LEVELS, quantise), self.head_bias)

    def leaf_rows(self):
        """What a token's logit within its group is made with, [vocab, width]: the embedding."""
        return self.embed

    def leaf_logits(self, hidden, groups, quantise=False):
        """[n, width] and a group for each to the logits of its tokens, [n, largest group], −∞ beyond its last."""
        ids = (self.starts[groups][:, None] + self.places).clamp_max(self.config.vocab - 1)
        rows = rounded(F.embedding(ids, self.leaf_rows()), WEIGHT_LEVELS, quantise)
        logits = torch.bmm(rows.to(hidden.dtype), hidden.unsqueeze(-1)).squeeze(-1).float() + self.embed_bias[ids]
        return logits.masked_fill(self.places >= self.sizes[groups][:, None], float("-inf"))

    def leaf_nats(self, hidden, tokens, quantise=False):
        """What the tokens [n] cost in nats, given their groups. Tokens that have a group of their own cost nothing."""
        groups = self.group_of[tokens]
        if hidden.is_cuda:
            # The logits of all tokens: more products, but fewer bytes to fetch, and none to add up at random places.
            if torch.compiler.is_compiling():
                # In training for those that share a group, two in five of a batch, and some that do not, so that shapes stay.
                shared = torch.argsort(self.sizes[groups] == 1, stable=True)[: len(tokens) * 9 // 16]
                hidden, tokens, groups = hidden[shared], tokens[shared], groups[shared]
            logits = F.linear(hidden, rounded(self.leaf_rows(), WEIGHT_LEVELS, quantise), self.embed_bias).float()
            logits = logits.masked_fill(self.group_of != groups[:, None], float("-inf"))
            return F.cross_entropy(logits, tokens, reduction="sum")
        shared = (self.sizes[groups] > 1).nonzero().squeeze(-1)
        hidden, tokens, groups = hidden[shared], tokens[shared], groups[shared]
        return F.cross_entropy(self.leaf_logits(hidden, groups, quantise), tokens - self.starts[groups], reduction="sum")

    def nats(self, tokens, following, quantise=False):
        """What the tokens that follow cost in nats, all together."""
        hidden = self(tokens, quantise).flatten(0, 1)
        following = following.flatten()
        groups = F.cross_entropy(self.group_logits(hidden, quantise), self.group_of[following], reduction="sum")
        return groups + self.leaf_nats(hidden, following, quantise)
