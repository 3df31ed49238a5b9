"""Images and texts to embeddings: the spaces in which tastes and prompts are compared."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

Vectors = NDArray[np.float32]


class Encoder:
    """A preset's image encoder, and its text encoder's pooled output for prompts."""

    def __init__(self, pipeline: Any) -> None:
        self._image_encoder = pipeline.image_encoder
        self._processor = pipeline.feature_extractor
        self._text_encoder = pipeline.text_encoder
        self._tokenizer = pipeline.tokenizer

    @torch.inference_mode()
    def images(self, images: Sequence[Image.Image]) -> Vectors:
        """Raw embeddings (n, d) of RGB images: what the image adapter was trained on."""
        pixels = self._processor(images=list(images), return_tensors="pt").pixel_values
        model = self._image_encoder
        return _floats(model(pixels.to(model.device, model.dtype)).image_embeds)

    @torch.inference_mode()
    def texts(self, texts: Sequence[str]) -> Vectors:
        """Embeddings (n, t) of prompts, cut at the tokenizer's length."""
        tokens = self._tokenizer(
            list(texts),
            padding="max_length",
            max_length=self._tokenizer.model_max_length,
            truncation=True,
            return_tensors="pt",
        )
        return _floats(self._text_encoder(tokens.input_ids.to(self._text_encoder.device)).pooler_output)


def _floats(vectors: torch.Tensor) -> Vectors:
    return np.asarray(vectors.float().cpu().numpy())
