"""What a pipeline does for a whole batch, done for each of its rows: image embeddings, their scale, and the
look for images that came to nothing."""

from collections.abc import Callable
from functools import partial
from types import MethodType
from typing import Any

import torch


class RowScales:
    """The image adapter's scale for each row of the UNet's batch.

    A pipeline has one scale for all. The adapter's attention is linear in its values, so scaling a row's
    values is scaling what the adapter adds to that row. The pipeline's own scale stays 1.
    """

    def __init__(self, unet: Any, *, remember: bool) -> None:
        """With `remember`, what stays the same from step to step is computed at the first step of a call
        only: the image's tokens, and the keys and values that each block makes of them."""
        self.rows: torch.Tensor | None = None  # (rows,), in the UNet's type and on its device
        if remember:
            Remembered(unet.encoder_hid_proj)
        for processor in unet.attn_processors.values():
            for layer in getattr(processor, "to_k_ip", ()):
                if remember:
                    Remembered(layer)
            for layer in getattr(processor, "to_v_ip", ()):
                layer.forward = partial(self._scaled, layer.forward)
                if remember:
                    Remembered(layer, lambda: self.rows)

    def _scaled(self, forward: Callable[[torch.Tensor], torch.Tensor], tokens: torch.Tensor) -> torch.Tensor:
        values = forward(tokens)
        if self.rows is None:
            return values
        return values * self.rows.view(-1, *[1] * (values.ndim - 1))


class Remembered:
    """A layer that gives its last result again when it is asked for the same.

    The same are the very tensors, held meanwhile so that no other can take their place, and what `also`
    gives. Nothing writes into the tensors that reach the adapter. Not for layers in a compiled block.
    """

    def __init__(self, layer: torch.nn.Module, also: Callable[[], Any] = lambda: None) -> None:
        self._compute = layer.forward
        self._also = also
        self._asked: list[Any] = []
        self._result: Any = None
        layer.forward = self

    def __call__(self, given: torch.Tensor | list[torch.Tensor]) -> Any:
        asked = [*(given if isinstance(given, list) else [given]), self._also()]
        same = len(asked) == len(self._asked)
        if not same or any(a is not b for a, b in zip(asked, self._asked, strict=True)):
            self._result = self._compute(given)
            self._asked = asked
        return self._result


def take_rows_as_given(pipeline: Any) -> None:
    """Let `ip_adapter_image_embeds` of `pipeline` hold a row for each row of the UNet's batch.

    By itself the pipeline repeats what it is given for each image, and rows that are there already end up
    mixed: every image is then painted with the embeddings of all.
    """
    pipeline.prepare_ip_adapter_image_embeds = MethodType(_as_given, pipeline)


def _as_given(
    _pipeline: Any, _image: None, embeds: list[torch.Tensor], device: torch.device, *_: Any
) -> list[torch.Tensor]:
    return [rows.to(device) for rows in embeds]


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
