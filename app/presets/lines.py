"""On which line of a TOML file something stands. tomllib does not tell."""

import re
from collections.abc import Sequence

Path = tuple[str | int, ...]

_HEADER = re.compile(r"\s*(\[\[?)([^\[\]]+)\]")
_ASSIGNMENT = re.compile(r"""\s*((?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*=""")
_PART = re.compile(r""""([^"]*)"|'([^']*)'|([\w-]+)""")


def line_of(text: str, path: Sequence[str | int]) -> int:
    """The line, counted from 1, of the key or table at `path`, or of the nearest one around it.

    It reads what stands at the beginning of a line; what is inside an inline table counts as that table.
    """
    known = _lines(text)
    for length in range(len(path), 0, -1):
        if tuple(path[:length]) in known:
            return known[tuple(path[:length])]
    return 1


def _lines(text: str) -> dict[Path, int]:
    found: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _table(_parts(header[2]), counts, is_array=header[1] == "[[")
            for length in range(1, len(table) + 1):
                found.setdefault(table[:length], number)
        elif key := _ASSIGNMENT.match(line):
            found.setdefault((*table, *_parts(key[1])), number)
    return found


def _table(parts: Path, counts: dict[Path, int], *, is_array: bool) -> Path:
    """The header's path, with the number of the element after the name of each array of tables."""
    path: Path = ()
    for place, part in enumerate(parts):
        path = (*path, part)
        if is_array and place == len(parts) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _parts(dotted: str) -> Path:
    return tuple(next(filter(None, groups), "") for groups in _PART.findall(dotted))
