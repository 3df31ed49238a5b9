"""The gallery that comes with the repository: images, their captions and labels, and their embeddings."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from diffusers import StableDiffusionPipeline
from PIL import Image

from starter_v1 import export, taste, text, vision
from starter_v1.attributes import balanced, from_codes
from starter_v1.captions import Speaker
from starter_v1.draw import draw

FOLDER = Path(__file__).parent / "gallery"
COUNT = 600
SEED = 40_000_000


def write_entry(
    number: int, image: np.ndarray, entry: dict[str, object], folder: Path = FOLDER
) -> dict[str, object]:
    """Store one image as WebP and return its line of the index."""
    name = f"{number:04d}.webp"
    Image.fromarray(image).save(folder / name, quality=82, method=6)
    height, width = image.shape[:2]
    return {"file": name, **entry, "width": width, "height": height}


def write_index(entries: list[dict[str, object]], folder: Path = FOLDER) -> None:
    lines = "".join(json.dumps(entry, sort_keys=True) + "\n" for entry in entries)
    (folder / "index.jsonl").write_text(lines)


def plan(count: int = COUNT) -> list[dict[str, object]]:
    """What each gallery image shows: prompt, attributes and seed."""
    speaker = Speaker(np.random.default_rng(SEED))
    made: list[dict[str, object]] = []
    for number, codes in enumerate(balanced(count, SEED)):
        attributes = from_codes(codes)
        said = [name for name in attributes.as_dict() if name != "density" or speaker.chance(0.5)]
        words = {name: speaker.word(attributes, name) for name in said}
        made.append(
            {"prompt": speaker.sentence(words), "attributes": attributes.as_dict(), "seed": SEED + number}
        )
    return made


def draw_gallery(count: int = COUNT, folder: Path = FOLDER) -> list[dict[str, object]]:
    """Draw and write the images and their index; returns the plan."""
    folder.mkdir(parents=True, exist_ok=True)
    entries, codes = plan(count), balanced(count, SEED)
    lines = []
    for number, entry in enumerate(entries):
        image = draw(from_codes(codes[number]), SEED + number)
        lines.append(write_entry(number, image, {**entry, "source": "drawn"}, folder))
    write_index(lines, folder)
    return entries


def build(folder: Path = FOLDER) -> None:
    """Write the gallery and its embeddings by the exported model."""
    embed(export.load_pipeline(), draw_gallery(folder=folder), folder)


def embed(pipe: StableDiffusionPipeline, entries: list[dict[str, object]], folder: Path = FOLDER) -> None:
    """Write embeddings.npz for the stored (compressed) images and their prompts."""
    stored = np.stack(
        [
            np.asarray(Image.open(folder / f"{number:04d}.webp").convert("RGB"))
            for number in range(len(entries))
        ]
    )
    image = vision.embed(pipe.image_encoder, stored)
    words = text.pooled(pipe.tokenizer, pipe.text_encoder, [str(entry["prompt"]) for entry in entries])
    np.savez_compressed(folder / "embeddings.npz", image=image, text=words, encoder=taste.ENCODER)
