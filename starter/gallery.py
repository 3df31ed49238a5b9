"""The gallery that comes with the repository: images, their prompts and labels, and their embeddings.

It is drawn, so that its labels are exact. It spreads evenly over the attributes, comes in several sizes, and
leaves out the pictures in which the judge finds it hardest to see what they show.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from diffusers import StableDiffusionPipeline
from PIL import Image

from starter import export, judge, taste, text, vision
from starter.attributes import FORMS, MEDIA, NAMES, balanced, from_codes
from starter.captions import PLAIN, Speaker
from starter.dataset import SQUARE, Size
from starter.draw import draw

FOLDER = Path(__file__).parent / "gallery"
COUNT = 896
TRIED = 1.4  # candidates for each that is kept
SEED = 40_000_000
# Every fourth picture is not square.
SIZES: tuple[Size, ...] = (SQUARE, SQUARE, SQUARE, (320, 256), SQUARE, SQUARE, SQUARE, (256, 320),
                           SQUARE, SQUARE, SQUARE, (192, 288))  # fmt: skip
SEEN = ("subject", "medium", "palette", "light")

Entry = dict[str, Any]


def plan(count: int, seed: int) -> list[Entry]:
    """What each image shows: prompt, attributes, seed and size."""
    speaker = Speaker(np.random.default_rng(seed), unseen_rates={}, dressed=False)
    made: list[Entry] = []
    for number, row in enumerate(balanced(count, seed)):
        attributes = from_codes(row)
        said = list(SEEN)
        said += ["density"] if speaker.chance(0.5) else []
        said += ["form"] if len(FORMS[attributes.subject]) > 1 else []
        said += [name for name, plain in PLAIN.items() if attributes.as_dict()[name] != plain]
        made.append({
            "prompt": speaker.say(attributes, said),
            "attributes": attributes.as_dict(),
            "codes": [int(code) for code in row],
            "seed": seed + number,
            "size": SIZES[number % len(SIZES)],
        })  # fmt: skip
    return made


def drawings(count: int = COUNT) -> list[tuple[Entry, np.ndarray]]:
    """The candidates in which the judge is surest to see what they show, each medium as often."""
    entries = plan(round(count * TRIED), SEED)
    images = [
        draw(from_codes(np.array(e["codes"])), e["seed"], width=e["size"][0], height=e["size"][1])
        for e in entries
    ]
    scores = score(entries, images)
    kept: list[int] = []
    for medium in MEDIA:
        own = [n for n, e in enumerate(entries) if e["attributes"]["medium"] == medium]
        kept += sorted(own, key=lambda n: -scores[n])[: count // len(MEDIA)]
    return [({**entries[n], "source": "drawn"}, images[n]) for n in sorted(kept)]


def score(entries: list[Entry], images: list[np.ndarray]) -> np.ndarray:
    """The judge's log probability of the attributes of each picture."""
    order, judged = list(NAMES), judge.load_judge()
    made = []
    for entry, image in zip(entries, images, strict=True):
        found = judge.probabilities(image[None], judged)
        wanted = [found[name][0, entry["codes"][order.index(name)]] for name in SEEN]
        made.append(float(np.log(np.array(wanted) + 1e-6).sum()))
    return np.array(made)


def write(items: list[tuple[Entry, np.ndarray]], folder: Path) -> list[Entry]:
    """Store the images as WebP, and index.jsonl with a line for each."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.webp"):
        old.unlink()
    lines = []
    for number, (entry, image) in enumerate(items):
        name = f"{number:04d}.webp"
        Image.fromarray(image).save(folder / name, quality=80, method=6)
        height, width = image.shape[:2]
        kept = {key: entry[key] for key in ("prompt", "attributes", "seed", "source")}
        lines.append({"file": name, **kept, "width": width, "height": height})
    text_ = "".join(json.dumps(line, sort_keys=True) + "\n" for line in lines)
    (folder / "index.jsonl").write_text(text_)
    return lines


def build(folder: Path = FOLDER) -> None:
    """Write the gallery and its embeddings by the exported model."""
    pipe = export.load_pipeline()
    items = drawings()
    order = np.random.default_rng(SEED).permutation(len(items))
    embed(pipe, write([items[i] for i in order], folder), folder)


def embed(pipe: StableDiffusionPipeline, entries: list[Entry], folder: Path = FOLDER) -> None:
    """Write embeddings.npz for the stored (compressed) images and their prompts."""
    stored = [np.asarray(Image.open(folder / e["file"]).convert("RGB"))[None] for e in entries]
    image = np.concatenate([vision.embed(pipe.image_encoder, picture) for picture in stored])
    words = text.pooled(pipe.tokenizer, pipe.text_encoder, [str(entry["prompt"]) for entry in entries])
    np.savez_compressed(folder / "embeddings.npz", image=image, text=words, encoder=taste.ENCODER)
