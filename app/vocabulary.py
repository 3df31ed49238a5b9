"""A model's words: what it knows, which nouns of a prompt it cannot draw, and what is nearest to those.

A preset may name such a file. It is made with the model; only the nouns that it lists are judged.
"""

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from app.errors import OperatorError

_WORD = re.compile(r"[^\W_]+")
_IRREGULAR = {
    "mice": "mouse", "geese": "goose", "men": "man", "women": "woman", "children": "child", "feet": "foot",
    "teeth": "tooth", "oxen": "ox", "wolves": "wolf", "leaves": "leaf", "knives": "knife", "loaves": "loaf",
    "calves": "calf", "elves": "elf", "dwarves": "dwarf", "people": "person", "thieves": "thief",
    "shelves": "shelf", "scarves": "scarf", "octopi": "octopus", "hippopotami": "hippopotamus",
}  # fmt: skip


@dataclass(frozen=True)
class Unknown:
    """A noun of a prompt that the model cannot draw; `nearest` is empty where nothing comes near."""

    word: str
    nearest: str


class Value(BaseModel):
    """What a model can draw, or a way in which it can: its label and every word that asks for it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str
    words: tuple[str, ...]
    forms: tuple[str, ...] = ()


class Group(BaseModel):
    """Values of one kind, such as all subjects."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    values: tuple[Value, ...]


class Vocabulary(BaseModel):
    """One vocabulary file. `kin` are nouns that it draws under another name, `near` those it cannot draw."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    groups: tuple[Group, ...]
    also: tuple[str, ...] = ()
    kin: dict[str, str]
    near: dict[str, str]

    def unknown(self, text: str) -> tuple[Unknown, ...]:
        """The nouns of a text that the model cannot draw, each once, in reading order."""
        found: dict[str, Unknown] = {}
        words = _words(text)
        at = 0
        while at < len(words):
            length = self._phrase(words, at)
            if not length and (noun := self._noun(words[at])):
                found.setdefault(noun, Unknown(words[at], self.near[noun]))
            at += length or 1
        return tuple(found.values())

    def _phrase(self, words: list[str], at: int) -> int:
        """How many words the longest known phrase has that begins here; 0 where none does."""
        for length in range(min(self._longest, len(words) - at), 0, -1):
            if tuple(words[at : at + length]) in self._phrases:
                return length
        return 0

    def _noun(self, word: str) -> str | None:
        singulars = (word, *_singulars(word))
        if any(s in self.kin or (s,) in self._phrases for s in singulars):
            return None
        return next((s for s in singulars if s in self.near), None)

    @cached_property
    def _phrases(self) -> frozenset[tuple[str, ...]]:
        told = [word for group in self.groups for value in group.values for word in value.words]
        return frozenset(tuple(_words(word)) for word in (*told, *self.also))

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self._phrases), default=0)


@lru_cache
def read_vocabulary(path: Path) -> Vocabulary:
    """The vocabulary in a file. Raises OperatorError."""
    try:
        return Vocabulary.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise OperatorError(f"The vocabulary file {path} cannot be used: {error}") from error


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _singulars(word: str) -> tuple[str, ...]:
    """What a plural may be the plural of."""
    if word in _IRREGULAR:
        return (_IRREGULAR[word],)
    endings = (("ies", "y"), ("es", ""), ("s", ""))
    return tuple(word.removesuffix(end) + new for end, new in endings if word.endswith(end) and len(word) > 3)
