"""The main job as a script, over the public REST API only: two people with opposite tastes rate and render.

Each simulated person looks at the images as the browser shows them, through the judge (an attribute
classifier trained on drawn pictures, which shares nothing with the encoder that the taste is learned in),
and answers with noise. Then three prompts are rendered for nobody, for each of them, and for one of them
borrowing the other's code, with the same seeds.
"""

import argparse
import io
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from rich.console import Console
from rich.progress import Progress

from app.cli.client import Client
from starter_v1.attributes import MEDIA, NAMES
from starter_v1.judge import Judge, classify, load_judge, probabilities

PROMPTS = ("a lighthouse", "a cat", "mountains")
SEED = 20
STYLIZE = 500
RATINGS = 200
# Logistic noise on utilities that range over about two units: some 80 % agreement with oneself.
NOISE = 0.35
CELL = 96


@dataclass(frozen=True)
class Taste:
    """What a simulated person likes: weights over attribute values, and the medium the judge looks for."""

    name: str
    medium: str
    weights: dict[str, float]


NEON = Taste(
    "neon at night", "neon", {"neon": 1.5, "night": 0.6, "candy": 0.4, "watercolour": -1.0, "day": -0.5}
)
PALE = Taste(
    "pale watercolour",
    "watercolour",
    {"watercolour": 1.5, "day": 0.6, "pastel": 0.4, "neon": -1.0, "night": -0.5},
)


@dataclass
class Person:
    """A simulated person: a guest of the instance, with a taste of his or her own."""

    taste: Taste
    client: Client
    rng: np.random.Generator
    code: str = ""


@dataclass
class Eyes:
    """Looks at images through the judge, each once."""

    judge: Judge
    seen: dict[str, dict[str, float]] = field(default_factory=dict)

    def look(self, client: Client, image: dict[str, str]) -> dict[str, float]:
        """The probability of every attribute value in an image of the API."""
        key = str(image["id"])
        if key not in self.seen:
            picture = Image.open(io.BytesIO(client.download(f"images/{key}/file"))).convert("RGB")
            self.seen[key] = self._values(pixels([picture]))
        return self.seen[key]

    def _values(self, picture: NDArray[np.uint8]) -> dict[str, float]:
        found = probabilities(picture, self.judge)
        return {
            value: float(found[name][0, place])
            for name, values in NAMES.items()
            for place, value in enumerate(values)
        }


def pixels(images: list[Image.Image]) -> NDArray[np.uint8]:
    """(n, 128, 128, 3): images as the judge takes them."""
    return np.stack([np.asarray(image.resize((128, 128), Image.Resampling.LANCZOS)) for image in images])


def utility(taste: Taste, seen: dict[str, float]) -> float:
    """How much a person of `taste` likes what was seen."""
    return sum(weight * seen.get(value, 0.0) for value, weight in taste.weights.items())


def rate(person: Person, eyes: Eyes, count: int, advance: Callable[[], None]) -> None:
    """Answer `count` pairs as the browser would, one at a time."""
    done = 0
    while done < count:
        for pair in person.client.call("GET", "pairs", params={"count": 4})["items"]:
            left, right = (
                utility(person.taste, eyes.look(person.client, pair[side])) for side in ("left", "right")
            )
            answer = "left" if left - right + NOISE * person.rng.logistic() > 0 else "right"
            person.client.call("POST", "ratings", json={"pair_id": pair["id"], "answer": answer})
            done += 1
            advance()
            if done == count:
                return


def lend(person: Person) -> str:
    """Freeze the person's taste into a code that others may use."""
    profile = person.client.call("GET", "profiles")["items"][0]
    code = str(person.client.call("POST", f"profiles/{profile['id']}/codes")["code"])
    person.client.call("PATCH", f"codes/{code}", json={"visibility": "unlisted"})
    return code


def rows(people: list[Person]) -> Iterator[tuple[str, Person, str]]:
    """Label, who submits, and the parameters, of each row of the sheet."""
    first, second = people
    yield "nobody", first, "--p off"
    for person in people:
        yield person.taste.name, person, f"--p --s {STYLIZE}"
    yield f"{first.taste.name}, borrowing {second.taste.name}", first, f"--p {second.code} --s {STYLIZE}"


def render(client: Client, prompt: str) -> list[Image.Image]:
    """Submit one prompt and wait; the images of its grid."""
    (accepted,) = client.imagine(prompt)
    for _ in client.follow(accepted["id"]):
        pass
    job = client.call("GET", f"jobs/{accepted['id']}")
    if job["state"] != "done":
        raise SystemExit(f"{prompt}: {job['state']}. {job.get('error') or ''}")
    return [
        Image.open(io.BytesIO(client.download(f"images/{slot['image']['id']}/file"))).convert("RGB")
        for slot in job["images"]
    ]


def contact_sheet(grids: list[tuple[str, list[list[Image.Image]]]]) -> Image.Image:
    """One row a taste, one block of four images a prompt, labelled."""
    gap, label, head = 10, 28, 30
    block = 4 * CELL + gap
    sheet = Image.new(
        "RGB", (len(PROMPTS) * block + gap, head + len(grids) * (CELL + label + gap)), "#faf8f4"
    )
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(15)
    for column, prompt in enumerate(PROMPTS):
        draw.text((gap + column * block, 8), prompt, fill="#222", font=font)
    for row, (name, blocks) in enumerate(grids):
        top = head + row * (CELL + label + gap)
        draw.text((gap, top), name, fill="#222", font=font)
        for column, images in enumerate(blocks):
            for slot, image in enumerate(images):
                cell = image.resize((CELL, CELL), Image.Resampling.LANCZOS)
                sheet.paste(cell, (gap + column * block + slot * CELL, top + label))
    return sheet


def share_of(medium: str, images: list[Image.Image], judge: Judge) -> float:
    """The share of `images` in which the judge sees `medium`."""
    seen = classify(pixels(images), judge)["medium"]
    return float((seen == MEDIA.index(medium)).mean())


def agreement(
    grids: dict[str, list[Image.Image]], people: list[Person], judge: Judge
) -> dict[str, dict[str, float]]:
    """The share of the liked medium in each person's images, in nobody's, and under the borrowed code."""
    names = list(grids)
    result = {}
    for person in people:
        medium = person.taste.medium
        own, nobody = grids[person.taste.name], grids["nobody"]
        result[person.taste.name] = {
            "own": round(share_of(medium, own, judge), 3),
            "nobody": round(share_of(medium, nobody, judge), 3),
        }
    lent = people[1].taste
    result[lent.name]["borrowed"] = round(share_of(lent.medium, grids[names[-1]], judge), 3)
    return result


def run(url: str, output: Path) -> dict[str, object]:
    """The whole demonstration against the instance at `url`; what is printed as JSON."""
    started = time.monotonic()
    judge = load_judge()
    eyes = Eyes(judge)
    output.mkdir(parents=True, exist_ok=True)
    with Client(url, None) as stranger:
        tokens = [str(stranger.call("POST", "guests")["token"]) for _ in range(2)]
    people = [
        Person(taste, Client(url, token, timeout=120.0), np.random.default_rng(seed))
        for seed, (taste, token) in enumerate(zip((NEON, PALE), tokens, strict=True))
    ]
    with Progress(console=Console(stderr=True)) as progress:
        for person in people:
            bar = progress.add_task(f"{person.taste.name}: rating", total=RATINGS)
            rate(person, eyes, RATINGS, partial(progress.advance, bar))
            person.code = lend(person)
        bar = progress.add_task("rendering", total=4 * len(PROMPTS))
        sheet, grids = [], {}
        for name, person, parameters in rows(people):
            blocks = []
            for prompt in PROMPTS:
                blocks.append(render(person.client, f"{prompt} --seed {SEED} {parameters}"))
                progress.advance(bar)
            sheet.append((name, blocks))
            grids[name] = [image for block in blocks for image in block]
    path = output / "demo.png"
    contact_sheet(sheet).save(path)
    return {
        "ratings": RATINGS * len(people),
        "jobs": 4 * len(PROMPTS),
        "seconds": round(time.monotonic() - started, 1),
        "agreement": agreement(grids, people, judge),
        "sheet": str(path),
    }


def main() -> None:
    """Run against a Penchant that is up, and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--url", required=True, help="address of a running Penchant")
    parser.add_argument("--output", type=Path, default=Path("out"), help="folder for the contact sheet")
    arguments = parser.parse_args()
    print(json.dumps(run(arguments.url, arguments.output)))


if __name__ == "__main__":
    main()
