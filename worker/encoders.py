"""Images and texts to embeddings: the spaces in which tastes and prompts are compared."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors import SafetensorError
from safetensors.numpy import load_file

from app.errors import CorruptFile, OperatorError
from app.presets import NATIVE, Preset
from worker.devices import Visitor

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Alignment:
    """How images and texts come to the space where an image lies near its prompt.

    image (j, h), text (j, t): maps of the vision tower's and the text encoder's pooled outputs. Without them
    both towers end in that space by themselves, and the text tower is `text_encoder`.
    """

    text_encoder: Any
    tokenizer: Any
    image: Vectors | None = None
    text: Vectors | None = None


@dataclass(frozen=True)
class Seen:
    """What an encoder sees in n images: raw embeddings (n, d), and unit vectors (n, j) to compare with a
    prompt's, None without an alignment."""

    raw: Vectors
    aligned: Vectors | None


class Encoder:
    """A preset's image encoder, and its text encoder's pooled output for prompts."""

    def __init__(self, pipeline: Any, alignment: Alignment | None = None) -> None:
        self._image_encoder = pipeline.image_encoder
        self._processor = pipeline.feature_extractor
        self._text_encoder = pipeline.text_encoder
        self._tokenizer = pipeline.tokenizer
        self._alignment = alignment

    @torch.inference_mode()
    def images(self, images: Sequence[Image.Image]) -> Vectors:
        """Raw embeddings (n, d) of RGB images: what the image adapter was trained on.

        Of an encoder without a projection (SigLIP) that is the last layer but one, patch by patch; their
        average stands for them.
        """
        with self._tower() as tower:
            if hasattr(tower.config, "projection_dim"):
                return _floats(tower(self._pixels(images, tower)).image_embeds)
            seen = tower(self._pixels(images, tower), output_hidden_states=True)
            return _floats(seen.hidden_states[-2].mean(dim=1))

    @torch.inference_mode()
    def look(self, images: Sequence[Image.Image]) -> Seen:
        """The raw embeddings of RGB images and, from the same pass, where they lie beside prompts."""
        if self._alignment is None or self._alignment.image is None:
            raw = self.images(images)
            return Seen(raw, _unit(raw) if self._alignment is not None else None)
        with self._tower() as tower:
            pooled = tower.vision_model(self._pixels(images, tower)).pooler_output
            raw = tower.visual_projection(pooled)
            return Seen(_floats(raw), _unit(_floats(pooled) @ self._alignment.image.T))

    @property
    def speaks(self) -> bool:
        """Whether prompts are embedded where images are: two halves of one CLIP."""
        return self._alignment is not None and self._alignment.image is None

    def texts(self, texts: Sequence[str]) -> Vectors:
        """Embeddings (n, t) of prompts, cut at the tokenizer's length."""
        read = _read(self._text_encoder, self._tokenizer, texts)
        return _floats(read.text_embeds if hasattr(read, "text_embeds") else read.pooler_output)

    def aligned_texts(self, texts: Sequence[str]) -> Vectors | None:
        """Unit vectors (n, j) of prompts, to compare with those that `look` gives; None without an
        alignment."""
        if self._alignment is None:
            return None
        if self._alignment.text is not None:
            return _unit(self.texts(texts) @ self._alignment.text.T)
        read = _read(self._alignment.text_encoder, self._alignment.tokenizer, texts)
        return _unit(_floats(read.text_embeds))

    def _tower(self) -> AbstractContextManager[Any]:
        """The image encoder, where it computes."""
        encoder = self._image_encoder
        return encoder.visiting() if isinstance(encoder, Visitor) else nullcontext(encoder)

    def _pixels(self, images: Sequence[Image.Image], tower: Any) -> torch.Tensor:
        pixels: torch.Tensor = self._processor(images=list(images), return_tensors="pt").pixel_values
        return pixels.to(tower.device, tower.dtype)


def width(image_encoder: Any) -> int:
    """How many numbers the raw embeddings of an image encoder have."""
    config = image_encoder.config
    return int(getattr(config, "projection_dim", None) or config.hidden_size)


def read_alignment(preset: Preset, pipeline: Any) -> Alignment | None:
    """The alignment that a preset names, fitted to its loaded pipeline. Raises OperatorError."""
    if preset.alignment is None:
        return None
    if preset.alignment == NATIVE:
        return _native(preset, pipeline)
    path = preset.folder / preset.alignment
    try:
        maps = {name: value.astype(np.float32) for name, value in load_file(path).items()}
        image, text = maps["image"], maps["text"]
        hidden = (pipeline.image_encoder.config.hidden_size, pipeline.text_encoder.config.hidden_size)
        fits = image.shape == (len(text), hidden[0]) and text.shape == (len(text), hidden[1])
    except (OSError, SafetensorError, KeyError, AttributeError) as error:
        raise CorruptFile(f"{path} cannot be used ({error!r}). Restore it with {preset.name}.") from error
    if not (fits and np.isfinite(image).all() and np.isfinite(text).all()):
        raise CorruptFile(f"{path} does not fit the encoders of {preset.name}. Restore {preset.folder}.")
    return Alignment(pipeline.text_encoder, pipeline.tokenizer, image, text)


def _native(preset: Preset, pipeline: Any) -> Alignment:
    size = width(pipeline.image_encoder)
    for suffix in ("", "_2"):
        encoder: Any = getattr(pipeline, f"text_encoder{suffix}", None)
        if hasattr(encoder, "text_projection") and encoder.config.projection_dim == size:
            return Alignment(encoder, getattr(pipeline, f"tokenizer{suffix}"))
    raise OperatorError(
        f"No text encoder of {preset.name} shares a space with its image encoder. Name a file as `alignment` "
        "of the preset, or none."
    )


@torch.inference_mode()
def _read(encoder: Any, tokenizer: Any, texts: Sequence[str]) -> Any:
    tokens = tokenizer(
        list(texts),
        padding="max_length",
        max_length=tokenizer.model_max_length,
        truncation=True,
        return_tensors="pt",
    )
    return encoder(tokens.input_ids.to(encoder.device))


def _floats(vectors: torch.Tensor) -> Vectors:
    return np.asarray(vectors.float().cpu().numpy())


def _unit(vectors: Vectors) -> Vectors:
    length = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return np.asarray(vectors / length, dtype=np.float32)
