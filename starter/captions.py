"""Captions from a grammar rich in synonyms and word orders, true to the picture that they go with."""

from __future__ import annotations

import numpy as np

from starter import unseen
from starter.attributes import FORMS, NAMES, Attributes
from starter.looks import ADJECTIVES, FAIR, FRAMING_VIEWS, LIGHT_TIMES, PHRASES
from starter.vocabulary import FORM_WORDS, SUBJECT_WORDS

# Every word that names a value of an attribute; "form" holds those forms that words can tell apart.
VOCABULARY: dict[str, dict[str, tuple[str, ...]]] = {
    "subject": SUBJECT_WORDS,
    "form": FORM_WORDS,
    **{
        name: {
            value: tuple(dict.fromkeys((*ADJECTIVES.get(name, {}).get(value, ()), *phrases)))
            for value, phrases in table.items()
        }
        for name, table in PHRASES.items()
    },
}
LOOKS = tuple(name for name in NAMES if name != "subject")

OPENINGS = (
    "a picture of", "an image of", "a scene with", "draw me", "i want", "make", "please draw", "paint me",
    "something with", "show me", "a portrait of", "a drawing of", "a painting of", "an illustration of",
    "create", "wallpaper of", "a poster of", "a postcard of", "generate", "can you draw",
)  # fmt: skip
FILLERS = (
    "beautiful", "high quality", "art", "artwork", "illustration", "lovely", "my favourite", "masterpiece",
    "for my wall", "please", "nice", "dreamy", "elegant", "trending", "cover art", "by an old master",
    "with feeling", "quiet", "strange", "wallpaper", "very", "the", "and", "stunning", "peaceful", "cute",
    "epic", "majestic", "for my daughter", "award winning", "4k", "aesthetic", "cozy", "mysterious", "old",
    "lonely", "whimsical", "ancient", "gentle", "tiny", "huge", "magical", "happy", "sad",
)  # fmt: skip
ANYTHING = ("anything", "something", "a picture", "a scene", "an image", "whatever", "a surprise", "art")

# How often each attribute is mentioned in a free caption, and how often where it has its plain value.
MENTION = {"subject": 0.94, "medium": 0.68, "palette": 0.55, "light": 0.5, "density": 0.3,
           "weather": 0.6, "season": 0.6, "framing": 0.6, "symmetry": 0.6}  # fmt: skip
PLAIN = {"weather": "clear", "season": "any season", "framing": "medium", "symmetry": "free"}
PLAIN_MENTION = 0.03
FORM_MENTION = 0.65  # of a subject that is mentioned and has several forms
# How often a noun outside the grammar stands for what is shown: a kind of it, or one to which it is nearest.
UNSEEN = {"kin": 0.15, "near": 0.1}


class Speaker:
    """Makes captions with one random generator; with `held_out`, of nouns that training never uses."""

    def __init__(
        self,
        rng: np.random.Generator,
        *,
        unseen_rates: dict[str, float] = UNSEEN,
        held_out: bool = False,
        dressed: bool = True,
    ) -> None:
        self.rng = rng
        self.dressed = dressed
        self.unseen_rates = unseen_rates
        self.held_out = held_out

    def pick(self, words: tuple[str, ...]) -> str:
        return words[int(self.rng.integers(len(words)))]

    def chance(self, p: float) -> bool:
        return bool(self.rng.random() < p)

    def shuffled(self, words: list[str]) -> list[str]:
        return [words[int(i)] for i in self.rng.permutation(len(words))]

    def free(self, attributes: Attributes) -> tuple[str, frozenset[str]]:
        """A caption that mentions some attributes, and which; "form" is among them where it is named."""
        values = attributes.as_dict()
        rates = {n: PLAIN_MENTION if values[n] == PLAIN.get(n) else p for n, p in MENTION.items()}
        said = [name for name, rate in rates.items() if self.chance(rate)] or ["subject"]
        said += self.form_said(attributes, said)
        return self.say(attributes, said), frozenset(said)

    def plain(self, attributes: Attributes) -> tuple[str, frozenset[str]]:
        """A caption of what is shown alone: nothing of how it looks."""
        said = ["subject", *self.form_said(attributes, ["subject"])]
        return self.say(attributes, said), frozenset(said)

    def form_said(self, attributes: Attributes, said: list[str]) -> list[str]:
        several = "subject" in said and len(FORMS[attributes.subject]) > 1
        return ["form"] if several and self.chance(FORM_MENTION) else []

    def say(self, attributes: Attributes, said: list[str]) -> str:
        """A caption of exactly these attributes; "form" among them names the form in place of the subject."""
        shown = self.shown(attributes, "form" in said) if "subject" in said or "form" in said else ""
        values = attributes.as_dict()
        looks = {name: values[name] for name in said if name in LOOKS}
        fair = attributes.weather == PLAIN["weather"]
        form = self.sentence if self.chance(0.62) or not looks else self.listing
        text = form(shown, looks, fair)
        return self.dress(text) if self.dressed else text

    def shown(self, attributes: Attributes, named: bool) -> str:
        """Words for the subject, or for its form."""
        form = attributes.form or FORMS[attributes.subject][0]
        dice = float(self.rng.random())
        for grade, rate in self.unseen_rates.items():
            nouns = unseen.words(grade, attributes.subject, form if named else "", held_out=self.held_out)
            if dice < rate and nouns:
                return self.pick(nouns)
            dice -= rate
        return self.pick(FORM_WORDS[form] if named else SUBJECT_WORDS[attributes.subject])

    def word(self, table: dict[str, tuple[str, ...]], value: str, fair: bool) -> str:
        words = table[value]
        return self.pick(words if fair else tuple(w for w in words if w not in FAIR))

    def sentence(self, shown: str, looks: dict[str, str], fair: bool) -> str:
        """One phrase: adjectives, what is shown, how it is made, when and in what weather."""
        left = dict(looks)
        text = shown or (self.word(PHRASES["medium"], left.pop("medium"), fair) if "medium" in left else "")
        text = text or self.pick(ANYTHING)
        before = self.early_medium(left, fair) if self.chance(0.5) else None
        tail = self.moment(left, fair)
        text = self.adjectives(text, left, fair)
        if before:
            text = self.with_medium(text, before)
        if "framing" in left and self.chance(0.35):
            text = f"{self.pick(FRAMING_VIEWS[left.pop('framing')])} of {text}"
        palette = left.pop("palette", None)
        medium = left.pop("medium", None)
        tail += [self.word(PHRASES[name], value, fair) for name, value in left.items()]
        for part in self.shuffled(tail):
            text = self.attach(text, part)
        if palette:
            text = self.with_palette(text, self.word(PHRASES["palette"], palette, fair))
        return self.with_medium(text, self.word(PHRASES["medium"], medium, fair)) if medium else text

    def early_medium(self, left: dict[str, str], fair: bool) -> str | None:
        return self.word(PHRASES["medium"], left.pop("medium"), fair) if "medium" in left else None

    def moment(self, left: dict[str, str], fair: bool) -> list[str]:
        """Light, weather and season in one phrase ("on a rainy autumn evening"), sometimes."""
        with_light = [name for name in ("weather", "season") if name in left]
        if "light" not in left or not with_light or not self.chance(0.35):
            return []
        adjectives = [self.word(ADJECTIVES[name], left.pop(name), fair) for name in with_light]
        time = self.pick(LIGHT_TIMES[left.pop("light")])
        phrase = " ".join([*self.shuffled(adjectives), time])
        return [f"on {article(phrase)} {phrase}"]

    def adjectives(self, text: str, left: dict[str, str], fair: bool) -> str:
        """Put some of what is left before the noun: "a rainy purple castle"."""
        room = 3
        for name in self.shuffled([name for name in left if name in ADJECTIVES]):
            if room and self.chance(0.45):
                text = before_noun(self.word(ADJECTIVES[name], left.pop(name), fair), text)
                room -= 1
        return text

    def attach(self, text: str, part: str) -> str:
        joint = part.startswith(("in ", "on ", "at ", "by ", "under ", "with", "from ", "while ", "like "))
        if joint and self.chance(0.65):
            return f"{text} {part}"
        return f"{text}, {part}" if self.chance(0.7) else f"{part}, {text}"

    def with_medium(self, text: str, medium: str) -> str:
        name = bare(medium)
        forms = (f"{medium} of {text}", f"{text} in the style of {name}", f"{text} as {medium}",
                 f"{text}, {medium}", f"{text}, {name} style", f"{name} style {text}", f"{text} in {name}",
                 f"{name}, {text}", f"{text} made with {name}", f"{name} {bare(text)}",
                 f"{text} made of {name}", f"{text} done in {name}", f"{name}: {text}", f"{text} ({name})",
                 f"{name} of {bare(text)}", f"{text} {name}")  # fmt: skip
        return self.pick(forms)

    def with_palette(self, text: str, palette: str) -> str:
        name = bare(palette)
        forms = (f"{text} in {palette}", f"{text}, {palette}", f"{palette}, {text}", f"{text} with {palette}",
                 f"{name} {bare(text)}", f"{text} coloured in {palette}", f"{text}, palette of {name}",
                 f"{text} using {name}", f"{text}, all in {name}", f"{text} painted {name}")  # fmt: skip
        return self.pick(forms)

    def listing(self, shown: str, looks: dict[str, str], fair: bool) -> str:
        """Words in any order, as people who know picture models type them."""
        words = [self.loose(name, value, fair) for name, value in looks.items()] + ([shown] if shown else [])
        words = [bare(word) if self.chance(0.5) else word for word in self.shuffled(words)]
        if shown and self.chance(0.35):
            first = bare(shown) if self.chance(0.5) else shown
            words = [first, *(word for word in words if bare(word) != bare(shown))]
        return self.pick((", ", ", ", ", ", ",", " ", " - ", "; ", " + ")).join(words)

    def loose(self, name: str, value: str, fair: bool) -> str:
        table = ADJECTIVES[name] if name in ADJECTIVES and self.chance(0.45) else PHRASES[name]
        return self.word(table, value, fair)

    def dress(self, text: str) -> str:
        """Openings, filler words, an odd word nobody knows, capitals: what people type."""
        if self.chance(0.14):
            text = f"{self.pick(OPENINGS)} {text}"
        if self.chance(0.3):
            filler = self.pick(FILLERS)
            text = self.pick((before_noun(filler, text), f"{text}, {filler}", f"{filler} {text}"))
        if self.chance(0.1):
            letters = "".join(
                chr(97 + int(c)) for c in self.rng.integers(0, 26, int(self.rng.integers(3, 9)))
            )
            words = text.split(" ")
            words.insert(int(self.rng.integers(len(words) + 1)), letters)
            text = " ".join(words)
        return text.capitalize() if self.chance(0.2) else text


def article(text: str) -> str:
    return "an" if text[0] in "aeiou" else "a"


def before_noun(adjective: str, text: str) -> str:
    """The text with the adjective after its article, which agrees with it."""
    if text.startswith(("a ", "an ")):
        return f"{article(adjective)} {adjective} {bare(text)}"
    for start in ("the ", "my "):
        if text.startswith(start):
            return f"{start}{adjective} {text[len(start) :]}"
    return f"{adjective} {text}"


def bare(text: str) -> str:
    """The words without a leading article."""
    for start in ("a ", "an ", "the "):
        if text.startswith(start):
            return text[len(start) :]
    return text
