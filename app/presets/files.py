"""Presets files: read, checked, and looked up."""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app.config import REPOSITORY, get_settings
from app.errors import InvalidPrompt, OperatorError
from app.presets.lines import line_of
from app.presets.schema import MANIFEST, Preset

SHIPPED = REPOSITORY / "worker" / "presets.toml"
RESERVED = ("name", "own", "needs")
Presets = dict[str, Preset]


@lru_cache
def load_presets() -> Presets:
    """All presets by name: the shipped ones, and those of PENCHANT_PRESETS, which may replace them."""
    presets = read_presets(SHIPPED)
    own = get_settings().presets
    if own is not None:
        presets |= read_presets(own, bases=presets)
    return presets


def read_presets(path: Path, *, bases: Mapping[str, Preset] | None = None) -> Presets:
    """The presets in one TOML file; relative paths are relative to it. `bases` may be named as `base`.

    Raises OperatorError, which says on which line what is wrong.
    """
    try:
        text = path.read_text("utf-8")
        tables = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise OperatorError(f"The presets file {path} cannot be used: {error}") from error
    presets: Presets = {}
    problems: list[str] = []
    wrong: set[Any] = set()
    for name, table in tables.items():
        if isinstance(table, dict) and table.get("base") in wrong:
            continue  # nothing can be said of it before its base is right
        try:
            presets[name] = _preset(name, table, path.parent, {**(bases or {}), **presets})
        except ValidationError as error:
            wrong.add(name)
            problems += [_say(text, name, problem) for problem in error.errors()]
        except (TypeError, ValueError) as error:
            wrong.add(name)
            problems.append(f"line {line_of(text, (name,))}, {name}: {error}")
    if problems:
        listed = "".join(f"\n  {problem}" for problem in problems)
        raise OperatorError(f"The presets file {path} cannot be used:{listed}")
    return presets


def _preset(name: str, table: Any, base_folder: Path, bases: Mapping[str, Preset]) -> Preset:
    if not isinstance(table, dict):
        raise TypeError("a preset is a table of its own, headed by its name in brackets")
    if reserved := [key for key in RESERVED if key in table]:
        raise ValueError(f"`{reserved[0]}` is not for a presets file to say")
    values = {"name": name, **table}
    needs: dict[str, Path] = {}
    own = base_folder
    if table.get("sources"):
        own = models_folder() / name
        needs[name] = own / MANIFEST
    if "base" in table:
        base = _base(table["base"], bases)
        values = {**base.inherited(), **values}
        needs = {**base.needs, **needs}
    elif table.get("sources"):
        if "folder" in table:
            raise ValueError("a preset has a `folder` or `sources`, not both: drop one")
        values["folder"] = own
    own = own.resolve()
    preset = Preset.model_validate({**values, "own": own, "needs": needs}, context={"own": own})
    folder = (base_folder / preset.folder.expanduser()).resolve()
    return preset.model_copy(update={"folder": folder})


def _base(name: Any, bases: Mapping[str, Preset]) -> Preset:
    if name not in bases:
        known = ", ".join(sorted(bases))
        raise ValueError(f"there is no preset {name} above it to be its `base`. There is: {known}")
    return bases[name]


def _say(text: str, name: str, problem: Any) -> str:
    place = (name, *problem["loc"])
    dotted = ".".join(str(part) for part in place if part != "name")
    advice = ". Every preset needs it" if problem["type"] == "missing" else ""
    return f"line {line_of(text, place)}, {dotted}: {problem['msg']}{advice}"


def models_folder() -> Path:
    """Where `penchant models add` puts models."""
    settings = get_settings()
    return settings.models or settings.home / "models"


def installed() -> list[str]:
    """The names of the presets whose files are here."""
    return [name for name, preset in load_presets().items() if not preset.missing]


def get_preset(name: str) -> Preset:
    """The preset called `name`. Raises InvalidPrompt naming those there are."""
    presets = load_presets()
    if name not in presets:
        known = ", ".join(sorted(name for name, preset in presets.items() if not preset.missing))
        raise InvalidPrompt(
            f"There is no model {name}. Use --model with one of: {known}.", parameter="--model"
        )
    return presets[name]


def usable_preset(name: str) -> Preset:
    """The preset called `name`, if it is installed. Raises InvalidPrompt with the command that adds it."""
    preset = get_preset(name)
    if preset.missing:
        commands = " and ".join(f"`penchant models add {missing}`" for missing in preset.missing)
        raise InvalidPrompt(
            f"The model {name} is not installed. Whoever runs this Penchant can add it with {commands}.",
            parameter="--model",
        )
    return preset
