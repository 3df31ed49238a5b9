"""Looks at a model's files before anything of them is loaded: present, whole, and nothing that could
execute."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from app.errors import CorruptFile, OperatorError
from app.presets import EXECUTABLE, NATIVE, Preset
from app.weights.headers import NotSafetensors, check_header
from app.weights.manifest import check_sizes, read_manifest

# How files begin whose loading runs code: a torch archive (a zip), a pickle of protocol 2 and later, HDF5.
BEGINNINGS = (b"PK\x03\x04", b"PK\x05\x06", *(bytes((0x80, n)) for n in range(2, 6)), b"\x89HDF")
CHECKSUMS = "SHA256SUMS"
# Parts of a pipeline that hold no weights, or that are not loaded.
WEIGHTLESS = (
    "scheduler", "tokenizer", "tokenizer_2", "tokenizer_3", "feature_extractor", "safety_checker",
)  # fmt: skip
# What the loaded ones of these are made of: one of the files.
TOKENIZER = ("tokenizer.json", "vocab.json", "spiece.model")
SETTINGS = {
    "scheduler": ("scheduler_config.json",),
    "tokenizer": TOKENIZER,
    "tokenizer_2": TOKENIZER,
    "tokenizer_3": TOKENIZER,
}
# What the libraries call the weights of a part, without the ending. No other name is looked for by them.
WEIGHTS = {"diffusers": "diffusion_pytorch_model", "transformers": "model"}


def verify(preset: Preset) -> None:
    """Raise OperatorError with what to do when a file of `preset` is missing, damaged or of another format.

    Reads headers only, unless a file SHA256SUMS lies in the folder: then every file it names is hashed.
    Files of other formats are refused by their name, unread, or by their first bytes.
    """
    for folder in sorted(_folders(preset)):
        refuse_executables(folder)
    for part, (library, *_) in sorted(_read_index(preset).items()):
        if part not in WEIGHTLESS:
            _need_weights(preset, preset.folder / part, library)
        elif part in SETTINGS:
            _need_one(preset, [preset.folder / part / name for name in SETTINGS[part]])
    _need_weights(preset, preset.folder / "image_encoder", "transformers")
    if preset.preview is not None and not preset.lacks_preview:  # painting can do without
        _need_weights(preset, preset.own / preset.preview, "diffusers")
    for path in _named_files(preset):
        _need(preset, path)
        refuse_executable(path)
    weights = {path for folder in _folders(preset) for path in folder.rglob("*.safetensors")}
    for path in sorted(weights | set(preset.extras)):
        _check_header(preset, path)
    for manifest in preset.needs.values():
        check_sizes(read_manifest(manifest), manifest.parent)
    _check_sums(preset)


def _folders(preset: Preset) -> set[Path]:
    """Every folder that files of the preset are loaded from, whatever they are called."""
    own = {preset.own} if preset.sources else set()
    preview = {preset.own / preset.preview} if preset.preview is not None else set()
    return {preset.folder} | own | preview


def refuse_executables(folder: Path) -> None:
    """Raise CorruptFile for the first file below a folder whose loading could run code."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            refuse_executable(path)


def refuse_executable(path: Path) -> None:
    """Raise CorruptFile where loading the file could run code: by its name, before it is opened, or else by
    its first bytes, whatever its name."""
    if path.suffix.lower() in EXECUTABLE:
        raise CorruptFile(
            f"{path} is refused: loading this format can run code. Convert it to safetensors, or take it "
            "away."
        )
    with path.open("rb") as file:
        beginning = file.read(8)
    if beginning.startswith(BEGINNINGS):
        raise CorruptFile(
            f"{path} is refused: it is not what its name says, and loading what it is can run code. "
            "Take the safetensors file from where the model came from."
        )


def _named_files(preset: Preset) -> Iterator[Path]:
    if preset.adapter is not None:
        yield preset.folder / preset.adapter.folder / preset.adapter.file
    if preset.alignment is not None and preset.alignment != NATIVE:
        yield preset.folder / preset.alignment
    yield from preset.extras


def _read_index(preset: Preset) -> dict[str, Any]:
    path = preset.folder / "model_index.json"
    _need(preset, path)
    try:
        index = json.loads(path.read_text("utf-8"))
        return {
            name: value for name, value in index.items() if isinstance(value, list) and value[0] is not None
        }
    except (ValueError, AttributeError, IndexError) as error:
        raise CorruptFile(_damaged(preset, path, error)) from error


def _need_weights(preset: Preset, folder: Path, library: str) -> None:
    """Raise OperatorError for the first file that `library` would look for and not find: the configuration
    and the weights, whole or in the pieces that an index names."""
    _need(preset, folder / "config.json")
    whole = folder / f"{WEIGHTS.get(library, WEIGHTS['transformers'])}.safetensors"
    index = whole.with_name(f"{whole.name}.index.json")
    if not index.is_file() or (whole.is_file() and library != "diffusers"):
        _need(preset, whole)
        return
    for piece in sorted(_pieces(preset, index)):
        _need(preset, folder / piece)


def _pieces(preset: Preset, index: Path) -> set[str]:
    try:
        return {str(name) for name in json.loads(index.read_text("utf-8"))["weight_map"].values()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorruptFile(_damaged(preset, index, error)) from error


def _need(preset: Preset, path: Path) -> None:
    if not path.is_file():
        raise OperatorError(_missing(preset, path))


def _need_one(preset: Preset, paths: Sequence[Path]) -> None:
    if not any(path.is_file() for path in paths):
        raise OperatorError(_missing(preset, paths[0]))


def _check_header(preset: Preset, path: Path) -> None:
    try:
        check_header(path)
    except (NotSafetensors, OSError) as error:
        raise CorruptFile(_damaged(preset, path, error)) from error


def _check_sums(preset: Preset) -> None:
    sums = preset.folder / CHECKSUMS
    if not sums.is_file():
        return
    for line in sums.read_text("utf-8").splitlines():
        expected, _, name = line.partition("  ")
        path = preset.folder / name
        _need(preset, path)
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != expected:
                raise CorruptFile(_damaged(preset, path, "its checksum differs"))


def _missing(preset: Preset, path: Path) -> str:
    return f"The model {preset.name} lacks {path}. {_restore(preset, path)}"


def _damaged(preset: Preset, path: Path, why: object) -> str:
    return f"{path} is damaged ({why}). {_restore(preset, path)}"


def _restore(preset: Preset, path: Path) -> str:
    if preset.needs and not preset.missing:
        # A model is made of others: the file is of the one in whose folder it lies.
        # Resolved, as the preset's folders are: PENCHANT_MODELS may be relative, or lead through a link.
        for name, manifest in preset.needs.items():
            if path.is_relative_to(manifest.parent.resolve()):
                return f"Restore it: `penchant models add {name} --again`."
        if path in preset.extras:
            return "Restore it, or change the presets file that names it."
    return f"Restore {preset.folder} from where the model came from, then start the worker again."
