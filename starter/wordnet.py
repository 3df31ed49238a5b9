"""Reads the nouns of WordNet 3.0 from its plain data files."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

# Lexicographer files of things that can be drawn (lexnames, section 5WN of WordNet's manual).
CLASSES = {
    5: "animal", 6: "artifact", 8: "body", 13: "food", 15: "location", 17: "object", 18: "person",
    19: "phenomenon", 20: "plant", 25: "shape",
}  # fmt: skip
USAGE = ";u"  # pointer to a word of usage: slur, slang, disparagement
KINDS = "@"  # pointer to what a thing is a kind of; "@i" to what a named thing is an instance of


@dataclass(frozen=True)
class Sense:
    """One meaning: its file of lexicographers, its words, and the offsets that it points to."""

    file: int
    words: tuple[str, ...]
    pointers: tuple[tuple[str, str], ...]
    gloss: str

    def to(self, *symbols: str) -> list[str]:
        return [offset for symbol, offset in self.pointers if symbol in symbols]


def read_sense(line: str) -> Sense:
    head, gloss = line.split(" | ", 1)
    fields = head.split()
    count = int(fields[3], 16)
    words = tuple(fields[4 + 2 * i] for i in range(count))
    start = 4 + 2 * count
    pointers = [fields[start + 1 + 4 * i : start + 3 + 4 * i] for i in range(int(fields[start]))]
    return Sense(int(fields[1]), words, tuple((p[0], p[1]) for p in pointers), gloss.split(";")[0].strip())


class WordNet:
    """The noun part of a folder with WordNet's files, and how often each word was met in tagged text."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.senses: dict[str, Sense] = {}
        for line in self._lines("data.noun"):
            self.senses[line[:8]] = read_sense(line)
        self.index = {line.split(" ", 1)[0]: self._offsets(line) for line in self._lines("index.noun")}

    def _lines(self, name: str) -> list[str]:
        text = (self.folder / name).read_text("latin-1")
        return [line for line in text.splitlines() if not line.startswith(" ")]

    @staticmethod
    def _offsets(line: str) -> list[str]:
        fields = line.split()
        return fields[-int(fields[2]) :]

    @cached_property
    def counts(self) -> dict[str, dict[str, dict[int, int]]]:
        """For each word and part of speech (n, v, a, r), how often each of its senses was met, from 1 on."""
        found: dict[str, dict[str, dict[int, int]]] = {}
        for line in (self.folder / "cntlist.rev").read_text("latin-1").splitlines():
            key, number, count = line.split()
            word, tail = key.split("%")
            found.setdefault(word, {}).setdefault("nvara"[int(tail[0]) - 1], {})[int(number)] = int(count)
        return found

    def uses(self, word: str, part: str) -> int:
        return sum(self.counts.get(word, {}).get(part, {}).values())

    def offset(self, name: str) -> str:
        """The offset of a meaning written WORD.NUMBER."""
        word, number = name.rsplit(".", 1)
        return self.index[word][int(number) - 1]

    def above(self, offset: str) -> dict[str, int]:
        """Everything that a meaning is a kind of, itself included, with the number of steps."""
        found, edge, steps = {offset: 0}, [offset], 0
        while edge:
            steps += 1
            edge = [o for e in edge for o in self.senses[e].to(KINDS) if o not in found]
            found.update(dict.fromkeys(edge, steps))
        return found

    def plurals(self) -> dict[str, str]:
        """Irregular plurals, each with its singular."""
        lines = (self.folder / "noun.exc").read_text("latin-1").splitlines()
        return {fields[0]: fields[1] for fields in map(str.split, lines) if len(fields) == 2}
