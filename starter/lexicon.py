"""Writes what the model's words are for the pages: what it knows, and what is nearest to what it does not."""

from __future__ import annotations

import json
from pathlib import Path

from starter import unseen
from starter.attributes import FORMS, NAMES
from starter.captions import PLAIN, VOCABULARY, bare
from starter.looks import ADJECTIVES, FRAMING_VIEWS, LIGHT_TIMES, PHRASES
from starter.vocabulary import FORM_WORDS

TITLES = {
    "subject": "Subjects", "medium": "Media", "palette": "Palettes", "light": "Light", "weather": "Weather",
    "season": "Seasons", "framing": "Framing", "density": "Detail", "symmetry": "Symmetry",
}  # fmt: skip
BY_ADJECTIVE = ("density", "symmetry")
Value = dict[str, object]


def label(name: str, value: str) -> str:
    """How pages name a value: by words that a prompt may hold."""
    if name == "subject":
        return value
    return bare((ADJECTIVES if name in BY_ADJECTIVE else PHRASES)[name][value][0])


def known(name: str, value: str) -> Value:
    """One value: its label, the words that stand for it, and the labels of its forms."""
    words = [*VOCABULARY[name][value], *FRAMING_VIEWS.get(value, ()), *LIGHT_TIMES.get(value, ())]
    forms = FORMS[value] if name == "subject" and len(FORMS[value]) > 1 else ()
    words += [word for form in forms for word in FORM_WORDS[form]]
    return {"label": label(name, value), "words": [bare(w) for w in words], "forms": list(forms)}


def spoken(at: str) -> str:
    """How pages name a place of the table of nouns."""
    subject, form = unseen.split_place(at)
    return bare(FORM_WORDS[form][0]) if form else subject


def lexicon() -> dict[str, object]:
    """The content of vocabulary.json; a noun that nothing is near has the empty string."""
    table = unseen.table()
    near = {
        noun: spoken(at) if unseen.is_near(at, noun, cosine) else ""
        for at, nouns in table["near"].items()
        for noun, cosine in nouns.items()
    }
    groups = [
        {"title": title, "values": [known(name, v) for v in NAMES[name] if v != PLAIN.get(name)]}
        for name, title in TITLES.items()
    ]
    also = [bare(w) for name, value in PLAIN.items() for w in VOCABULARY[name][value]]
    kin = {noun: spoken(at) for at, nouns in table["kin"].items() for noun in nouns}
    return {
        "groups": groups,
        "also": also,
        "kin": dict(sorted(kin.items())),
        "near": dict(sorted(near.items())),
    }


def write(path: Path) -> None:
    path.write_text(json.dumps(lexicon(), indent=0, ensure_ascii=False) + "\n")
