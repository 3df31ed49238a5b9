"""Splits a prompt into words, and tells which of them are parameters.

A parameter is a dash directly followed by a letter, where a word begins, outside quotes. After two dashes, or
a long one as phones make of two, an unknown name is an error. After one short dash it is text before the
first parameter, unless it is a slip of the pen for a known name.
"""

import re
from dataclasses import dataclass

from app.prompt.errors import BadValue, UnknownParameter, shorten
from app.prompt.parameters import BY_NAME, PARAMETERS, Parameter, is_slip, nearest
from app.spec import DASHES, ESCAPABLE, ESCAPE, QUOTATION

_WORD = re.compile(rf"(?:{ESCAPE}|{QUOTATION}|\S)++")
_DASHED = re.compile(rf"([{re.escape(DASHES)}]+)([^\W\d_].*)", re.DOTALL)
_NAME = re.compile(r"([A-Za-z]+)(.+)", re.DOTALL)
_ESCAPED = re.compile(rf"\\([{re.escape(ESCAPABLE)}])")
_SHORT_DASHES = "-‐‑−﹣－"


@dataclass(frozen=True)
class Typed:
    """A parameter as it was typed: what it is, and the name that was used for it, dashes included."""

    parameter: Parameter
    option: str


def split(prompt: str) -> list[str]:
    """The words, escapes and quotes still in them. A quotation is one word, or part of one."""
    return _WORD.findall(prompt)


def unescape(raw: str) -> str:
    """The text that a piece of a prompt stands for, white space made single spaces."""
    return _ESCAPED.sub(r"\1", " ".join(raw.split()))


def as_parameter(word: str, *, in_text: bool) -> Typed | None:
    """The parameter that a word is, None for an ordinary word; `in_text` before the first parameter.

    Raises UnknownParameter and BadValue.
    """
    match = _DASHED.fullmatch(word)
    if match is None:
        return None
    dashes, name = match.groups()
    if parameter := BY_NAME.get(name.lower()):
        return Typed(parameter, f"--{name.lower()}")
    lenient = in_text and len(dashes) == 1 and dashes in _SHORT_DASHES
    if glued := _NAME.fullmatch(name):
        _refuse_glued(*glued.groups(), lenient=lenient)
    if lenient and not is_slip(name):
        return None
    raise _unknown(name)


def _refuse_glued(name: str, rest: str, *, lenient: bool) -> None:
    """`--s500`, `--s=500`, `--s:500`, `--s,`: the name is known, the value is not apart from it."""
    parameter = BY_NAME.get(name.lower())
    if parameter is None or (lenient and rest[0] not in "=:0123456789"):
        return
    value = rest.strip("=:,;.")
    suggestion = f"--{name.lower()} {value[:40]}".rstrip()
    raise BadValue(
        f"{shorten('--' + name + rest)} is not understood. Write {suggestion}.",
        parameter=parameter.option,
        allowed=parameter.allowed,
        suggestion=suggestion,
    )


def _unknown(name: str) -> UnknownParameter:
    known = ", ".join(parameter.option for parameter in PARAMETERS)
    guess = nearest(name)
    suggestion = f"--{guess}" if guess else None
    hint = f"Did you mean {suggestion}?" if suggestion else f"There are {known}."
    return UnknownParameter(
        f"There is no parameter {shorten('--' + name)}. {hint} Put it in quotes if it belongs to the text.",
        parameter=f"--{name[:40]}",
        allowed=known,
        suggestion=suggestion,
    )
