"""`python -m starter.nouns WORDNET MODEL`: write nouns.json, the common nouns nearest to each subject.

WORDNET is the folder with WordNet 3.0's data files, MODEL one with the sentence encoder all-MiniLM-L6-v2;
the package wordfreq tells how common a word is. A noun is taken that names what can be drawn. Two grades:

- kin: WordNet calls it a kind of what the starter draws, and the sentence encoder finds it near;
- near: all others, each with the subject, and its form, that the sentence encoder finds nearest.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer, PreTrainedTokenizerBase

from starter.anchors import ANCHORS, COMMON, COSTUMED, HOMES, KIN, LEFT_OUT, NEAREST
from starter.attributes import FORMS, SUBJECTS
from starter.captions import ANYTHING, FILLERS, OPENINGS, bare
from starter.looks import ADJECTIVES, PHRASES
from starter.unseen import TABLE, Table, place, split_place
from starter.vocabulary import FORM_WORDS, SUBJECT_WORDS
from starter.wordnet import CLASSES, USAGE, WordNet

NEAR_ENOUGH = 0.3  # cosine from which a kind of what is drawn counts as drawn
SOMEBODY = 0.2  # the same for people, whose names for each other are seldom near one another
UNPLACED = 0.28  # cosine below which a noun is near nothing
USUAL = 0.4  # weight of how usual a meaning is, beside how near its gloss is to the word
SENSES = 5  # meanings of a word that are considered
PROTOTYPES = 3  # a noun is as near to a subject as to the mean of so many of its nearest words
NOT_PLAIN = re.compile(r"[^a-z]")
SLURS = {"ethnic_slur", "disparagement", "obscenity", "depreciation", "derogation"}
BEINGS = "imaginary_being.1"
GENERAL = {"animal": "animal", "plant": "plant"}  # too general for a class of their own
# Verbs are rare in prompts, but not these classes' words that are more often verbs.
VERBS = ("artifact", "person", "body", "location", "object", "phenomenon", "shape")
Frequency = Callable[[str, str], float]


@dataclass(frozen=True)
class Noun:
    word: str
    kind: str
    kin: str  # place among the subjects by WordNet, or empty
    gloss: str


def shown_words() -> frozenset[str]:
    """Words that alone name a subject or a form."""
    tables = (*SUBJECT_WORDS.values(), *FORM_WORDS.values())
    return frozenset(bare(phrase) for group in tables for phrase in group)


def said_words() -> frozenset[str]:
    """Words that captions use of their own: names of what is shown, and every word of a look."""
    tables = (*PHRASES.values(), *ADJECTIVES.values())
    looks = [word for table in tables for group in table.values() for word in group]
    told = (*looks, *OPENINGS, *FILLERS, *ANYTHING)
    return shown_words().union(word for text in told for word in re.findall(r"[a-z]+", text.lower()))


class Encoder:
    """The sentence encoder as its package describes it: the mean over tokens, of length 1."""

    def __init__(self, folder: Path) -> None:
        self.tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModel.from_pretrained(folder).eval()

    @torch.no_grad()
    def embed(self, texts: list[str]) -> np.ndarray:
        """(n, 384) float32 rows of length 1."""
        rows = []
        for start in range(0, len(texts), 64):
            batch = self.tokenizer(texts[start : start + 64], padding=True, return_tensors="pt")
            states = self.model(**batch).last_hidden_state
            mask = batch["attention_mask"][..., None]
            rows.append(torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=1))
        return np.asarray(torch.cat(rows).numpy())


class Finder:
    """Picks the nouns of WordNet that are common and can be drawn, each in the meaning it has alone."""

    def __init__(self, net: WordNet, encoder: Encoder, frequency: Frequency) -> None:
        self.net = net
        self.encoder = encoder
        self.frequency = frequency
        self.said = said_words()
        self.anchors = {net.offset(name): at for at, names in ANCHORS.items() for name in names}
        self.beings = net.offset(BEINGS)
        self.plurals = net.plurals()

    def kind(self, word: str, offset: str) -> str:
        """A meaning's class; empty where it is a proper name, unkind, or nothing that can be drawn."""
        sense = self.net.senses[offset]
        if sense.to("@i") or word not in sense.words:
            return ""
        if any(self.net.senses[o].words[0].lower() in SLURS for o in sense.to(USAGE)):
            return ""
        if self.beings in self.net.above(offset):
            return "being"
        return GENERAL.get(word) or CLASSES.get(sense.file, "")

    def candidates(self) -> list[str]:
        """Words of which some meaning can be drawn, as common as its class has to be."""
        found = []
        for word, offsets in self.net.index.items():
            if len(word) < 3 or NOT_PLAIN.search(word) or word in self.said or word in LEFT_OUT:
                continue
            singular = self.plurals.get(word, word.removesuffix("s"))
            if singular != word and singular in self.net.index:
                continue
            kinds = {kind for offset in offsets[:SENSES] if (kind := self.kind(word, offset))}
            if kinds and self.frequency(word, "en") >= min(COMMON[kind] for kind in kinds):
                found.append(word)
        return sorted(found)

    def meant(self, words: list[str]) -> list[str]:
        """For each word the meaning that is both usual and near to the word itself."""
        pairs = [(i, offset) for i, word in enumerate(words) for offset in self.net.index[word][:SENSES]]
        own = self.encoder.embed(words)
        glosses = self.encoder.embed([self.net.senses[offset].gloss for _, offset in pairs])
        best = [(-1.0, "")] * len(words)
        for (i, offset), gloss in zip(pairs, glosses, strict=True):
            counts = self.net.counts.get(words[i], {}).get("n", {})
            met = counts.get(self.net.index[words[i]].index(offset) + 1, 0)
            score = float(own[i] @ gloss) + USUAL * (met + 0.5) / (sum(counts.values()) + 2)
            best[i] = max(best[i], (score, offset))
        return [offset for _, offset in best]

    def wanted(self, word: str, kind: str) -> bool:
        if not kind or self.frequency(word, "en") < COMMON[kind]:
            return False
        noun = self.net.uses(word, "n")
        if max(self.net.uses(word, "a"), self.net.uses(word, "r")) > noun + 1:
            return False
        return kind not in VERBS or self.net.uses(word, "v") <= 2 * noun + 1

    def kin(self, offset: str) -> str:
        """Where WordNet places a meaning among the subjects: the closest anchor above it."""
        above = self.net.above(offset)
        found = [(steps, self.anchors[o]) for o, steps in above.items() if o in self.anchors]
        return min(found)[1] if found else ""

    def nouns(self) -> Iterator[Noun]:
        words = self.candidates()
        for word, offset in zip(words, self.meant(words), strict=True):
            kind = self.kind(word, offset)
            if self.wanted(word, kind):
                kin = "" if word in COSTUMED or kind == "being" else self.kin(offset)
                yield Noun(word, kind, kin, self.net.senses[offset].gloss)


def places() -> dict[str, tuple[str, ...]]:
    """The words of every subject, and of every form that words can tell apart."""
    found = {subject: SUBJECT_WORDS[subject] for subject in SUBJECTS}
    found |= {
        place(s, form): FORM_WORDS[form] for s, forms in FORMS.items() if len(forms) > 1 for form in forms
    }
    return found


def nearness(encoder: Encoder, texts: list[str]) -> tuple[list[str], np.ndarray]:
    """The places, and (texts, places) cosines, each the mean over the place's words nearest to the text."""
    words = places()
    own = encoder.embed(texts)
    columns = []
    for group in words.values():
        cosines = own @ encoder.embed([bare(word) for word in group]).T
        columns.append(np.sort(cosines, 1)[:, -PROTOTYPES:].mean(1))
    return list(words), np.stack(columns, 1)


def choices(kind: str, names: list[str]) -> list[int]:
    """Columns of the places that a noun of a class may go to: of a person only the subject itself."""
    home = HOMES[kind]
    return [
        i for i, at in enumerate(names) if at in home or (split_place(at)[0] in home and "person/" not in at)
    ]


def grade(noun: Noun, names: list[str], row: np.ndarray) -> tuple[str, str, float]:
    """Grade, place and cosine of a noun."""
    if noun.kin:
        subject = split_place(noun.kin)[0]
        cosine = max(float(row[i]) for i, at in enumerate(names) if split_place(at)[0] == subject)
        if cosine >= (SOMEBODY if subject == "person" else NEAR_ENOUGH) and noun.word not in NEAREST:
            return "kin", noun.kin, cosine
    best = max(choices(noun.kind, names), key=lambda i: row[i])
    return "near", names[best], float(row[best])


def build(wordnet: Path, model: Path, frequency: Frequency) -> Table:
    """The table: grade, place ("subject" or "subject/form"), noun, cosine."""
    encoder = Encoder(model)
    found = list(Finder(WordNet(wordnet), encoder, frequency).nouns())
    told = {noun.word for noun in found}
    extra = sorted({*NEAREST, *KIN} - told)
    words = [noun.word for noun in found] + extra
    names, plain = nearness(encoder, words)
    glossed = nearness(encoder, [f"{noun.word}: {noun.gloss}" for noun in found])[1]
    rows = dict(zip(words, plain, strict=True))
    graded = {n.word: grade(n, names, (rows[n.word] + g) / 2) for n, g in zip(found, glossed, strict=True)}
    graded = {word: placed for word, placed in graded.items() if placed[2] >= UNPLACED}
    for by_hand, table in (("near", NEAREST), ("kin", KIN)):
        told_here = {w: at for w, at in table.items() if w in rows and w not in shown_words()}
        graded |= {w: (by_hand, at, float(rows[w][names.index(at)])) for w, at in told_here.items()}
    made: Table = {name: {at: {} for at in names} for name in ("kin", "near")}
    for word, (name, at, cosine) in sorted(graded.items()):
        made[name][at][word] = round(cosine, 2)
    return made


def write(table: Table, path: Path) -> None:
    """One line a place, so that a change to one shows as one."""
    grades = []
    for grade, by_place in table.items():
        lines = [f"  {json.dumps(at)}: {json.dumps(words)}" for at, words in by_place.items() if words]
        grades.append(f' "{grade}": {{\n' + ",\n".join(lines) + "\n }")
    path.write_text("{\n" + ",\n".join(grades) + "\n}\n")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m starter.nouns", description="Write nouns.json.")
    parser.add_argument("wordnet", type=Path, help="folder with WordNet 3.0's data.noun")
    parser.add_argument("model", type=Path, help="folder with all-MiniLM-L6-v2")
    parser.add_argument("--to", type=Path, default=TABLE)
    arguments = parser.parse_args()
    # Nothing else needs word frequencies, so wordfreq is no dependency.
    table = build(arguments.wordnet, arguments.model, import_module("wordfreq").zipf_frequency)
    write(table, arguments.to)
    print({grade: sum(map(len, by_place.values())) for grade, by_place in table.items()})


if __name__ == "__main__":
    main()
