"""The table of parameters, from which the parser, the errors and the help page are made."""

import difflib
from dataclasses import dataclass
from typing import Literal

from app.spec import MAX_SEED, MAX_SIDE, MAX_TASTES, MAX_WEIGHT

MAX_JOBS = 40

Kind = Literal["tastes", "integer", "decimal", "ratio", "list", "images", "name", "flag"]


@dataclass(frozen=True)
class Parameter:
    """One row: `name` is written after two dashes, `field` is where its value goes in a Spec.

    `needs_support` marks what a model must be able to do, see `check_supported`.
    """

    name: str
    field: str
    kind: Kind
    help: str
    example: str
    aliases: tuple[str, ...] = ()
    low: float = 0
    high: float = 0
    default: str = ""
    needs_support: bool = False

    @property
    def option(self) -> str:
        return f"--{self.name}"

    @property
    def allowed(self) -> str:
        """The values it takes, as the middle of a sentence."""
        match self.kind:
            case "integer":
                return f"a whole number from {self.low:.0f} to {self.high:.0f}"
            case "decimal":
                return f"a number from {self.low:.0f} to {self.high:.0f} with at most three decimals"
            case "ratio":
                return f"W:H in whole numbers from {self.low:.0f} to {self.high:.0f}"
            case "tastes":
                return (
                    f"nothing, off, or up to {MAX_TASTES} codes or profile ids, each with an optional "
                    f"::weight from {-MAX_WEIGHT:.0f} to {MAX_WEIGHT:.0f}"
                )
            case "list":
                return "one or more things, separated by commas"
            case "images":
                return "one or more image URLs, ids or codes"
            case "name":
                return "the name of a model"
            case "flag":
                return "no value"


PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "p",
        "personalize",
        "tastes",
        "Paints in your taste, or in the tastes whose codes are named. Several are blended by their weights; "
        "a negative weight steers away. --p off switches your default off for this prompt.",
        "--p k3vq9x::2 m8wz4t::-1",
        aliases=("personalize", "profile"),
    ),
    Parameter(
        "s",
        "stylize",
        "integer",
        "How strongly the taste shows. 0 gives the image of that seed as if --p were not there.",
        "--s 250",
        aliases=("stylize",),
        high=1000,
        default="100",
    ),
    Parameter(
        "seed",
        "seed",
        "integer",
        "The same prompt, parameters and seed give the same images again.",
        "--seed 1234",
        high=MAX_SEED,
        default="random",
    ),
    Parameter(
        "ar",
        "aspect",
        "ratio",
        "The aspect ratio, width to height. The nearest size the model knows is used, and the job shows it.",
        "--ar 3:2",
        low=1,
        high=MAX_SIDE,
        default="1:1",
    ),
    Parameter("no", "negative", "list", "What to leave out.", "--no people, text"),
    Parameter(
        "chaos",
        "chaos",
        "integer",
        "How far the images of one grid differ. With --p it explores what is not yet known about the taste.",
        "--chaos 30",
        aliases=("c",),
        high=100,
        default="0",
    ),
    Parameter(
        "sref",
        "sref",
        "images",
        "Images whose look is taken over. Works together with --p.",
        "--sref k3vq9x",
        needs_support=True,
    ),
    Parameter(
        "sw",
        "sw",
        "integer",
        "How strongly --sref shows.",
        "--sw 300",
        high=1000,
        default="100",
        needs_support=True,
    ),
    Parameter(
        "iw",
        "iw",
        "decimal",
        "How much an image at the start of the prompt counts against the text.",
        "--iw 0.5",
        high=3,
        default="1",
        needs_support=True,
    ),
    Parameter(
        "tile",
        "tile",
        "flag",
        "Makes images that repeat without a seam.",
        "--tile",
        default="off",
        needs_support=True,
    ),
    Parameter(
        "raw",
        "raw",
        "flag",
        "Takes the text as it is, without expansion.",
        "--raw",
        default="off",
        needs_support=True,
    ),
    Parameter(
        "repeat",
        "repeat",
        "integer",
        "Makes this many jobs of one prompt.",
        "--repeat 3",
        low=1,
        high=MAX_JOBS,
        default="1",
    ),
    Parameter(
        "model", "model", "name", "Which model paints.", "--model starter", default="the instance's first"
    ),
    Parameter(
        "steps",
        "steps",
        "integer",
        "How many denoising steps. More take longer.",
        "--steps 30",
        low=1,
        high=150,
        default="the model's own",
    ),
    Parameter("n", "n", "integer", "Images in the grid.", "--n 2", low=1, high=8, default="4"),
)

BY_NAME: dict[str, Parameter] = {
    name: parameter for parameter in PARAMETERS for name in (parameter.name, *parameter.aliases)
}

# Names that other image tools use for what is called otherwise here.
_ELSEWHERE = {
    "aspect": "ar",
    "negative": "no",
    "style": "raw",
    "v": "model",
    "version": "model",
    "r": "repeat",
}


def is_slip(name: str) -> bool:
    """Whether `name` is so near to a known name that it can hardly be meant as text."""
    name = name.lower()[:20]
    begun = len(name) >= 3 and any(known.startswith(name) for known in BY_NAME)
    return name in _ELSEWHERE or begun or (len(name) >= 4 and nearest(name, cutoff=0.8) is not None)


def nearest(name: str, cutoff: float = 0.5) -> str | None:
    """The known name that `name` was most likely meant to be."""
    name = name.lower()[:20]
    if name in _ELSEWHERE:
        return _ELSEWHERE[name]
    return next(iter(difflib.get_close_matches(name, BY_NAME, n=1, cutoff=cutoff)), None)
