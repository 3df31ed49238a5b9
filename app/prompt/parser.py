"""Text to specs.

The text comes first. The first parameter ends it, and after it there are only parameters and their values,
in any order. So what follows --p is always a code, and a word that strayed among them is an error.
"""

import difflib
import re
from collections.abc import Sequence

from app.prompt.errors import (
    BadCharacter,
    BadValue,
    DuplicateParameter,
    EmptyPrompt,
    PromptTooLong,
    TooManyJobs,
    UnsupportedParameter,
    shorten,
)
from app.prompt.parameters import BY_NAME, MAX_JOBS, PARAMETERS
from app.prompt.permutations import expand
from app.prompt.values import read
from app.prompt.words import Typed, as_parameter, split, unescape
from app.spec import IMAGE_URL, MAX_TEXT, Spec

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_INVISIBLE_SPACES = str.maketrans(dict.fromkeys("\u200b\u2060\ufeff", " "))
_IMAGE_URL = re.compile(IMAGE_URL)

Section = tuple[Typed, list[str]]


def parse(prompt: str) -> list[Spec]:
    """One spec a job: permutations in reading order, each as often as --repeat says, 1 to MAX_JOBS in all.

    What the prompt leaves open is None in the spec. Raises a PromptError that says what to write instead.
    """
    _check_characters(prompt)
    specs: list[Spec] = []
    for variant in expand(prompt.translate(_INVISIBLE_SPACES)):
        spec, repeat = _parse_variant(variant)
        specs += [spec] * repeat
    if len(specs) > MAX_JOBS:
        raise TooManyJobs(
            f"This makes {len(specs)} jobs, and one prompt may make {MAX_JOBS}. "
            "Repeat less, or take options out of the braces.",
            parameter="--repeat",
            allowed=f"{MAX_JOBS} jobs",
        )
    return specs


def check_model(spec: Spec, models: Sequence[str]) -> None:
    """Raise BadValue when the spec names a model that is not among `models`, the ones this instance has."""
    if spec.model is None or spec.model in models:
        return
    known = ", ".join(models)
    guess = next(iter(difflib.get_close_matches(spec.model, models, n=1, cutoff=0.0)), None)
    raise BadValue(
        f"There is no model {shorten(spec.model)} here. Did you mean --model {guess}? There are {known}.",
        parameter="--model",
        allowed=known,
        suggestion=f"--model {guess}",
    )


def check_supported(spec: Spec, capabilities: frozenset[str], model: str) -> None:
    """Raise UnsupportedParameter for what `model` cannot do yet.

    `capabilities` are names of parameters marked `needs_support`, and "image" for image prompts.
    """
    used = ["image"] if spec.images else []
    used += [p.name for p in PARAMETERS if p.needs_support and _is_set(spec, p.field)]
    for name in used:
        if name not in capabilities:
            what = "An image in the prompt" if name == "image" else f"--{name}"
            raise UnsupportedParameter(
                f"{what} is not supported by the model {model} yet.",
                parameter=BY_NAME[name].option if name in BY_NAME else None,
            )


def _is_set(spec: Spec, field: str) -> bool:
    return bool(getattr(spec, field) != Spec.model_fields[field].default)


def _check_characters(prompt: str) -> None:
    if len(prompt) > MAX_TEXT:
        raise PromptTooLong(
            f"The prompt has {len(prompt):,} characters, and {MAX_TEXT:,} is the most. Shorten it.",
            allowed=f"{MAX_TEXT:,} characters",
        )
    if bad := _FORBIDDEN.search(prompt):
        raise BadCharacter(
            f"The prompt holds the control character U+{ord(bad[0]):04X} at position {bad.start() + 1}. "
            "Take it out."
        )


def _parse_variant(variant: str) -> tuple[Spec, int]:
    text_words, sections = _sections(split(variant))
    images: list[str] = []
    while text_words and _IMAGE_URL.fullmatch(url := unescape(text_words[0])):
        images.append(url)
        del text_words[0]
    fields = _fields(sections)
    text = unescape(" ".join(text_words))
    if not text:
        raise EmptyPrompt("The prompt has no text. Write what to paint, then the parameters.")
    repeat = fields.pop("repeat", 1)
    assert isinstance(repeat, int)
    return Spec.model_validate({"text": text, "images": tuple(images), **fields}), repeat


def _sections(words: list[str]) -> tuple[list[str], list[Section]]:
    """The words before the first parameter, and each parameter with the words that follow it."""
    text: list[str] = []
    sections: list[Section] = []
    for word in words:
        if typed := as_parameter(word, in_text=not sections):
            sections.append((typed, []))
        else:
            (sections[-1][1] if sections else text).append(word)
    return text, sections


def _fields(sections: list[Section]) -> dict[str, object]:
    fields: dict[str, object] = {}
    options: dict[str, str] = {}
    for typed, words in sections:
        field = typed.parameter.field
        if field in fields:
            names = " and ".join(dict.fromkeys([options[field], typed.option]))
            raise DuplicateParameter(
                f"{typed.parameter.option} is given twice ({names}). Keep one.",
                parameter=typed.parameter.option,
                allowed="once",
            )
        fields[field] = read(typed, words)
        options[field] = typed.option
    return fields
