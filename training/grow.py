"""A larger model that computes what a trained smaller one computes: where the larger one's training starts.

Doubled width in the manner of Net2Net (Chen et al., 2016): every number of the residual stream, every head and every
hidden unit twice, and half of each weight to either copy. What is added to one copy's half and taken from the other's
leaves the result as it is and lets the copies part. New layers (Gong et al., 2019) have the queries and the first matrix
of the layer before them, and nothing yet in the matrices that write to the residual stream.
"""

import torch

APART = 0.7  # of the standard deviation of the halved weights


def doubled_columns(weight: torch.Tensor) -> torch.Tensor:
    """[rows, n] to [rows, 2n], with the same product by a vector and itself again."""
    half = weight / 2
    apart = torch.randn_like(half) * half.std() * APART
    return torch.cat([half + apart, half - apart], 1)


def doubled_rows(weight: torch.Tensor) -> torch.Tensor:
    """[n, columns] to [2n, 2 columns]: each number twice, from a doubled vector."""
    return torch.cat([doubled_columns(weight), doubled_columns(weight)])


def doubled_heads(qkv: torch.Tensor, heads: int, kv_heads: int, head_dim: int) -> torch.Tensor:
    """Queries, keys and values each twice, head after head."""
    return torch.cat([doubled_rows(part) for part in qkv.split([heads * head_dim, kv_heads * head_dim, kv_heads * head_dim])])


@torch.no_grad()
def grow(small, large, copies: list[int]):
    """Fills `large` with the function of `small`, half as wide. `copies`: for each layer of `large` the layer of `small` that
    it is, or −1 − n for a new one that looks where layer n does."""
    c = small.config
    assert large.config.width == 2 * c.width and large.config.heads == 2 * c.heads and large.config.hidden == 2 * c.hidden
    # The embedding is normalised on the way in, and its product with the doubled vector is a token's logit within its group.
    large.embed.copy_(torch.cat([small.embed, small.embed], 1) / 2)
    large.head.copy_(doubled_columns(small.head))
    for layer, copied in zip(large.layers, copies, strict=True):
        source, new = small.layers[copied if copied >= 0 else -1 - copied], copied < 0
        layer.qkv.copy_(doubled_heads(source.qkv, c.heads, c.kv_heads, c.head_dim))
        layer.up.copy_(doubled_rows(source.up))
        layer.gain.copy_(source.gain.repeat(2))
        if new:
            layer.out.zero_()
            layer.down.zero_()
        else:
            layer.out.copy_(doubled_rows(source.out))
            layer.down.copy_(doubled_rows(source.down))
            layer.mix.copy_(source.mix)
