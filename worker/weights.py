"""Looks at a model's files before anything of them is loaded: present, whole, and nothing that could
execute."""

import hashlib
import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from app.errors import CorruptFile, OperatorError
from app.presets import NATIVE, Preset

# Formats whose loading runs code. They are refused even where safetensors lie beside them.
EXECUTABLE = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".msgpack", ".h5", ".py")
CHECKSUMS = "SHA256SUMS"
WEIGHTLESS = ("scheduler", "tokenizer", "tokenizer_2", "feature_extractor")


def verify(preset: Preset) -> None:
    """Raise OperatorError with what to do when a file of `preset` is missing, damaged or of another format.

    Reads headers only, unless a file SHA256SUMS lies in the folder: then every file it names is hashed.
    """
    index = _read_index(preset)
    for part in sorted(index):
        if part not in WEIGHTLESS:
            _need_weights(preset, preset.folder / part)
    if preset.adapter is not None:
        _need(preset, preset.folder / preset.adapter.folder / preset.adapter.file)
    if preset.alignment is not None and preset.alignment != NATIVE:
        _need(preset, preset.folder / preset.alignment)
    for path in sorted(preset.folder.rglob("*")):
        if path.suffix in EXECUTABLE:
            raise CorruptFile(
                f"{path} is refused: loading this format can run code. "
                f"Convert the model {preset.name} to safetensors."
            )
        if path.suffix == ".safetensors":
            _check_header(preset, path)
    _check_sums(preset)


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


def _need_weights(preset: Preset, folder: Path) -> None:
    if not folder.is_dir() or not any(folder.glob("*.safetensors")):
        raise OperatorError(_missing(preset, folder / "*.safetensors"))


def _need(preset: Preset, path: Path) -> None:
    if not path.is_file():
        raise OperatorError(_missing(preset, path))


def _check_header(preset: Preset, path: Path) -> None:
    try:
        with safe_open(path, framework="numpy") as file:
            if not file.keys():
                raise CorruptFile(_damaged(preset, path, "it is empty"))
    except (SafetensorError, OSError) as error:
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
    return f"The model {preset.name} lacks {path}. {_restore(preset)}"


def _damaged(preset: Preset, path: Path, why: object) -> str:
    return f"{path} is damaged ({why}). {_restore(preset)}"


def _restore(preset: Preset) -> str:
    return f"Restore {preset.folder} from where the model came from, then start the worker again."
