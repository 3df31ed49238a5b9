"""The joint space of texts and images: linear maps beside the exported encoders, compared by cosine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from transformers import CLIPTextModel, CLIPTokenizer, CLIPVisionModelWithProjection

from starter import text
from starter.vision import square

FILE = "alignment.safetensors"


def save(state: dict[str, torch.Tensor], folder: Path) -> None:
    """Write `image` (joint, hidden) and `text` (joint, hidden) in half precision."""
    maps = {name: state[f"{name}.weight"].half().contiguous() for name in ("image", "text")}
    save_file(maps, folder / FILE)


def unit(vectors: torch.Tensor) -> np.ndarray:
    return np.asarray(torch.nn.functional.normalize(vectors.float(), dim=-1).numpy())


@torch.no_grad()
def of_images(encoder: CLIPVisionModelWithProjection, folder: Path, images: np.ndarray) -> np.ndarray:
    """(n, joint) unit vectors of pictures (n, h, w, 3)."""
    weight = load_file(folder / FILE)["image"].float()
    tower = encoder.vision_model
    parts = [tower(pixel_values=square(images[i : i + 32])).pooler_output for i in range(0, len(images), 32)]
    return unit(torch.cat(parts) @ weight.mT)


@torch.no_grad()
def of_texts(tokenizer: CLIPTokenizer, encoder: CLIPTextModel, folder: Path, texts: list[str]) -> np.ndarray:
    """(n, joint) unit vectors of prompts."""
    weight = load_file(folder / FILE)["text"].float()
    return unit(torch.from_numpy(text.pooled(tokenizer, encoder, texts)) @ weight.mT)
