"""One table of a presets file: what it may say, and what each of its words means."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

NATIVE = "native"
MANIFEST = "penchant.json"
SAFETENSORS = ".safetensors"
PATTERN = f"*{SAFETENSORS}"
# Formats whose loading runs code. They are refused even where safetensors lie beside them.
EXECUTABLE = (
    ".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".msgpack", ".h5", ".npy", ".npz", ".py", ".so",
)  # fmt: skip
Size = tuple[int, int]
Ratio = Annotated[str, Field(pattern=r"\A[1-9]\d{0,3}:[1-9]\d{0,3}\z")]
Scales = dict[str, float | dict[str, float | list[float]]] | list[float]
Pipeline = Literal[
    "StableDiffusionPipeline", "StableDiffusionXLPipeline", "StableDiffusion3Pipeline", "FluxPipeline"
]
# What diffusers can do for some pipelines only.
UNETS = ("StableDiffusionPipeline", "StableDiffusionXLPipeline")
OFFERED = {
    "fuse": (*UNETS, "FluxPipeline"),
    "compile": UNETS,
    "cache": ("FluxPipeline",),
    "text_tokens": ("StableDiffusion3Pipeline", "FluxPipeline"),
}
MOST_STEPS = 150


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Table):
    """Files of one repository of the Hugging Face hub.

    `revision` is a commit, all 40 digits. Where it is left out, `penchant models add` looks up the newest
    once, shows it, and writes it into the installed model's manifest; it is never looked up again.
    `files` are patterns of names that keep their place below the model's folder; `into` takes further
    patterns to a folder there. Only safetensors, JSON and text are ever taken. Of weights in several
    precisions, `variant` picks one, and the name it is stored under lacks it.
    """

    repo: str = Field(pattern=r"\A[\w-][\w.-]*/[\w-][\w.-]*\z")
    revision: str | None = Field(None, pattern=r"\A[0-9a-f]{40}\z")
    files: tuple[str, ...] = ()
    into: dict[str, str] = {}
    variant: str | None = Field(None, pattern=r"\A\w+\z")

    @model_validator(mode="after")
    def _takes_something(self) -> Self:
        if not self.files and not self.into:
            raise ValueError("a source names `files`, `into`, or both")
        return self

    @field_validator("into")
    @classmethod
    def _stays_below(cls, value: dict[str, str]) -> dict[str, str]:
        for folder in value.values():
            if Path(folder).is_absolute() or ".." in Path(folder).parts:
                raise ValueError(f"{folder} is no folder below the model's")
        return value


class Adapter(_Table):
    """An image adapter's file, below the preset's folder, and the scale that --s 1000 comes to.

    `guard` takes out of a taste what the prompts of its images predict: right where the text encoder tells
    what is shown and not how it is painted. `blocks` is the share of the scale that each block of the
    denoiser gets: a table as diffusers' set_ip_adapter_scale takes it ({up = {block_0 = [0.0, 1.0, 0.0]}} is
    SDXL's style block; blocks left out get nothing), or for Flux a list of one number a double block.
    """

    folder: str = "ip_adapter"
    file: str = "ip-adapter.safetensors"
    max_scale: float = Field(1.0, gt=0)
    guard: bool = False
    blocks: Scales | None = None


class BestOf(_Table):
    """Paint `candidates` images a slot and keep the one that the taste values most.

    `floor` is the share of the first candidate's likeness to the prompt that a candidate must reach. It asks
    for the preset's `alignment`; without one every candidate may be kept.
    """

    candidates: int = Field(2, ge=2, le=8)
    floor: float = Field(0.95, ge=0, le=1)


class Scheduler(_Table):
    """A scheduler of diffusers in place of the model's own, and what it changes of the model's settings."""

    name: str = Field(pattern=r"\A[A-Z]\w+Scheduler\z")
    settings: dict[str, str | int | float | bool] = {}


class Lora(_Table):
    """A LoRA's safetensors file, or a folder of them, and how much of each goes into the weights.

    A preset that was read names files only, those of a folder in the order of their names. A folder without
    any, or that is not here, stands as the pattern of what it lacks: a web server without models can do
    without, and a worker says what is missing.
    """

    file: Path = Path()
    folder: Path | None = None
    weight: float = 1.0

    @field_validator("file")
    @classmethod
    def _is_safetensors(cls, value: Path) -> Path:
        return safetensors_only(value)

    @field_validator("folder")
    @classmethod
    def _holds_safetensors(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None:
            for path in sorted((_own(info) / value).glob("*")):
                if path.suffix.lower() in EXECUTABLE:  # a picture or a text beside them does no harm
                    safetensors_only(path)
        return value

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.folder is None) == ("file" not in self.model_fields_set):
            raise ValueError("a LoRA is a `file`, or a `folder` of files: name one of the two")
        return self

    def files(self, own: Path) -> "tuple[Lora, ...]":
        """A LoRA for each file that this names; paths are relative to `own`."""
        if self.folder is None:
            return (self,)
        paths = sorted((own / self.folder).glob(PATTERN))
        names = [path.name for path in paths if not path.name.startswith(".")]
        return tuple(Lora(file=self.folder / name, weight=self.weight) for name in names or [PATTERN])


class Preset(_Table):
    """One table of a presets file. `folder` is in the diffusers layout; sizes are (width, height) in pixels.

    A preset has a `folder`, or `sources` that `penchant models add` brings into a folder of Penchant's own,
    or a `base`: a preset above it, or a shipped one, whose words hold wherever this table says nothing, and
    whose files are used with this table's `checkpoint` (a single file with all weights, configured like the
    base) or `loras`. Their files lie below the folder that the sources come to or, without sources, the
    folder of the presets file.

    `encoder` names the space that this preset's image encoder embeds in: presets with the same encoder share
    tastes. `vocabulary` is a file below the folder that tells the model's words. `alignment` is a file below
    it with two linear maps, `image` and `text`, that take the two encoders' pooled outputs to where an image
    and its prompt are alike; "native" says that the image encoder and a text encoder of the pipeline are two
    halves of one CLIP. `capabilities` are the parameters of later stages that it can honour.

    A preset without `adapter` but with `best_of` honours --p by words from the taste, where it has an
    alignment, and by keeping the best of several images.

    `ratios` are those that the form offers; without them it offers each size's own. --steps above `max_steps`
    is refused: models made for few steps paint no better with more, and some schedulers have no more.
    `text_tokens` is to how many a T5 encoder cuts the prompt, where that is not the pipeline's own number.

    `max_batch` images are painted at once, of one job or of several. `decode` "sliced" turns their latents
    into pixels one image after the other, "tiled" tile by tile, for less memory; tiles change an image a
    little.

    `preview` is the folder of a tiny autoencoder (diffusers' AutoencoderTiny, as TAESD is) that decodes the
    previews instead of the model's own decoder; it lies where a `checkpoint` lies. Where there is no such
    folder, the model's own decoder shows them all the same.

    Ways to paint faster or in less memory, all off by default. `fuse` makes one projection of each
    self-attention's three (not for StableDiffusion3Pipeline). `compile`, for UNets only, has torch compile
    the network's repeated blocks, when the worker starts. `cache`, for Flux only, is the
    relative change of the first block's output below which a step takes over what the other blocks gave
    before. `quantize` holds the network's linear layers in 8 bits, by torchao. `offload` keeps each part of
    the model in main memory while another computes; it goes with neither `compile` nor `quantize`.

    `true_guidance` above 1 makes a Flux model paint each step twice, so that --no has something to act on.
    `download_gb` and `memory_gb` (of the device) are what an operator is told before he adds the model;
    `gated` is the page where its licence has to be accepted first.
    """

    name: str = Field(pattern=r"\A[a-z0-9][a-z0-9._-]{0,39}\z")
    title: str
    licence: str
    gated: str | None = Field(None, pattern=r"\Ahttps://\S+\z")
    pipeline: Pipeline = "StableDiffusionPipeline"
    base: str | None = None
    folder: Path
    sources: tuple[Source, ...] = ()
    checkpoint: Path | None = None
    loras: tuple[Lora, ...] = ()
    scheduler: Scheduler | None = None
    encoder: str = Field(min_length=1, max_length=80)
    adapter: Adapter | None = None
    best_of: BestOf | None = None
    alignment: str | None = Field(None, min_length=1)
    vocabulary: str | None = Field(None, min_length=1)
    sizes: tuple[Size, ...] = Field(min_length=1)
    ratios: tuple[Ratio, ...] = ()
    max_steps: int = Field(MOST_STEPS, ge=1, le=MOST_STEPS)
    steps: int = Field(ge=1, le=MOST_STEPS)
    text_tokens: int | None = Field(None, ge=16, le=512)
    guidance: float = Field(ge=0)
    true_guidance: float = Field(1.0, ge=1)
    max_batch: int = Field(4, ge=1)
    decode: Literal["whole", "sliced", "tiled"] = "whole"
    preview: Path | None = None
    fuse: bool = False
    compile: bool = False
    cache: float | None = Field(None, gt=0, lt=1)
    quantize: Literal["int8", "fp8"] | None = None
    offload: bool = False
    download_gb: float | None = Field(None, gt=0)
    memory_gb: float | None = Field(None, gt=0)
    capabilities: frozenset[str] = frozenset()

    # What the reader of the file fills in: where this table's own files lie, and the manifests of all that
    # has to be added before the preset can be loaded, by the name to add.
    own: Path = Path()
    needs: Mapping[str, Path] = {}

    @field_validator("checkpoint")
    @classmethod
    def _is_safetensors(cls, value: Path | None) -> Path | None:
        return value if value is None else safetensors_only(value)

    @field_validator("loras")
    @classmethod
    def _names_files(cls, value: tuple[Lora, ...], info: ValidationInfo) -> tuple[Lora, ...]:
        if info.data.get("sources") and any(lora.folder is not None for lora in value):
            raise ValueError("a preset with `sources` names each LoRA by its `file`")
        return tuple(file for lora in value for file in lora.files(_own(info)))

    @field_validator("steps")
    @classmethod
    def _is_possible(cls, value: int, info: ValidationInfo) -> int:
        most = info.data.get("max_steps", MOST_STEPS)
        if value > most:
            raise ValueError(f"`max_steps` is {most}")
        return value

    @field_validator("fuse", "compile", "cache", "text_tokens")
    @classmethod
    def _is_offered(cls, value: bool | float | None, info: ValidationInfo) -> bool | float | None:
        pipeline, offered = info.data.get("pipeline"), OFFERED[str(info.field_name)]
        if value and pipeline not in offered:
            raise ValueError(f"a {pipeline} has none, only {', '.join(offered)}: drop it")
        return value

    @field_validator("offload")
    @classmethod
    def _goes_alone(cls, value: bool, info: ValidationInfo) -> bool:
        if value and (info.data.get("compile") or info.data.get("quantize")):
            raise ValueError("it goes with neither `compile` nor `quantize`: drop one")
        return value

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.pipeline != "FluxPipeline" and self.true_guidance != 1:
            raise ValueError("`true_guidance` is Flux's; every other pipeline has `guidance`")
        if self.checkpoint is not None and self.base is None:
            raise ValueError("a `checkpoint` needs a `base` that it is configured like")
        return self

    @property
    def missing(self) -> tuple[str, ...]:
        """The names that have to be added before this preset can be loaded; empty where it is installed."""
        return tuple(name for name, manifest in self.needs.items() if not manifest.is_file())

    @property
    def lacks_preview(self) -> bool:
        """Whether a tiny autoencoder is named that is not here."""
        return self.preview is not None and not (self.own / self.preview).is_dir()

    @property
    def supported(self) -> frozenset[str]:
        """The capabilities, and --raw where there is something that it turns off."""
        return self.capabilities | ({"raw"} if self.best_of is not None else set())

    @property
    def avoids(self) -> bool:
        """Whether a second pass is made, that --no and what a taste dislikes can act on."""
        return (self.true_guidance if self.pipeline == "FluxPipeline" else self.guidance) > 1

    @property
    def extras(self) -> tuple[Path, ...]:
        """The files beside the folder: the checkpoint and the LoRAs."""
        named = [self.checkpoint] if self.checkpoint is not None else []
        return tuple(self.own / file for file in [*named, *(lora.file for lora in self.loras)])

    def inherited(self) -> dict[str, Any]:
        """What a preset with this base takes over where it says nothing itself."""
        own = {"name", "title", "base", "gated", "sources", "download_gb", "needs", "own"}
        values = self.model_dump(exclude=own, exclude_unset=True)
        for lora in values.get("loras", ()):
            lora["file"] = self.own / lora["file"]
        if self.checkpoint is not None:
            values["checkpoint"] = self.own / self.checkpoint
        if self.preview is not None:
            values["preview"] = self.own / self.preview
        return values


def _own(info: ValidationInfo) -> Path:
    """Where the files of the table that is validated lie: what the reader of the file gives as context."""
    return Path((info.context or {}).get("own", ""))


def safetensors_only(path: Path) -> Path:
    """The path, if its name says safetensors. Raises ValueError."""
    if path.suffix != SAFETENSORS:
        raise ValueError(f"{path.name} is no safetensors file, and nothing else is loaded: convert it")
    return path
