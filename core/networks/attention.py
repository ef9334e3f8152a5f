"""The attention weights of a vision transformer's blocks, read and put in by hand: no hook, no change of the model.

Fused kernels do not tell their weights. So a block is run in two halves here: tokens to queries, keys and values, and
what the values were mixed to, back to tokens. Put together they are the block itself (`tests/networks/test_attention`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

Split = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""Scaled queries, keys, values, each (B, heads, N, D)."""


@dataclass(frozen=True)
class Attention:
    """How the blocks of one kind of transformer attend.

    Attributes:
        split: a block and its tokens (B, N, K) -> queries, keys, values.
        joined: a block, its tokens, and the mixed values (B, N, heads * D) -> the block's tokens (B, N, K).
    """

    split: Callable[[Any, torch.Tensor], Split]
    joined: Callable[[Any, torch.Tensor, torch.Tensor], torch.Tensor]

    def weights(self, block: nn.Module, tokens: torch.Tensor) -> torch.Tensor:
        """How much each token takes from each, (B, heads, N, N): rows sum to 1."""
        queries, keys, _ = self.split(block, tokens)
        return (queries @ keys.transpose(-2, -1)).softmax(dim=-1)

    def given(self, block: nn.Module, tokens: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """The block's tokens (B, N, K), had it attended with these weights (B, heads, N, N)."""
        values = self.split(block, tokens)[2]
        return self.joined(block, tokens, (weights @ values).transpose(1, 2).flatten(2))


def _heads(x: torch.Tensor, heads: int) -> torch.Tensor:
    split: torch.Tensor = x.unflatten(-1, (heads, -1)).transpose(1, 2)
    return split


def _timm_split(block: Any, tokens: torch.Tensor) -> Split:
    attn = block.attn
    queries, keys, values = (_heads(part, attn.num_heads) for part in attn.qkv(block.norm1(tokens)).chunk(3, dim=-1))
    return attn.q_norm(queries) * attn.scale, attn.k_norm(keys), values


def _timm_joined(block: Any, tokens: torch.Tensor, mixed: torch.Tensor) -> torch.Tensor:
    mixed = block.attn.norm(mixed)
    if getattr(block.attn, "gate", None) is not None:
        mixed = mixed * block.attn.gate(block.norm1(tokens)).sigmoid()
    tokens = tokens + block.ls1(block.attn.proj(mixed))
    found: torch.Tensor = tokens + block.ls2(block.mlp(block.norm2(tokens)))
    return found


def _torchvision_split(block: Any, tokens: torch.Tensor) -> Split:
    attn = block.self_attention
    whole = nn.functional.linear(block.ln_1(tokens), attn.in_proj_weight, attn.in_proj_bias)
    queries, keys, values = (_heads(part, attn.num_heads) for part in whole.chunk(3, dim=-1))
    return queries * queries.shape[-1] ** -0.5, keys, values


def _torchvision_joined(block: Any, tokens: torch.Tensor, mixed: torch.Tensor) -> torch.Tensor:
    tokens = tokens + block.self_attention.out_proj(mixed)
    found: torch.Tensor = tokens + block.mlp(block.ln_2(tokens))
    return found


def _hf_split(block: Any, tokens: torch.Tensor) -> Split:
    attn, before = block.attention, getattr(block, "layernorm_before", None) or block.norm1
    seen = before(tokens)
    parts = (_heads(part(seen), attn.num_attention_heads) for part in (attn.q_proj, attn.k_proj, attn.v_proj))
    queries, keys, values = parts
    return queries * attn.scaling, keys, values


def _hf_vit_joined(block: Any, tokens: torch.Tensor, mixed: torch.Tensor) -> torch.Tensor:
    tokens = tokens + block.attention.o_proj(mixed)
    found: torch.Tensor = tokens + block.mlp(block.layernorm_after(tokens))
    return found


def _hf_dinov2_joined(block: Any, tokens: torch.Tensor, mixed: torch.Tensor) -> torch.Tensor:
    tokens = tokens + block.layer_scale1(block.attention.o_proj(mixed))
    found: torch.Tensor = tokens + block.layer_scale2(block.mlp(block.norm2(tokens)))
    return found


TIMM = Attention(_timm_split, _timm_joined)
TORCHVISION = Attention(_torchvision_split, _torchvision_joined)
HF_VIT = Attention(_hf_split, _hf_vit_joined)
HF_DINOV2 = Attention(_hf_split, _hf_dinov2_joined)
