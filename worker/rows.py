"""What a pipeline does for a whole batch, done for each of its rows: image embeddings, their scale, and the
look for images that came to nothing."""

from types import MethodType
from typing import Any

import torch


class RowScales:
    """The image adapter's scale for each row of the UNet's batch.

    A pipeline has one scale for all. The adapter's attention is linear in its values, so scaling a row's
    values is scaling what the adapter adds to that row. The pipeline's own scale stays 1.
    """

    def __init__(self, unet: Any) -> None:
        self.rows: torch.Tensor | None = None  # (rows,), in the UNet's type and on its device
        for processor in unet.attn_processors.values():
            for layer in getattr(processor, "to_v_ip", ()):
                layer.register_forward_hook(self._scale)

    def _scale(self, _layer: torch.nn.Module, _input: Any, values: torch.Tensor) -> torch.Tensor:
        if self.rows is None:
            return values
        return values * self.rows.view(-1, *[1] * (values.ndim - 1))


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
