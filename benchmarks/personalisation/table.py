"""A table's rows: figures with their standard errors over people, beside what was asked."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from app.taste.arrays import Array


@dataclass(frozen=True)
class Row:
    """One figure: a value a person (None where there is none), in percent or in standard deviations.

    least, most: what was asked of the mean, if anything was.
    """

    what: str
    values: Sequence[float | None]
    least: float | None = None
    most: float | None = None
    unit: str = "%"

    @property
    def known(self) -> Array:
        return np.array([value for value in self.values if value is not None], dtype=np.float64)

    @property
    def mean(self) -> float:
        return float(self.known.mean()) if len(self.known) else float("nan")

    @property
    def error(self) -> float:
        """The standard error of the mean over people; nan where there are not two."""
        known = self.known
        return float(known.std(ddof=1) / np.sqrt(len(known))) if len(known) > 1 else float("nan")

    @property
    def asked(self) -> str:
        sign, bound = (">=", self.least) if self.least is not None else ("<=", self.most)
        return "" if bound is None else f"{sign} {bound:g} {self.unit}"

    @property
    def verdict(self) -> str:
        """Met or missed, and whether by less than the standard error."""
        if self.least is None and self.most is None:
            return ""
        room = self.mean - self.least if self.least is not None else (self.most or 0.0) - self.mean
        if np.isnan(room):
            return "not measured"
        return ("met" if room >= 0 else "missed") + (", within the error" if abs(room) < self.error else "")


def as_text(rows: Sequence[Row], confounded: Sequence[bool]) -> str:
    """A table: asked, found over all people, verdict, and the means of those with either kind of history."""
    lines = ["| what | asked | found | | ordinary history | confounded |", "|---|---|---|---|---|---|"]
    for row in rows:
        found = f"{_number(row.mean, row)} ± {_number(row.error, row)} {row.unit}".replace(" ± nan", "")
        halves = ["", ""]
        if len(row.values) == len(confounded):
            halves = [_half(row, confounded, side) for side in (False, True)]
        lines.append(" | ".join([f"| {row.what}", row.asked, found.strip(), row.verdict, *halves]) + " |")
    return "\n".join(lines)


def _half(row: Row, confounded: Sequence[bool], side: bool) -> str:
    values = [v for v, c in zip(row.values, confounded, strict=True) if c == side and v is not None]
    return _number(float(np.mean(values)), row) if values else ""


def _number(value: float, row: Row) -> str:
    return "nan" if np.isnan(value) else f"{value:.1f}" if row.unit else f"{value:.3f}"


def as_json(rows: Sequence[Row]) -> list[dict[str, object]]:
    """The rows with what they come to; null where there is no figure."""
    found = []
    for row in rows:
        mean, error = (None if np.isnan(value) else value for value in (row.mean, row.error))
        found.append(
            {**asdict(row), "mean": mean, "error": error, "asked": row.asked, "verdict": row.verdict}
        )
    return found
