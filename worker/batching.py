"""Which images are painted in one call: those of several jobs, where all that a call shares is equal."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from app.spec import Size
from worker.candidates import Judge
from worker.pipelines import Shot


@dataclass(frozen=True)
class Part:
    """Slots of one job and the shot that paints them, once for each candidate where a judge chooses.

    `job` is the job's place among those that are painted together.
    """

    job: int
    slots: tuple[int, ...]
    shot: Shot
    judge: Judge | None = None

    @property
    def passes(self) -> int:
        """How often the shot is painted."""
        return self.judge.count if self.judge is not None else 1

    @property
    def size(self) -> Size:
        """The images' width and height in pixels."""
        return self.shot.width, self.shot.height

    def shared(self) -> Hashable:
        """What has to be equal in a batch. The adapter's scale need not: each image has its own."""
        shot = self.shot
        kind = (bool(shot.negative), shot.conditioning is None)
        return self.size, shot.steps, shot.guidance, kind, self.passes

    def only(self, places: Sequence[int]) -> "Part":
        """The same for some of its images, by their places."""
        seeds = tuple(self.shot.seeds[place] for place in places)
        slots = tuple(self.slots[place] for place in places)
        return replace(self, slots=slots, shot=replace(self.shot, seeds=seeds))


def images(batch: Iterable[Part]) -> int:
    """How many images a batch paints at once."""
    return sum(len(part.slots) for part in batch)


def batches(parts: Iterable[Part], limit: Callable[[Part], int]) -> list[list[Part]]:
    """The parts in batches of at most `limit` images, the first job's first."""
    alike: dict[Hashable, list[Part]] = {}
    for part in parts:
        alike.setdefault(part.shared(), []).append(part)
    return [batch for group in alike.values() for batch in _cut(group, limit(group[0]))]


def _cut(parts: list[Part], limit: int) -> list[list[Part]]:
    singles = [(number, place) for number, part in enumerate(parts) for place in range(len(part.slots))]
    chunks = [singles[start : start + limit] for start in range(0, len(singles), limit)]
    return [
        [
            parts[number].only([place for _, place in group])
            for number, group in groupby(chunk, lambda single: single[0])
        ]
        for chunk in chunks
    ]


def by_job(batch: Iterable[Part]) -> list[list[Part]]:
    """A batch for each job of a batch."""
    return [list(parts) for _, parts in groupby(batch, lambda part: part.job)]
