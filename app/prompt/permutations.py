"""`a {red, {dark, light} blue} boat` is three prompts. Runs before anything else reads the prompt.

A backslash before a brace or a comma makes it an ordinary character. Escapes stay in place for the parser.
"""

import itertools
import re
from collections.abc import Iterator

from app.prompt.errors import BadPermutation, TooManyJobs
from app.prompt.parameters import MAX_JOBS

MAX_DEPTH = 8

_PIECE = re.compile(r"[{},]|(?:\\.|[^{},\\]|\\)++", re.DOTALL)


def expand(prompt: str) -> list[str]:
    """All variants in reading order. Raises BadPermutation, and TooManyJobs for more than MAX_JOBS."""
    pieces = _PIECE.findall(prompt)
    variants, end = _sequence(iter([*pieces, ""]), depth=0)
    if end == "}":
        raise BadPermutation("A } stands without its {. Write \\} for a plain brace.", suggestion="\\}")
    return variants


def _sequence(pieces: Iterator[str], depth: int) -> tuple[list[str], str]:
    """Variants of what stands before the next unpaired comma, brace or end (""), and which of them it was."""
    variants = [""]
    literal: list[str] = []
    for piece in pieces:
        if piece == "{":
            options = _group(pieces, depth + 1)
            prefix = "".join(literal)
            literal.clear()
            variants = [head + prefix + option for head, option in itertools.product(variants, options)]
            _limit(variants)
        elif piece in ("}", "") or (piece == "," and depth):
            suffix = "".join(literal)
            return [head + suffix for head in variants], piece
        else:
            literal.append(piece)
    raise AssertionError("the sentinel ends every sequence")


def _group(pieces: Iterator[str], depth: int) -> list[str]:
    if depth > MAX_DEPTH:
        raise BadPermutation(f"Braces nest at most {MAX_DEPTH} deep.", allowed=f"{MAX_DEPTH} levels")
    options: list[str] = []
    end = ","
    while end == ",":
        variants, end = _sequence(pieces, depth)
        options += [variant.strip() for variant in variants]
        _limit(options)
    if end == "":
        raise BadPermutation(
            "A { is never closed. Add the }, or write \\{ for a plain brace.", suggestion="\\{"
        )
    if not any(options):
        raise BadPermutation(
            "Empty braces choose between nothing. Write {a, b}, or \\{\\} for plain braces.",
            suggestion="{a, b}",
        )
    return options


def _limit(variants: list[str]) -> None:
    if len(variants) > MAX_JOBS:
        raise TooManyJobs(
            f"The braces make more than {MAX_JOBS} jobs. Take some options out.", allowed=f"{MAX_JOBS} jobs"
        )
