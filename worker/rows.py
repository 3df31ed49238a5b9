"""What a pipeline does for a whole batch, done for each of its rows: image embeddings, their scale, and the
look for images that came to nothing."""

from collections.abc import Callable
from functools import partial
from types import MethodType
from typing import Any

import torch
from diffusers.models.attention_processor import IPAdapterAttnProcessor2_0, SD3IPAdapterJointAttnProcessor2_0
from torch.nn import functional as F


class RowScales:
    """The image adapter's scale for each row of the network's batch.

    A pipeline has one scale for all. The attention of most adapters is linear in its values, so scaling a
    row's values is scaling what the adapter adds to that row. The pipeline's own scale stays 1.

    The adapter of Stable Diffusion 3 attends to the image's tokens and the picture's places under one
    softmax, so there this takes the place of the number that its processors multiply the outcome with.
    """

    def __init__(self, network: Any, *, remember: bool) -> None:
        """With `remember`, what stays the same from step to step is computed at the first step of a call
        only: the image's tokens, and the keys and values that each block of a UNet makes of them. Not for a
        network with compiled blocks."""
        self.rows: torch.Tensor | None = None  # (rows,), in the network's type and on its device
        processors = dict(network.attn_processors)
        for name, processor in processors.items():
            if isinstance(processor, SD3IPAdapterJointAttnProcessor2_0):
                processor.scale = self
                continue
            for layer in getattr(processor, "to_v_ip", ()):
                layer.forward = partial(self._scaled, layer.forward)
            if remember and isinstance(processor, IPAdapterAttnProcessor2_0):
                processors[name] = RowAttention(processor, self)
        tokens = getattr(network, "encoder_hid_proj", None)
        if remember and tokens is not None:
            network.set_attn_processor(processors)
            tokens.forward = Remembered(tokens.forward)

    def __rmul__(self, added: torch.Tensor) -> torch.Tensor:
        """What an adapter adds, (rows, ...), times this."""
        return self._each(added)

    def _scaled(self, forward: Callable[[torch.Tensor], torch.Tensor], tokens: torch.Tensor) -> torch.Tensor:
        return self._each(forward(tokens))

    def _each(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor if self.rows is None else tensor * self.rows.view(-1, *[1] * (tensor.ndim - 1))


class RowAttention(IPAdapterAttnProcessor2_0):
    """Attention to words and to one image's tokens, whose keys and values are made once a call.

    What it computes is what its base class computes, which it leaves the rest to: masks, several adapters,
    blocks that normalise by themselves.
    """

    def __init__(self, taken: IPAdapterAttnProcessor2_0, scales: RowScales) -> None:
        """In place of `taken`, whose layers it goes on with."""
        with torch.device("meta"):
            super().__init__(taken.hidden_size, taken.cross_attention_dim, taken.num_tokens, taken.scale)
        self.to_k_ip, self.to_v_ip = taken.to_k_ip, taken.to_v_ip
        self._keys = Remembered(lambda tokens, heads: _by_heads(self.to_k_ip[0](tokens), heads))
        self._values = Remembered(lambda tokens, heads, _rows: _by_heads(self.to_v_ip[0](tokens), heads))
        self._scales = scales

    def __call__(
        self,
        attn: Any,
        hidden_states: torch.Tensor,
        encoder_hidden_states: Any = None,
        *rest: Any,
        **named: Any,
    ) -> torch.Tensor:
        """As the base class's: (n, places, features) to the same."""
        simple = (
            not any(value is not None for value in (*rest, *named.values()))
            and hidden_states.ndim == 3
            and isinstance(encoder_hidden_states, tuple)
            and len(encoder_hidden_states[1]) == 1
            and not (attn.spatial_norm or attn.group_norm or attn.norm_cross or attn.residual_connection)
            and attn.rescale_output_factor == 1
            and not isinstance(self.scale[0], list)
        )
        if not simple:
            made: torch.Tensor = super().__call__(attn, hidden_states, encoder_hidden_states, *rest, **named)
            return made
        words, (tokens,) = encoder_hidden_states
        query = _by_heads(attn.to_q(hidden_states), attn.heads)
        seen = F.scaled_dot_product_attention(
            query, _by_heads(attn.to_k(words), attn.heads), _by_heads(attn.to_v(words), attn.heads)
        )
        if self.scale[0] != 0:
            keys = self._keys(tokens, attn.heads)
            added = F.scaled_dot_product_attention(
                query, keys, self._values(tokens, attn.heads, self._scales.rows)
            )
            seen = seen + (added if self.scale[0] == 1 else self.scale[0] * added)
        made = attn.to_out[0](seen.transpose(1, 2).flatten(2))
        return attn.to_out[1](made)


def _by_heads(features: torch.Tensor, heads: int) -> torch.Tensor:
    """(n, ..., heads * d) as (n, heads, places, d)."""
    return features.view(features.shape[0], -1, heads, features.shape[-1] // heads).transpose(1, 2)


class Remembered:
    """A function that gives its last result again when it is asked for the same.

    The same are the very objects, held meanwhile so that no other can take their place; a list's elements
    count for the list. Nothing writes into the tensors that reach the adapter.
    """

    def __init__(self, compute: Callable[..., Any]) -> None:
        self._compute = compute
        self._asked: list[Any] = []
        self._result: Any = None

    def __call__(self, *given: Any) -> Any:
        asked = [part for one in given for part in (one if isinstance(one, list) else [one])]
        same = len(asked) == len(self._asked)
        if not same or any(a is not b for a, b in zip(asked, self._asked, strict=True)):
            self._result = self._compute(*given)
            self._asked = asked
        return self._result


def take_rows_as_given(pipeline: Any) -> None:
    """Let `ip_adapter_image_embeds` of `pipeline` hold a row for each row of the network's batch.

    By itself the pipeline repeats what it is given for each image. Of a UNet, rows that are there already
    end up mixed, and every image is painted with the embeddings of all; of a transformer they become more
    rows than it has images.
    """
    pipeline.prepare_ip_adapter_image_embeds = MethodType(_as_given, pipeline)


def _as_given(_pipeline: Any, _image: None, embeds: Any, *_: Any) -> Any:
    return embeds


class DecodedRows:
    """Which images of the last decoding are numbers.

    It looks before the pipeline clamps its pixels: there infinity becomes plain white or black.
    """

    def __init__(self, vae: Any) -> None:
        self.finite: list[bool] = []
        self._decode = vae.decode
        vae.decode = self._watched

    def _watched(self, *arguments: Any, **options: Any) -> Any:
        decoded = self._decode(*arguments, **options)
        self.finite = finite_rows(decoded[0]).tolist()
        return decoded


def finite_rows(tensor: torch.Tensor) -> torch.Tensor:
    """Whether each row (n, ...) holds numbers only: (n,)."""
    return torch.isfinite(tensor).flatten(1).all(1)
