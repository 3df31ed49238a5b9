"""Reads the words that follow a parameter into the value of its field in a Spec."""

import re

from app.prompt.errors import BadValue, MisplacedText, shorten
from app.prompt.words import Typed, unescape
from app.spec import DASHES, IMAGE_URL, MAX_TASTES, MAX_WEIGHT, REFERENCE, Personalize, TasteRequest

_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]{0,3})?|\.[0-9]{1,3})")
_RATIO = re.compile(r"([0-9]+):([0-9]+)")
_MODEL = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
_TASTE = re.compile(rf"({REFERENCE})(?:::(.*))?")
_IMAGE = re.compile(rf"{REFERENCE}|{IMAGE_URL}")
_ITEM = re.compile(r"(?:\\.|[^,])++")
_TO_MINUS = str.maketrans(dict.fromkeys(DASHES, "-"))


def read(typed: Typed, words: list[str]) -> object:
    """The value that `words` give to a parameter. Raises BadValue, or MisplacedText for words too many."""
    match typed.parameter.kind:
        case "tastes":
            return _tastes(typed, words)
        case "list":
            return _list(typed, words)
        case "images":
            return _images(typed, words)
        case "flag":
            _only(typed, words, 0)
            return True
        case "integer":
            return _integer(typed, _only(typed, words, 1))
        case "decimal":
            return _decimal(typed, _only(typed, words, 1))
        case "ratio":
            return _ratio(typed, _only(typed, words, 1))
        case "name":
            word = _only(typed, words, 1).lower()
            return word if _MODEL.fullmatch(word) else _refuse(typed, word)


def _refuse(typed: Typed, word: str, *, suggestion: str | None = None) -> object:
    hint = f" Try {suggestion}." if suggestion else f" For example {typed.parameter.example}."
    raise BadValue(
        f"{typed.option} takes {typed.parameter.allowed}, not {shorten(word)}.{hint}",
        parameter=typed.parameter.option,
        allowed=typed.parameter.allowed,
        suggestion=suggestion,
    )


def _only(typed: Typed, words: list[str], count: int) -> str:
    """The one word, or "" where none is wanted."""
    if len(words) < count:
        _missing(typed)
    if len(words) > count:
        extra = " ".join(words[count:])
        raise MisplacedText(
            f"{shorten(extra)} stands after {typed.option}, which takes {typed.parameter.allowed}. "
            f"Write all text before the first parameter.",
            parameter=typed.parameter.option,
            allowed=typed.parameter.allowed,
        )
    return words[0] if count else ""


def _missing(typed: Typed) -> None:
    raise BadValue(
        f"{typed.option} has no value. It takes {typed.parameter.allowed}, "
        f"for example {typed.parameter.example}.",
        parameter=typed.parameter.option,
        allowed=typed.parameter.allowed,
        suggestion=typed.parameter.example,
    )


def _integer(typed: Typed, word: str) -> object:
    digits = word.translate(_TO_MINUS)
    if not _INTEGER.fullmatch(digits):
        return _refuse(typed, word)
    number, parameter = int(digits), typed.parameter
    if not parameter.low <= number <= parameter.high:
        _refuse(
            typed,
            word,
            suggestion=f"{typed.option} {parameter.low if number < 0 else _clamp(typed, number):.0f}",
        )
    return number


def _clamp(typed: Typed, number: float) -> float:
    return min(max(number, typed.parameter.low), typed.parameter.high)


def _decimal(typed: Typed, word: str) -> object:
    digits = word.translate(_TO_MINUS)
    if not _DECIMAL.fullmatch(digits):
        return _refuse(typed, word)
    number = float(digits)
    if not typed.parameter.low <= number <= typed.parameter.high:
        _refuse(typed, word, suggestion=f"{typed.option} {_clamp(typed, number):.0f}")
    return number


def _ratio(typed: Typed, word: str) -> object:
    match = _RATIO.fullmatch(word)
    if match is None:
        return _refuse(typed, word)
    sides = (int(match[1]), int(match[2]))
    if not all(typed.parameter.low <= side <= typed.parameter.high for side in sides):
        return _refuse(typed, word)
    return sides


def _list(typed: Typed, words: list[str]) -> object:
    items = tuple(text for item in _ITEM.findall(" ".join(words)) if (text := unescape(item)))
    if not items:
        _missing(typed)
    return items


def _images(typed: Typed, words: list[str]) -> object:
    if not words:
        _missing(typed)
    for word in words:
        if not _IMAGE.fullmatch(word):
            _refuse(typed, word)
    return tuple(words)


def _tastes(typed: Typed, words: list[str]) -> Personalize:
    if not words:
        return Personalize(requested="default")
    if [word.lower() for word in words] == ["off"]:
        return Personalize(requested="off")
    tastes = tuple(_taste(typed, word) for word in words)
    refs = [taste.ref for taste in tastes]
    if twice := next((ref for ref in refs if refs.count(ref) > 1), None):
        raise BadValue(
            f"{typed.option} names {shorten(twice)} twice. Name it once, as in {typed.option} {twice}::2.",
            parameter=typed.parameter.option,
            allowed=typed.parameter.allowed,
            suggestion=f"{typed.option} {twice}::2",
        )
    if len(tastes) > MAX_TASTES:
        _refuse(typed, " ".join(words))
    return Personalize(requested="refs", refs=tastes)


def _taste(typed: Typed, word: str) -> TasteRequest:
    match = _TASTE.fullmatch(word)
    if match is None:
        raise MisplacedText(
            f"{shorten(word)} after {typed.option} is neither a code nor a profile id: those are "
            "4 to 40 letters, digits, - or _, separated by spaces. Text goes before the first parameter.",
            parameter=typed.parameter.option,
            allowed=typed.parameter.allowed,
        )
    if match[2] is None:
        return TasteRequest(ref=match[1])
    digits = match[2].translate(_TO_MINUS)
    weight = float(digits) if _DECIMAL.fullmatch(digits) else 0.0
    if weight == 0 or abs(weight) > MAX_WEIGHT:
        raise BadValue(
            f"The weight of {shorten(word)} must be a number from {-MAX_WEIGHT:.0f} to {MAX_WEIGHT:.0f} "
            f"other than 0, with at most three decimals, as in {match[1]}::2.",
            parameter=typed.parameter.option,
            allowed=typed.parameter.allowed,
            suggestion=f"{match[1]}::2",
        )
    return TasteRequest(ref=match[1], weight=weight)
