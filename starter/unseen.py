"""Nouns that the caption grammar lacks, each with the subject nearest to it (made by `starter.nouns`)."""

from __future__ import annotations

import json
import zlib
from functools import cache
from pathlib import Path

from starter.anchors import ANIMALS, COSTUMED, MASS, NEAREST, listed
from starter.vocabulary import FORM_WORDS, SUBJECT_WORDS

TABLE = Path(__file__).parent / "nouns.json"
NEAR = 0.4  # cosine from which captions use a noun for what is only nearest to it
NEAR_ANIMAL = 0.3  # the same among animals, which are all alike beside anything else
HELD_OUT = 0  # one noun in so many is kept from training, to see whether others help it (they do not)
Table = dict[str, dict[str, dict[str, float]]]


def place(subject: str, form: str = "") -> str:
    """How the table names a subject, or one of its forms."""
    return f"{subject}/{form}" if form else subject


def split_place(at: str) -> tuple[str, str]:
    """Subject and form; the form is empty where any is meant."""
    subject, _, form = at.partition("/")
    return subject, form


@cache
def table() -> Table:
    """Grade ("kin" or "near"), place, noun, cosine."""
    if not TABLE.exists():
        return {"kin": {}, "near": {}}
    loaded: Table = json.loads(TABLE.read_text())
    return loaded


def is_held_out(noun: str) -> bool:
    return HELD_OUT > 0 and zlib.crc32(noun.encode()) % HELD_OUT == 0


def is_near(at: str, noun: str, cosine: float) -> bool:
    """Whether the place that a noun is nearest to is near it, by its cosine or by hand."""
    return cosine >= (NEAR_ANIMAL if at in ANIMALS else NEAR) or noun in NEAREST or noun in COSTUMED


def is_new(word: str) -> bool:
    """Whether a word is a noun of the table that training never uses."""
    return word in nouns() and is_held_out(word)


@cache
def nouns() -> frozenset[str]:
    return frozenset(noun for places in table().values() for group in places.values() for noun in group)


@cache
def scenery() -> frozenset[str]:
    """Words of the grammar's own phrases, such as the river under a bridge: no name for anything else."""
    phrases = [w for table in (SUBJECT_WORDS, FORM_WORDS) for group in table.values() for w in group]
    return listed(" ".join(phrases).lower())


@cache
def words(grade: str, subject: str, form: str, *, held_out: bool = False) -> tuple[str, ...]:
    """Nouns for a picture of this form, with their articles; with `held_out` those kept from training.

    Without a form, those that stand for any form of the subject.
    """
    at = place(subject, form)
    return tuple(
        spoken(noun)
        for noun, cosine in table()[grade].get(at, {}).items()
        if (grade == "kin" or is_near(at, noun, cosine))
        and is_held_out(noun) == held_out
        and noun not in scenery()
    )


def spoken(noun: str) -> str:
    """The noun with its natural article, none for plurals and for what is not counted."""
    if noun in MASS or (noun.endswith("s") and not noun.endswith(("ss", "us", "is"))):
        return noun
    vowel = noun[0] in "aeiou" and not noun.startswith(("uni", "use", "eu", "one", "ura"))
    return f"{'an' if vowel or noun.startswith(('hour', 'heir')) else 'a'} {noun}"
