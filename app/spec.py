"""Spec: what one job paints. The web makes it from a prompt, the worker renders it, neither adds anything.

A spec starts as a person wrote it, with `None` for what was left open. `Spec.resolve` fills that in when the
job is submitted. A resolved spec and the files of its model give the same images again.
"""

import json
import math
import re
from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from app.errors import InvalidPrompt

MAX_TEXT = 4_000
MAX_SEED = 2**32 - 1
MAX_SIDE = 10_000
MAX_WEIGHT = 10.0
MAX_TASTES = 16

DASHES = "-‐‑‒–—―−﹘﹣－"  # hyphens, dashes and minus signs, as keyboards and phones write them
ESCAPABLE = '\\{},"“”' + DASHES
REFERENCE = r"[A-Za-z0-9_][A-Za-z0-9_-]{3,39}"
IMAGE_URL = r'https?://[^\s\\{}"“”]+'
# What stands in quotes may hold words that look like parameters. 5" is a length: it opens no quotation.
ESCAPE = rf"\\[{re.escape(ESCAPABLE)}]"
QUOTATION = rf'(?<!\w)"(?:{ESCAPE}|[^"])*+"|“(?:{ESCAPE}|[^“”])*+”'

_ESCAPE_OR_QUOTATION = re.compile(f"{ESCAPE}|{QUOTATION}")
_PARAMETER_LIKE = re.compile(rf"(?<!\S)([{re.escape(DASHES)}]+[^\W\d_])")
_STARTS_WITH_IMAGE = re.compile(rf"{IMAGE_URL}(\s|\Z)")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u2060\ufeff\ud800-\udfff]")

Size = tuple[int, int]


def _check_text(text: str) -> str:
    if not text or text != " ".join(text.split()):
        raise ValueError("must be words separated by single spaces")
    if _CONTROL.search(text):
        raise ValueError("must hold no control characters and no invisible spaces")
    return text


def _check_decimals(value: float) -> float:
    if value != round(value, 3):
        raise ValueError("must have at most three decimals")
    return value + 0.0  # -0.0 becomes 0.0


Text = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(_check_text)]
Reference = Annotated[str, Field(pattern=rf"\A{REFERENCE}\z")]
ModelName = Annotated[str, Field(pattern=r"\A[a-z0-9][a-z0-9._-]{0,39}\z")]
ImageReference = Annotated[
    str, Field(pattern=rf"\A(?:{REFERENCE}|{IMAGE_URL})\z"), AfterValidator(_check_text)
]
Decimal = Annotated[float, Field(allow_inf_nan=False), AfterValidator(_check_decimals)]
Weight = Annotated[Decimal, Field(ge=-MAX_WEIGHT, le=MAX_WEIGHT)]
Side = Annotated[int, Field(ge=1, le=MAX_SIDE)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TasteRequest(_Frozen):
    """A code or a profile id as the prompt names it, with its weight."""

    ref: Reference
    weight: Weight = 1.0

    @model_validator(mode="after")
    def _weight_is_not_zero(self) -> Self:
        if self.weight == 0:
            raise ValueError("a weight of 0 would do nothing")
        return self


class TasteRef(_Frozen):
    """A frozen code that a job uses. `normalised` is the weight over the sum of the absolute weights."""

    code: Reference
    weight: Weight
    normalised: float


class Personalize(_Frozen):
    """What --p asked for, and, once resolved, the codes it came to.

    `unset` leaves it to the person's settings, `default` is a bare --p, `refs` names codes or profiles.
    """

    requested: Literal["unset", "off", "default", "refs"] = "unset"
    refs: Annotated[tuple[TasteRequest, ...], Field(max_length=MAX_TASTES)] = ()
    tastes: tuple[TasteRef, ...] = ()

    @model_validator(mode="after")
    def _refs_match_request(self) -> Self:
        if bool(self.refs) != (self.requested == "refs"):
            raise ValueError("refs are named exactly when `requested` is refs")
        if len({taste.ref for taste in self.refs}) != len(self.refs):
            raise ValueError("a taste is named twice")
        return self


class Spec(_Frozen):
    """One job: text, parameters, and after `resolve` everything the worker needs to know."""

    text: Text
    negative: tuple[Text, ...] = ()
    personalize: Personalize = Personalize()
    stylize: Annotated[int, Field(ge=0, le=1000)] | None = None
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] | None = None
    aspect: tuple[Side, Side] = (1, 1)
    chaos: Annotated[int, Field(ge=0, le=100)] = 0
    n: Annotated[int, Field(ge=1, le=8)] = 4
    model: ModelName | None = None
    steps: Annotated[int, Field(ge=1, le=150)] | None = None
    images: tuple[ImageReference, ...] = ()
    iw: Annotated[Decimal, Field(ge=0, le=3)] | None = None
    sref: tuple[ImageReference, ...] = ()
    sw: Annotated[int, Field(ge=0, le=1000)] | None = None
    tile: bool = False
    raw: bool = False
    size: tuple[Side, Side] | None = None  # width and height in pixels

    @model_validator(mode="after")
    def _images_stand_apart(self) -> Self:
        if _STARTS_WITH_IMAGE.match(self.text):
            raise ValueError("an image prompt belongs into `images`")
        return self

    def to_json(self) -> str:
        """The canonical form: equal specs give equal strings."""
        return json.dumps(
            self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls.model_validate_json(text)

    def slot_seed(self, slot: int) -> int:
        """The seed of one image of the grid, slots counted from 0. Raises ValueError before `resolve`."""
        if self.seed is None:
            raise ValueError("the spec has no seed yet")
        return (self.seed + slot) % (MAX_SEED + 1)

    def resolve(
        self,
        *,
        seed: int,
        stylize: int,
        model: str,
        steps: int,
        size: Size,
        tastes: Sequence[tuple[str, float]],
    ) -> Self:
        """Fill in what the prompt left open, and fix the size and the (code, weight) pairs that --p came to.

        What the prompt did say about seed, stylize, model and steps stays. Without tastes the result says
        `--p off`, so that rendering it again does not depend on anybody's settings.
        """
        personalize = _personalize_with(tastes)
        filled = {
            "seed": seed if self.seed is None else self.seed,
            "stylize": stylize if self.stylize is None else self.stylize,
            "model": model if self.model is None else self.model,
            "steps": steps if self.steps is None else self.steps,
            "size": size,
            "personalize": personalize,
        }
        return self.model_validate({**dict(self), **filled})

    def to_prompt(self) -> str:
        """The prompt that parses to this spec again, but for what only `resolve` knows: size and tastes."""
        words = [*self.images, escape(self.text), *_print_personalize(self.personalize)]
        for name in (
            "stylize",
            "seed",
            "aspect",
            "chaos",
            "n",
            "model",
            "steps",
            "iw",
            "sref",
            "sw",
            "tile",
            "raw",
        ):
            value = getattr(self, name)
            if value != type(self).model_fields[name].default:
                words += [f"--{_SHORT.get(name, name)}", *_print_value(value)]
        if self.negative:
            words += ["--no", ", ".join(escape(item).replace(",", "\\,") for item in self.negative)]
        return " ".join(words)


_SHORT = {"stylize": "s", "aspect": "ar"}


def _personalize_with(tastes: Sequence[tuple[str, float]]) -> Personalize:
    if not tastes:
        return Personalize(requested="off")
    if len({code for code, _ in tastes}) != len(tastes):
        raise InvalidPrompt("--p names the same taste twice. Name it once, with one weight.", parameter="--p")
    requests = tuple(TasteRequest(ref=code, weight=weight) for code, weight in tastes)
    total = math.fsum(abs(weight) for _, weight in tastes)
    refs = tuple(TasteRef(code=r.ref, weight=r.weight, normalised=r.weight / total) for r in requests)
    return Personalize(requested="refs", refs=requests, tastes=refs)


def escape(text: str) -> str:
    """Text as it must be written in a prompt to be read as that text."""
    escaped = re.sub(r"[\\{}]", r"\\\g<0>", text)
    escaped = _PARAMETER_LIKE.sub(r"\\\1", escaped)
    if re.search(r'(?<!\w)"|“', _ESCAPE_OR_QUOTATION.sub(".", escaped)):  # it would swallow what follows
        escaped = re.sub('["“”]', r"\\\g<0>", escaped)
    return escaped


def print_number(value: float) -> str:
    """At most three decimals, none that says nothing: 2.0 is 2, 0.50 is 0.5."""
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _print_personalize(personalize: Personalize) -> list[str]:
    match personalize.requested:
        case "unset":
            return []
        case "off":
            return ["--p", "off"]
        case "default":
            return ["--p"]
        case "refs":
            weights = ["" if t.weight == 1 else f"::{print_number(t.weight)}" for t in personalize.refs]
            return ["--p", *(t.ref + weight for t, weight in zip(personalize.refs, weights, strict=True))]


def _print_value(value: object) -> list[str]:
    match value:
        case bool():
            return []
        case (int(width), int(height)):
            return [f"{width}:{height}"]
        case tuple():
            return [str(item) for item in value]
        case float():
            return [print_number(value)]
        case _:
            return [str(value)]


def snap_size(aspect: Size, sizes: Sequence[Size]) -> Size:
    """The size (width, height) of `sizes`, in pixels, whose proportions are nearest to `aspect`.

    Nearness is |log(ratio / ratio)|, so 2:1 and 1:2 are equally far from a square. Of equally near ones
    the largest is taken. Raises ValueError when `sizes` is empty.
    """
    wanted = math.log(aspect[0] / aspect[1])
    return min(
        sizes,
        key=lambda size: (round(abs(math.log(size[0] / size[1]) - wanted), 9), -size[0] * size[1], size),
    )
