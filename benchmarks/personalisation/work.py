"""What is to be painted, in small units that are kept, so that a run that was ended goes on where it was."""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.config import REPOSITORY
from app.presets import get_preset
from app.taste.codes import FrozenTaste
from app.taste.space import Space
from benchmarks.personalisation import history, people
from benchmarks.personalisation.gallery import Gallery, Prompt, prompts
from benchmarks.personalisation.people import Person
from benchmarks.personalisation.studio import PRESET, SPACE, Images, Look, Studio
from starter import gallery as shipped
from starter import judge

STRENGTHS = (50, 100, 250, 500, 1000)
MAIN = 100  # what --s is where nobody says so
RATINGS, FEW = 200, 40
GROUP = 4  # people who share prompts and seeds, and are one another's strangers
SEED = 70_000_000


@dataclass(frozen=True)
class Plan:
    """How much is measured. grid: images of a prompt at s = 0 and 100; part: at the other strengths;
    few: with 40 ratings."""

    people: int = 24
    prompts: int = 6
    grid: int = 4
    part: int = 2
    few: int = 4

    def group(self, person: int) -> int:
        """The group of a person; what is left over joins the last one."""
        return min(person // GROUP, max(self.people // GROUP - 1, 0))

    def members(self, group: int) -> list[int]:
        return [person for person in range(self.people) if self.group(person) == group]

    def groups(self) -> range:
        return range(self.group(self.people - 1) + 1)


QUICK = Plan(people=8, prompts=2, grid=4, part=1, few=1)


@dataclass(frozen=True)
class Unit:
    """`count` images of one prompt of a group: without a taste, or for a person, learned from `ratings`."""

    group: int
    prompt: int
    count: int
    person: int | None = None
    ratings: int = 0
    stylize: int = 0

    @property
    def name(self) -> str:
        who = "nobody" if self.person is None else f"p{self.person}-r{self.ratings}-s{self.stylize}"
        return f"g{self.group}-{self.prompt}-{who}-n{self.count}"

    @property
    def seed(self) -> int:
        return SEED + 1000 * self.group + 10 * self.prompt


def units(plan: Plan) -> Iterator[Unit]:
    """All that a plan paints, one group after another."""
    for group in plan.groups():
        for prompt in range(plan.prompts):
            yield Unit(group, prompt, plan.grid)
            for person in plan.members(group):
                yield from _of_person(plan, group, prompt, person)


def _of_person(plan: Plan, group: int, prompt: int, person: int) -> Iterator[Unit]:
    for stylize in STRENGTHS:
        count = plan.grid if stylize == MAIN else plan.part
        yield Unit(group, prompt, count, person, RATINGS, stylize)
    yield Unit(group, prompt, plan.few, person, FEW, MAIN)


class State:
    """A folder with a file for each finished unit: what the judge saw, and beside it the images."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder

    def has(self, name: str) -> bool:
        return (self.folder / f"{name}.npz").exists()

    def save(self, name: str, images: Images, look: Look) -> None:
        """Keep a unit. It counts as finished once the file of what was seen is there, whole."""
        strip = Image.fromarray(np.concatenate(list(images), axis=1))
        strip.save(self.folder / f"{name}.webp", quality=92)
        unfinished = self.folder / f"{name}.{os.getpid()}.part"
        with unfinished.open("wb") as file:
            np.savez(file, **{"features": look.features, **look.seen})  # type: ignore[arg-type]
        unfinished.replace(self.folder / f"{name}.npz")

    def look(self, name: str) -> Look:
        with np.load(self.folder / f"{name}.npz", allow_pickle=False) as data:
            return Look({key: data[key] for key in data if key != "features"}, data["features"])

    def first_image(self, name: str) -> Image.Image:
        strip = Image.open(self.folder / f"{name}.webp")
        return strip.crop((0, 0, strip.height, strip.height))

    def note(self, name: str, difference: int) -> None:
        """Keep how far the pixels of two images that should be equal lie apart."""
        unfinished = self.folder / f"{name}.{os.getpid()}.part"
        unfinished.write_text(str(difference))
        unfinished.replace(self.folder / f"{name}.txt")

    def noted(self, name: str) -> int | None:
        path = self.folder / f"{name}.txt"
        return int(path.read_text()) if path.exists() else None


class World:
    """Everything that is not painted: the gallery, the people, what was learned of them, the prompts."""

    def __init__(self, plan: Plan, gallery: Gallery, space: Space) -> None:
        self.plan = plan
        self.gallery = gallery
        self.space = space
        self.taste = lru_cache(maxsize=None)(self._taste)
        self._history = lru_cache(maxsize=None)(self._rated)
        self.person = lru_cache(maxsize=None)(self._person)
        self.prompts = lru_cache(maxsize=None)(self._prompts)

    def _person(self, number: int) -> Person:
        return people.make(number, self.gallery.seen)

    def _rated(self, number: int) -> history.History:
        group = self.plan.group(number)
        return history.rate(self.person(number), group, self.gallery, self.space, RATINGS)

    def _taste(self, number: int, ratings: int) -> FrozenTaste:
        return history.learned(self._history(number), ratings, self.gallery, self.space)

    def _prompts(self, group: int) -> list[Prompt]:
        return prompts(group, self.plan.prompts, self.gallery)

    def favourites(self, number: int) -> NDArray[np.int64]:
        return history.favourites(self.person(number), self.plan.group(number))


def paint(
    world: World, state: State, studio: Studio, mine: Callable[[int], bool] = lambda group: True
) -> None:
    """Finish what is not finished yet, of those groups that are `mine`."""
    for group in filter(mine, world.plan.groups()):
        if state.noted(f"zero-{group}") is None:
            state.note(f"zero-{group}", _difference_at_zero(world, studio, group))
        for unit in units(world.plan):
            if unit.group == group and not state.has(unit.name):
                images = painted(world, studio, unit)
                state.save(unit.name, images, studio.look(images))


def painted(world: World, studio: Studio, unit: Unit) -> Images:
    """The images of a unit."""
    prompt = world.prompts(unit.group)[unit.prompt].text
    taste = None if unit.person is None else world.taste(unit.person, unit.ratings)
    return studio.paint(prompt, seed=unit.seed, count=unit.count, stylize=unit.stylize, taste=taste)


def _difference_at_zero(world: World, studio: Studio, group: int) -> int:
    """The largest difference of a pixel between no taste and a taste at s = 0, after painting at s = 1000."""
    prompt, seed = world.prompts(group)[0].text, SEED + 1000 * group
    taste = world.taste(world.plan.members(group)[0], RATINGS)
    plain = studio.paint(prompt, seed=seed, count=1)
    studio.paint(prompt, seed=seed, count=1, stylize=1000, taste=taste)
    zero = studio.paint(prompt, seed=seed, count=1, stylize=0, taste=taste)
    return int(np.abs(plain.astype(np.int16) - zero.astype(np.int16)).max())


def fingerprint() -> str:
    """A name for all that decides what is painted and seen: units made with anything else do not count."""
    own = Path(__file__).parent
    files = [path for path in get_preset(PRESET).folder.rglob("*") if path.is_file()]
    files += [judge.WEIGHTS, SPACE, shipped.FOLDER / "index.jsonl", shipped.FOLDER / "embeddings.npz"]
    files += [*(REPOSITORY / "app" / "taste").glob("*.py"), *(REPOSITORY / "starter").glob("*.py")]
    files += [
        REPOSITORY / "worker" / name
        for name in (
            "conditioning.py",
            "encoders.py",
            "families.py",
            "loading.py",
            "pipelines.py",
            "presets.toml",
        )
    ]
    files.append(REPOSITORY / "app" / "services" / "drawing.py")
    files += [own / f"{name}.py" for name in ("gallery", "history", "people", "studio")]
    total = hashlib.sha256()
    for path in sorted(files):
        total.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:12]
