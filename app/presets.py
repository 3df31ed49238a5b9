"""Presets: what the product calls a model. Pipeline, image adapter, image encoder, and what they can do."""

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.config import REPOSITORY, get_settings
from app.errors import InvalidPrompt, OperatorError

SHIPPED = REPOSITORY / "worker" / "presets.toml"
NATIVE = "native"
Size = tuple[int, int]


class Adapter(BaseModel):
    """An image adapter's file, below the preset's folder, and the scale that --s 1000 comes to.

    `guard` takes out of a taste what the prompts of its images predict: right where the text encoder tells
    what is shown and not how it is painted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: str = "ip_adapter"
    file: str = "ip-adapter.safetensors"
    max_scale: float = Field(1.0, gt=0)
    guard: bool = False


class BestOf(BaseModel):
    """Paint `candidates` images a slot and keep the one that the taste values most.

    `floor` is the share of the first candidate's likeness to the prompt that a candidate must reach. It asks
    for the preset's `alignment`; without one every candidate may be kept.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    candidates: int = Field(2, ge=2, le=8)
    floor: float = Field(0.95, ge=0, le=1)


class Preset(BaseModel):
    """One table of a presets file. `folder` is in the diffusers layout; sizes are (width, height) in pixels.

    `encoder` names the space that this preset's image encoder embeds in: presets with the same encoder share
    tastes. `vocabulary` is a file below the folder that tells the model's words. `alignment` is a file below
    it with two linear maps, `image` and `text`, that take the two encoders' pooled outputs to where an image
    and its prompt are alike; "native" says that the image encoder and a text encoder of the pipeline are two
    halves of one CLIP. `max_batch` images are painted at once, of one job or of several. `decode` "sliced"
    turns their latents into pixels one image after the other, "tiled" tile by tile, for less memory; tiles
    change an image a little. `capabilities` are the parameters of later stages that it can honour.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"\A[a-z0-9][a-z0-9._-]{0,39}\z")
    title: str
    licence: str
    folder: Path
    encoder: str = Field(min_length=1, max_length=80)
    adapter: Adapter | None = None
    best_of: BestOf | None = None
    alignment: str | None = Field(None, min_length=1)
    vocabulary: str | None = Field(None, min_length=1)
    sizes: tuple[Size, ...] = Field(min_length=1)
    steps: int = Field(ge=1, le=150)
    guidance: float = Field(ge=0)
    max_batch: int = Field(4, ge=1)
    decode: Literal["whole", "sliced", "tiled"] = "whole"
    capabilities: frozenset[str] = frozenset()

    @property
    def supported(self) -> frozenset[str]:
        """The capabilities, and --raw where there is something that it turns off."""
        return self.capabilities | ({"raw"} if self.best_of is not None else set())


@lru_cache
def load_presets() -> dict[str, Preset]:
    """All presets by name: the shipped ones, and those of PENCHANT_PRESETS, which may replace them."""
    presets = read_presets(SHIPPED)
    own = get_settings().presets
    if own is not None:
        presets |= read_presets(own)
    return presets


def installed() -> list[str]:
    """The presets whose files are here."""
    return [name for name, preset in load_presets().items() if (preset.folder / "model_index.json").is_file()]


def read_presets(path: Path) -> dict[str, Preset]:
    """The presets in one TOML file; relative folders are relative to it. Raises OperatorError."""
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
        return {name: _preset(name, table, path.parent) for name, table in tables.items()}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError, TypeError) as error:
        raise OperatorError(f"The presets file {path} cannot be used: {error}") from error


def _preset(name: str, table: dict[str, Any], base: Path) -> Preset:
    preset = Preset.model_validate({"name": name, **table})
    return preset.model_copy(update={"folder": (base / preset.folder.expanduser()).resolve()})


def get_preset(name: str) -> Preset:
    """The preset called `name`. Raises InvalidPrompt naming those there are."""
    presets = load_presets()
    if name not in presets:
        known = ", ".join(sorted(presets))
        raise InvalidPrompt(
            f"There is no model {name}. Use --model with one of: {known}.", parameter="--model"
        )
    return presets[name]
