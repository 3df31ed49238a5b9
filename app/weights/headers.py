"""The header of a safetensors file, read with nothing but the standard library.

The format: eight bytes with the header's length, little-endian; the header, a JSON object that gives each
tensor's type, shape and place; then the numbers, without gaps.
"""

import json
import struct
from math import prod
from pathlib import Path
from typing import Any

MAX_HEADER_BYTES = 100_000_000
BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "U16": 16, "I16": 16, "F16": 16,
    "BF16": 16, "U32": 32, "I32": 32, "F32": 32, "U64": 64, "I64": 64, "F64": 64, "C64": 64,
}  # fmt: skip


class NotSafetensors(Exception):
    """The file is of another format, or cut short."""


def check_header(path: Path) -> None:
    """Raise NotSafetensors unless the file's header fits its size and places every tensor without gaps."""
    size = path.stat().st_size
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8).ljust(8, b"\0"))
        if not 2 <= length <= min(MAX_HEADER_BYTES, size - 8):
            raise NotSafetensors("it is no safetensors file, or it is cut short")
        header = _parse(file.read(length))
    header.pop("__metadata__", None)
    if not header:
        raise NotSafetensors("it is empty")
    try:
        _check_places(header, size - 8 - length)
    except (KeyError, TypeError, ValueError) as error:
        raise NotSafetensors(f"its header cannot be read: {error!r}") from error


def _parse(data: bytes) -> dict[str, Any]:
    try:
        header = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise NotSafetensors("its header is no JSON") from error
    if not isinstance(header, dict):
        raise NotSafetensors("its header is no JSON object")
    return header


def _check_places(header: dict[str, Any], size: int) -> None:
    """Raises NotSafetensors, or KeyError, TypeError, ValueError where an entry is malformed."""
    at = 0
    for entry in sorted(header.values(), key=lambda entry: tuple(entry["data_offsets"])):
        start, end = entry["data_offsets"]
        bits = prod(entry["shape"]) * BITS.get(entry["dtype"], 0)
        if start != at or (bits and (end - start) * 8 != bits):
            raise NotSafetensors("its tensors do not lie where its header says")
        at = end
    if at != size:
        raise NotSafetensors(f"it has {size} bytes of numbers, and its header tells of {at}")
