"""What people rate, and what the learner makes of it: the way of the explore page, without its database."""

from collections import Counter, deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.services.drawing import CANDIDATES, RECENT, WINDOW, WINDOWS
from app.taste import codes
from app.taste.arrays import Array
from app.taste.codes import FrozenTaste
from app.taste.comparisons import Answer, compare, newest
from app.taste.pairs import choose
from app.taste.posterior import Posterior, prior, refit, update
from app.taste.space import Space, project
from benchmarks.personalisation.gallery import Gallery, Indices, subjects
from benchmarks.personalisation.people import Person

SEED = 2_613
OTHERS = 2  # images of other subjects for each of the two, for the people with a confounded history


@dataclass(frozen=True)
class History:
    """The images left and right (n,) of each rated pair, by their place in the gallery, and the answers."""

    left: Indices
    right: Indices
    answers: tuple[Answer, ...]


def favourites(person: Person, group: int) -> Indices:
    """The two subjects that a confounded person's liked images show; no prompt of the group names them."""
    place = 2 * (person.number // 2 % 8)
    return subjects(group)[::-1][place : place + 2]


def shown(person: Person, group: int, gallery: Gallery) -> Indices:
    """The images that a person meets: all, or, confounded, two subjects where liked and others where not."""
    if not person.confounded:
        return np.arange(len(gallery.subject))
    rng = np.random.default_rng([SEED, person.number, 1])
    utility = person.utility(gallery.seen)
    own = np.isin(gallery.subject, favourites(person, group))
    liked = np.flatnonzero(own & (utility > np.median(utility[own])))
    others = rng.permutation(np.flatnonzero(~own & (utility < np.median(utility))))
    return np.sort(np.concatenate([liked, others[: OTHERS * len(liked)]]))


def rate(person: Person, group: int, gallery: Gallery, space: Space, count: int) -> History:
    """Let the person answer `count` pairs, each chosen by what the answers before it taught.

    Candidates are drawn as the service draws them: from a few places along a random order of the gallery.
    """
    rng = np.random.default_rng([SEED, person.number])
    order = rng.permutation(shown(person, group, gallery))
    where, utility = project(space, gallery.image), person.utility(gallery.seen)
    free = np.ones((len(where), len(where)), dtype=bool)
    recent: deque[int] = deque(maxlen=2 * RECENT)
    taste, met = prior(space), Counter[int]()
    asked: list[tuple[int, int]] = []
    answers: list[Answer] = []
    for _ in range(count):
        pair = _next(taste, where, _candidates(order, free, rng), recent, rng)
        free[min(pair), max(pair)] = False
        recent.extend(pair)
        answer = person.answers(utility[pair[0]], utility[pair[1]], rng)
        said = compare([answer], where[[pair[0]]], where[[pair[1]]], images=np.array([pair]))
        taste = update(taste, newest(said, met))
        met.update(pair)
        asked.append(pair)
        answers.append(answer)
    left, right = np.array(asked, dtype=np.int64).T
    return History(left, right, tuple(answers))


def _candidates(order: Indices, free: NDArray[np.bool_], rng: np.random.Generator) -> Indices:
    """Pairs (n, 2) of images, the lower first, that have not met."""
    starts = rng.integers(len(order), size=WINDOWS)
    near = np.unique(np.take(order, (starts[:, None] + np.arange(WINDOW)).ravel(), mode="wrap"))
    pairs = near[np.argwhere(np.triu(free[np.ix_(near, near)], 1))]
    return np.asarray(rng.permutation(pairs)[:CANDIDATES])


def _next(
    taste: Posterior, where: Array, pairs: Indices, recent: deque[int], rng: np.random.Generator
) -> tuple[int, int]:
    choice = choose(
        taste, where[pairs[:, 0]], where[pairs[:, 1]], rng=rng, topics=pairs, recent_topics=recent
    )
    low, high = (int(image) for image in pairs[choice.index])
    return (high, low) if choice.swapped else (low, high)


def learned(history: History, count: int, gallery: Gallery, space: Space) -> FrozenTaste:
    """What is frozen after the first `count` answers, as a code holds it."""
    left, right = history.left[:count], history.right[:count]
    where = project(space, gallery.image)
    images = np.column_stack([left, right])
    taste = refit(prior(space), compare(history.answers[:count], where[left], where[right], images=images))
    rated = np.unique(np.concatenate([left, right]))
    return codes.freeze(taste, space, gallery.image[rated], gallery.text[rated])
