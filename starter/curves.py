"""The pictures of a training run for the README: `python -m starter.curves`.

`curves.svg` shows the loss and what the judge saw over the samples, `progress.webp` the same captions painted
at several of the looks, earliest first.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from starter import watch
from starter.attributes import TOLD
from starter.dataset import RUNS
from starter.draw import PIXELS

FOLDER = Path(__file__).parent
WIDTH, HEIGHT, MARGIN = 720, 300, 48
COLOURS = {
    "loss": "#888",
    "subject": "#c0392b",
    "medium": "#2471a3",
    "palette": "#b7950b",
    "light": "#1e8449",
}
ROWS = 4  # looks shown
SHOWN = 10  # pictures of each
GAP = 2  # pixels between them

Points = list[tuple[float, float]]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def series(runs: Path) -> dict[str, Points]:
    """Samples and values of each curve: the loss brought to 0..1 over its range, shares as they are."""
    log = lines(runs / "unet.jsonl")
    samples = {entry["step"]: entry["samples"] for entry in log}
    batch = log[-1]["samples"] / log[-1]["step"]
    found: dict[str, Points] = {"loss": [(samples[entry["step"]], entry["loss"]) for entry in log]}
    for name in TOLD:
        found[name] = [(entry["step"] * batch, entry[name]) for entry in lines(runs / "scores.jsonl")]
    return found


def svg(curves: dict[str, Points]) -> str:
    """One drawing: shares on the left axis, the loss on the right."""
    last = max(x for points in curves.values() for x, _ in points)
    low, high = (pick(y for _, y in curves["loss"]) for pick in (min, max))
    across, down = WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="12"><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
    ]
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = MARGIN + down * (1 - share)
        parts.append(f'<path d="M{MARGIN} {y:.0f}H{WIDTH - MARGIN}" stroke="#ddd"/>')
        parts.append(f'<text x="{MARGIN - 6}" y="{y + 4:.0f}" text-anchor="end">{share:.0%}</text>')
        loss = f"{low + share * (high - low):.2f}"
        parts.append(f'<text x="{WIDTH - MARGIN + 6}" y="{y + 4:.0f}" fill="#888">{loss}</text>')
    for number, (name, points) in enumerate(curves.items()):
        scaled = [(x, (y - low) / max(high - low, 1e-9)) for x, y in points] if name == "loss" else points
        at = " ".join(f"{MARGIN + across * x / last:.1f},{MARGIN + down * (1 - y):.1f}" for x, y in scaled)
        parts.append(f'<polyline points="{at}" fill="none" stroke="{COLOURS[name]}" stroke-width="2"/>')
        if name != "loss":  # looks are few, and a single one makes no line
            dots = (f'<circle cx="{p.split(",")[0]}" cy="{p.split(",")[1]}" r="3"/>' for p in at.split())
            parts.append(f'<g fill="{COLOURS[name]}">{"".join(dots)}</g>')
        parts.append(f'<text x="{MARGIN + 90 * number}" y="24" fill="{COLOURS[name]}">{name}</text>')
    parts.append(f'<text x="{WIDTH - MARGIN}" y="{HEIGHT - 16}" text-anchor="end">{last:,.0f} samples</text>')
    return "\n".join([*parts, "</svg>\n"])


def progress(runs: Path) -> Image.Image:
    """The first pictures of ROWS looks, a row each, from the first look to the last."""
    sheets = sorted((runs / "sheets").glob("*.webp"), key=lambda path: int(path.stem))
    picked = [sheets[int(i)] for i in np.linspace(0, len(sheets) - 1, min(ROWS, len(sheets)))]
    made = Image.new("RGB", (SHOWN * PIXELS // 2, len(picked) * PIXELS // 2))
    for row, path in enumerate(picked):
        with Image.open(path) as whole:
            pitch = (whole.width + GAP) // watch.COLUMNS
            for place in range(SHOWN):
                top, left = pitch * (place // watch.COLUMNS), pitch * (place % watch.COLUMNS)
                one = whole.crop((left, top, left + PIXELS, top + PIXELS)).resize((PIXELS // 2, PIXELS // 2))
                made.paste(one, (place * PIXELS // 2, row * PIXELS // 2))
    return made


def main() -> None:
    (FOLDER / "curves.svg").write_text(svg(series(RUNS)))
    progress(RUNS).save(FOLDER / "progress.webp", quality=80)


if __name__ == "__main__":
    main()
