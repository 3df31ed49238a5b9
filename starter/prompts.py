"""`python -m starter.prompts`: paints the prompts of prompts.txt, one image each, on one sheet."""

from __future__ import annotations

import argparse
import re
import textwrap
from pathlib import Path

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image, ImageDraw, ImageFont

from starter import export, sampler
from starter.dataset import COUNTS, SQUARE, Size

PROMPTS = Path(__file__).parent / "prompts.txt"
SHEET = Path(__file__).parent / "prompts.webp"
SEED = 64
CELL, LABEL, GAP = 256, 34, 6
RATIO = re.compile(r"\s*--ar\s+(\d+):(\d+)")


def read(path: Path = PROMPTS) -> list[tuple[str, Size]]:
    """Each line's text and the size that its --ar asks for."""
    lines = [line for line in path.read_text().splitlines() if line.strip()]
    return [(RATIO.sub("", line), nearest(RATIO.search(line))) for line in lines]


def nearest(ratio: re.Match[str] | None) -> Size:
    if ratio is None:
        return SQUARE
    wanted = np.log(int(ratio[1]) / int(ratio[2]))
    return min(COUNTS, key=lambda size: abs(float(np.log(size[0] / size[1]) - wanted)))


def paint(pipe: StableDiffusionPipeline, prompts: list[tuple[str, Size]], seed: int) -> list[Image.Image]:
    made: dict[int, Image.Image] = {}
    for size in {size for _, size in prompts}:
        places = [i for i, (_, s) in enumerate(prompts) if s == size]
        texts, seeds = [prompts[i][0] for i in places], [seed + i for i in places]
        images = sampler.sample(pipe, texts, seeds, width=size[0], height=size[1])
        made |= {i: Image.fromarray(image) for i, image in zip(places, images, strict=True)}
    return [made[i] for i in range(len(prompts))]


def sheet(texts: list[str], images: list[Image.Image], columns: int = 8) -> Image.Image:
    """The images at full size, wider ones scaled to the cell, each under its prompt."""
    rows = -(-len(images) // columns)
    step = (CELL + GAP, CELL + LABEL + GAP)
    page = Image.new("RGB", (columns * step[0], rows * step[1]), "#faf8f4")
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(12)
    for number, (text, image) in enumerate(zip(texts, images, strict=True)):
        x, y = number % columns * step[0], number // columns * step[1]
        pen.multiline_text((x + 3, y + 2), "\n".join(textwrap.wrap(text, 40)[:2]), fill="#222", font=font)
        if max(image.size) > CELL:
            image.thumbnail((CELL, CELL), Image.Resampling.LANCZOS)
        page.paste(image, (x + (CELL - image.width) // 2, y + LABEL + (CELL - image.height) // 2))
    return page


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m starter.prompts", description=__doc__)
    parser.add_argument("--out", type=Path, default=SHEET)
    parser.add_argument("--weights", type=Path, default=export.WEIGHTS)
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    prompts = read()
    images = paint(export.load_pipeline(arguments.weights), prompts, arguments.seed)
    sheet([text for text, _ in prompts], images).save(arguments.out, quality=82, method=6)


if __name__ == "__main__":
    main()
