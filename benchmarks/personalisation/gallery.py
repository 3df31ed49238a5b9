"""The gallery that people rate, with its true attributes, and the prompts that are painted afterwards."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.taste.arrays import Array
from starter.attributes import DENSITIES, FORMS, LIGHTS, MEDIA, NAMES, PALETTES, SUBJECTS, Attributes
from starter.captions import PLAIN, Speaker

Indices = NDArray[np.int64]

SEED = 2_612
MOST_PROMPTS = len(SUBJECTS) // 2  # the rest is for confounded histories
ASIDE = 0.3  # share of prompts that name weather, season or framing beside the subject
_ASIDES = ("weather", "season", "framing")


@dataclass(frozen=True)
class Gallery:
    """image (n, d) and text (n, t): embeddings; seen: one column a value of each attribute of look.

    subject (n,): what each image shows; prompts: its words.
    """

    image: Array
    text: Array
    seen: dict[str, Array]
    subject: Indices
    prompts: frozenset[str]


@dataclass(frozen=True)
class Prompt:
    """What is painted: words about the subject, none about the look."""

    text: str
    subject: int


def load(folder: Path, *, encoder: str) -> Gallery:
    """Read index.jsonl and embeddings.npz. A painted image counts for the attributes asked of it.

    Raises ValueError where the embeddings are another encoder's.
    """
    lines = [json.loads(line) for line in (folder / "index.jsonl").read_text("utf-8").splitlines()]
    with np.load(folder / "embeddings.npz", allow_pickle=False) as data:
        image, text = (data[name].astype(np.float64) for name in ("image", "text"))
        if str(data["encoder"]) != encoder:
            raise ValueError(f"the gallery was embedded by {data['encoder']}, the space is of {encoder}")
    return of_attributes([line["attributes"] for line in lines], image, text, [x["prompt"] for x in lines])


def of_attributes(attributes: list[dict[str, str]], image: Array, text: Array, prompts: list[str]) -> Gallery:
    """A gallery of images with these attributes and embeddings. Raises ValueError where counts differ."""
    if not len(attributes) == len(image) == len(text) == len(prompts):
        raise ValueError("the gallery's index and its embeddings differ in length")
    places = {
        name: np.array([names.index(one[name]) for one in attributes])
        for name, names in NAMES.items()
        if all(name in one for one in attributes)
    }
    seen = {name: np.eye(len(NAMES[name]))[place] for name, place in places.items()}
    return Gallery(image, text, seen, places["subject"].astype(np.int64), frozenset(prompts))


def subjects(group: int) -> Indices:
    """All subjects in an order of this group's own: what it has painted first, its confounded liking last."""
    return np.random.default_rng([SEED, group]).permutation(len(SUBJECTS))


def prompts(group: int, count: int, gallery: Gallery) -> list[Prompt]:
    """Prompts that the gallery does not hold, each of another subject. Raises ValueError for too many."""
    if not 1 <= count <= MOST_PROMPTS:
        raise ValueError(f"a group has between 1 and {MOST_PROMPTS} prompts")
    made = []
    for place in subjects(group)[:count]:
        speaker = Speaker(np.random.default_rng([SEED, group, int(place)]), unseen_rates={}, dressed=False)
        text = _said(SUBJECTS[place], speaker)
        while text in gallery.prompts:
            text = _said(SUBJECTS[place], speaker)
        made.append(Prompt(text, int(place)))
    return made


def _said(subject: str, speaker: Speaker) -> str:
    forms = FORMS[subject]
    said = ["subject", *(["form"] if len(forms) > 1 else [])]
    aside = {}
    if speaker.chance(ASIDE):
        name = speaker.pick(_ASIDES)
        aside[name] = speaker.pick(tuple(value for value in NAMES[name] if value != PLAIN[name]))
    shown = Attributes(
        subject, MEDIA[0], PALETTES[0], LIGHTS[0], DENSITIES[0], form=speaker.pick(forms), **aside
    )
    return " ".join(speaker.say(shown, [*said, *aside]).split())
