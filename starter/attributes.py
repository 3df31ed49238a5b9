"""The exact labels of a drawn picture: what it shows, and how it looks."""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass

import numpy as np

# Each subject and the forms it takes. Where a form belongs to one part of the world it is named after it.
FORMS: dict[str, tuple[str, ...]] = {
    "mountains": ("mountains",), "desert": ("desert",), "forest": ("forest",), "waterfall": ("waterfall",),
    "island": ("island",), "wave": ("wave",), "sailboat": ("sailboat",), "lighthouse": ("lighthouse",),
    "city": ("city",), "house": ("cottage", "adobe", "yurt", "stilt house"),
    "temple": ("pagoda", "mosque", "greek temple", "cathedral", "stupa"),
    "castle": ("castle",), "windmill": ("windmill",), "bridge": ("bridge",),
    "tree": ("tree",), "flower": ("flower",), "cactus": ("cactus",), "mushroom": ("mushroom",),
    "cat": ("cat",), "dog": ("dog",), "horse": ("horse",), "elephant": ("elephant",), "lizard": ("lizard",),
    "bird": ("bird",), "owl": ("owl",), "fish": ("fish",), "whale": ("whale",), "butterfly": ("butterfly",),
    "rocket": ("rocket",), "balloon": ("balloon",), "car": ("car",), "train": ("train",),
    "airplane": ("airplane",), "fruit": ("fruit",), "teapot": ("teapot",),
    "food": ("ramen", "tacos", "bread", "dumplings"), "guitar": ("guitar",),
    "person": ("coat", "kimono", "sari", "poncho", "boubou"), "planet": ("planet",),
    "abstract": ("circles", "stripes", "triangles", "spiral"),
}  # fmt: skip
SUBJECTS = tuple(FORMS)
MEDIA = (
    "flat", "papercut", "watercolour", "oil", "neon", "ink", "woodblock", "pixel",
    "pointillism", "glass", "halftone", "charcoal", "mosaic", "line",
)  # fmt: skip
PALETTES = (
    "sunset", "ocean", "forest", "pastel", "sepia", "mono", "candy", "crimson",
    "royal", "tropical", "violet", "lime", "terracotta", "ice", "autumn", "rainbow",
)  # fmt: skip
LIGHTS = ("day", "dusk", "night")
DENSITIES = ("sparse", "balanced", "busy")
WEATHERS = ("clear", "rain", "snow", "fog")
SEASONS = ("any season", "spring", "summer", "autumn", "winter")
FRAMINGS = ("close", "medium", "wide")
SYMMETRIES = ("free", "symmetrical")

NAMES: dict[str, tuple[str, ...]] = {
    "subject": SUBJECTS,
    "medium": MEDIA,
    "palette": PALETTES,
    "light": LIGHTS,
    "density": DENSITIES,
    "weather": WEATHERS,
    "season": SEASONS,
    "framing": FRAMINGS,
    "symmetry": SYMMETRIES,
}
HOW = ("medium", "palette", "light", "density")
TOLD = ("subject", "medium", "palette", "light")  # what is named where obedience is measured
# How often each value comes up where not all are as common as each other.
SHARES: dict[str, tuple[float, ...]] = {
    "weather": (0.64, 0.12, 0.12, 0.12),
    "season": (0.52, 0.12, 0.12, 0.12, 0.12),
    "framing": (0.2, 0.6, 0.2),
    "symmetry": (0.85, 0.15),
}
# Pairs of these attributes are held out: the model never sees some of their combinations.
PAIRED = ("subject", "medium", "palette", "light")
HELD_OUT = 0.06  # share of the pairs of two attributes
SEED = 7


@dataclass(frozen=True)
class Attributes:
    subject: str
    medium: str
    palette: str
    light: str
    density: str
    weather: str = "clear"
    season: str = "any season"
    framing: str = "medium"
    symmetry: str = "free"
    form: str = ""  # one of FORMS[subject]; empty stands for the first

    def as_dict(self) -> dict[str, str]:
        return asdict(self)

    def codes(self) -> list[int]:
        """Class indices in the order of NAMES, then the form's index among those of its subject."""
        values = self.as_dict()
        form = FORMS[self.subject].index(self.form) if self.form else 0
        return [*(names.index(values[name]) for name, names in NAMES.items()), form]


def from_codes(codes: np.ndarray) -> Attributes:
    """Attributes from ten class indices: those of NAMES in order, then the form."""
    named = {name: values[int(code)] for (name, values), code in zip(NAMES.items(), codes, strict=False)}
    return Attributes(**named, form=FORMS[named["subject"]][int(codes[len(NAMES)])])


def held_out() -> dict[tuple[int, int], np.ndarray]:
    """For each pair of columns of PAIRED, a (classes, classes) table of those left out."""
    rng = np.random.default_rng(SEED)
    columns = [list(NAMES).index(name) for name in PAIRED]
    sizes = [len(names) for names in NAMES.values()]
    return {
        (a, b): rng.random((sizes[a], sizes[b])) < HELD_OUT for a, b in itertools.combinations(columns, 2)
    }


def is_held_out(codes: np.ndarray) -> np.ndarray:
    """(n,) whether a picture has a pair of values that training never shows together."""
    found = np.zeros(len(codes), bool)
    for (a, b), table in held_out().items():
        found |= table[codes[:, a], codes[:, b]]
    return found


def spread(
    count: int, classes: int, shares: tuple[float, ...] | None, rng: np.random.Generator
) -> np.ndarray:
    """(count,) class indices in random order, each class as often as its share says, to within one."""
    if shares is None:
        return rng.permutation(np.arange(count) % classes)
    edges = np.round(np.cumsum(shares) * count).astype(int)
    return rng.permutation(np.searchsorted(edges, np.arange(count), side="right"))


def balanced(count: int, seed: int, *, unseen: bool = False) -> np.ndarray:
    """(count, 10) uint8 class indices, every attribute spread evenly and apart from the others.

    Pictures with a held-out pair are left out; with `unseen` there are no others.
    """
    rng = np.random.default_rng(seed)
    kept: list[np.ndarray] = []
    while sum(map(len, kept)) < count:
        size = 2 * count + 64
        columns = [spread(size, len(names), SHARES.get(name), rng) for name, names in NAMES.items()]
        forms = np.array([len(FORMS[s]) for s in SUBJECTS])[columns[0]]
        codes = np.stack([*columns, (rng.random(size) * forms).astype(int)], 1)
        kept.append(codes[is_held_out(codes) == unseen])
    return np.concatenate(kept)[:count].astype(np.uint8)
