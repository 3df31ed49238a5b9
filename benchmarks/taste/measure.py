"""Runs the learners over people, and turns their predictions into figures with errors over people."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from app.taste.arrays import Array
from app.taste.heldout import log_loss
from benchmarks.taste.learners import Learner, chosen, fit, learners
from benchmarks.taste.studies import Choices, Study, split

NUMBERS = (0, 2, 5, 10, 20, 40, 50, 80, 100, 200)
BINS = 10
RESAMPLES = 200
DRAWS = 10


@dataclass(frozen=True)
class Figure:
    """One cell: a mean over people and its standard error."""

    value: float
    error: float


@dataclass(frozen=True)
class Row:
    """One learner after n choices. Log loss in nats.

    chance: the ECE that answers drawn from the predictions themselves would show, over one split; below it
    nothing can be told. Log loss and these are None for a learner that gives no probabilities.
    """

    learner: str
    pairs: str
    n: int
    people: int
    accuracy: Figure
    log_loss: Figure | None
    ece: Figure | None
    chance: float | None


Answers = dict[int, list[tuple[Array, Array]]]  # by person: what was foretold, and what was said


def run(studies: Iterable[Study], *, gp: bool = False, independent: bool = False) -> list[Row]:
    """Run every learner on every study; a person who is tested in several counts once."""
    found: dict[tuple[str, str, int], Answers] = defaultdict(lambda: defaultdict(list))
    probable: dict[str, bool] = {}
    for number, study in enumerate(studies):
        rng = np.random.default_rng(number)
        fitted = fit(study, rng, independent=independent)
        ours, *others = learners(study, fitted, gp=gp)
        probable |= {learner.name: learner.probable for learner in (ours, *others)}
        for place, (user, person) in enumerate(study.test.by_user().items()):
            pool, asked = split(person, study, rng)
            if not len(asked):
                continue
            order = chosen(fitted, pool, max(NUMBERS), rng)
            runs = [(ours, "random", pool), (ours, "chosen", pool.take(order))]
            runs += [(other, "random", pool) for other in others if place < (other.people or place + 1)]
            for learner, pairs, said in runs:
                for n, predicted in _over(learner, said, asked):
                    found[learner.name, pairs, n][user].append((predicted, asked.y))
    return [_row(*key, answers, probable[key[0]]) for key, answers in found.items()]


def _over(learner: Learner, said: Choices, asked: Choices) -> Iterable[tuple[int, Array]]:
    steady = learner.foretell(said, asked) if learner.steady else None
    for n in NUMBERS:
        if n > min(len(said), learner.most or n):
            return
        yield n, learner.foretell(said.take(np.arange(n)), asked) if steady is None else steady


def _row(learner: str, pairs: str, n: int, answers: Answers, probable: bool) -> Row:
    hits, losses, bins = [], [], []
    for parts in answers.values():
        p, y = (np.concatenate(column) for column in zip(*parts, strict=True))
        hits.append(float((0.5 + 0.5 * np.sign(p - 0.5) * np.sign(y - 0.5)).mean()))
        if probable:
            losses.append(float(log_loss(p, y).mean()))
            bins.append(_binned(p, y))
    return Row(
        learner=learner,
        pairs=pairs,
        n=n,
        people=len(answers),
        accuracy=_mean(hits),
        log_loss=_mean(losses) if probable else None,
        ece=_calibration(np.array(bins)) if probable else None,
        chance=_chance([parts[0][0] for parts in answers.values()]) if probable else None,
    )


def _mean(values: Sequence[float]) -> Figure:
    error = np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    return Figure(float(np.mean(values)), float(error))


def _binned(p: Array, y: Array) -> Array:
    """One person's answers by how sure the prediction was: (3, bins) shares, sums of sureness and of hits."""
    sure, right = np.maximum(p, 1.0 - p), np.where(p > 0.5, y, 1.0 - y)
    place = np.minimum(((sure - 0.5) * 2 * BINS).astype(np.int64), BINS - 1)
    columns = (np.ones(len(p)), sure, right)
    return np.array([np.bincount(place, column, BINS) for column in columns]) / len(p)


def _calibration(bins: Array) -> Figure:
    """Expected calibration error (Naeini et al. 2015) over ten bins of sureness, people weighing the same.

    bins (people, 3, 10). Its error is the bootstrap's over people (Efron 1979).
    """
    people = len(bins)
    weights = np.random.default_rng(0).multinomial(people, np.full(people, 1 / people), RESAMPLES) / people
    return Figure(
        float(_ece(bins.mean(axis=0))), float(np.std(_ece(np.tensordot(weights, bins, axes=1)), ddof=1))
    )


def _ece(bins: Array) -> Array:
    return np.asarray(np.abs(bins[..., 1, :] - bins[..., 2, :]).sum(axis=-1))


def _chance(predicted: Sequence[Array]) -> float:
    rng = np.random.default_rng(0)
    found = []
    for _ in range(DRAWS):
        drawn = [_binned(p, (rng.random(len(p)) < p).astype(np.float64)) for p in predicted]
        found.append(float(_ece(np.mean(drawn, axis=0))))
    return float(np.mean(found))


def as_json(rows: Sequence[Row]) -> list[dict[str, object]]:
    return [asdict(row) for row in rows]
