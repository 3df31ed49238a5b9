"""Ours and the baselines: each learns from some choices and foretells others."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit

from app.taste.arrays import Array
from app.taste.comparisons import Comparisons, newest
from app.taste.heldout import Person, Settings, log_loss, tune
from app.taste.pairs import choose
from app.taste.population import population_prior
from app.taste.posterior import Posterior, predict, prior, refit, update
from app.taste.space import fit_space, project
from benchmarks.taste.studies import Choices, Indices, Study

MOST_COMPONENTS = 64
CANDIDATES = 200
TUNED_ON = 100
FLAT_VARIANCE = 100.0
GP_PEOPLE, GP_MOST = 20, 50


@dataclass(frozen=True)
class Learner:
    """foretell(learned, asked) gives P(a over b) for each choice asked; most: the n it can bear.

    probable: where it only says 0, 1/2 or 1 it has no log loss and no calibration. steady: it learns nothing
    from the person.
    """

    name: str
    foretell: Callable[[Choices, Choices], Array]
    most: int | None = None
    people: int | None = None
    probable: bool = True
    steady: bool = False


@dataclass(frozen=True)
class Fitted:
    """What was learned from the people of the prior: places (m, k) of the items, the prior, the settings.

    independent: answers that share an item are taken as if they did not (`app.taste.repeats`).
    """

    places: Array
    prior: Posterior
    settings: Settings
    independent: bool = False

    def compare(self, choices: Choices) -> Comparisons:
        """A person's choices as the learner takes them. Sides are unknown here and taken to mean nothing."""
        n = len(choices)
        said = Comparisons(self.differences(choices), choices.y, weight=np.ones(n), side=np.zeros(n), count=n)
        return said if self.independent else replace(said, images=np.column_stack([choices.a, choices.b]))

    def differences(self, choices: Choices) -> Array:
        return self.places[choices.a] - self.places[choices.b]


def fit(study: Study, rng: np.random.Generator, *, independent: bool = False) -> Fitted:
    """Learn the space from the items, and the settings and the prior from the people of the prior."""
    rank = int(np.linalg.matrix_rank(study.items - study.items.mean(axis=0)))
    k = min(rank, len(study.items) - 1, study.components or MOST_COMPONENTS)
    space = fit_space(study.items, k, encoder="benchmark", version=1)
    fitted = Fitted(project(space, study.items), prior(space), Settings(), independent or study.whole)
    people = [fitted.compare(choices) for choices in study.train.by_user().values()]
    if not people:
        return fitted
    learned = replace(fitted, prior=population_prior(fitted.prior, people, rng=rng))
    none = fitted.compare(study.train.take(np.zeros(0, dtype=np.int64)))
    some = [Person(people[i], none) for i in rng.permutation(len(people))[:TUNED_ON]]
    return replace(learned, settings=tune(learned.prior, some, seed=int(rng.integers(2**31))))


def learners(study: Study, fitted: Fitted, *, gp: bool) -> list[Learner]:
    """Return ours, then every baseline that can run here."""
    k = fitted.places.shape[1]
    flat = Posterior(np.zeros(k + 1), np.diag(np.append(np.full(k, FLAT_VARIANCE), 0.1)), 0)
    plain = replace(fitted, independent=True)
    alone = Learner("prior alone", partial(_posterior, fitted, fitted.prior, learn=False), steady=True)
    found = [
        Learner("Penchant", partial(_posterior, fitted, fitted.prior)),
        alone,
        Learner("item means", _item_means(study), steady=True),
        Learner("BT, no prior", partial(_posterior, plain, flat)),
    ]
    if find_spec("sklearn"):
        found.append(Learner("LinearSVC", partial(_svc, fitted.places), probable=False))
    if gp and find_spec("botorch"):
        found.append(Learner("PairwiseGP", partial(_gp, fitted.places), most=GP_MOST, people=GP_PEOPLE))
    return found


def _posterior(
    fitted: Fitted, start: Posterior, learned: Choices, asked: Choices, *, learn: bool = True
) -> Array:
    lapse = fitted.settings.lapse
    if learn:
        start = refit(start, fitted.compare(learned), lapse=lapse)
    return predict(start, fitted.differences(asked), lapse=lapse)


def chosen(fitted: Fitted, pool: Choices, n: int, rng: np.random.Generator) -> Indices:
    """Return the pool's rows in the order in which Penchant would show them, at most n.

    Each is the most telling of up to 200 that are left, one in ten is drawn at random, and the taste is
    brought up to date after each.
    """
    left = list(rng.permutation(len(pool)))
    met = Counter[int]()
    order: list[int] = []
    posterior, first, second = fitted.prior, fitted.places[pool.a], fitted.places[pool.b]
    while left and len(order) < n:
        some = left[:CANDIDATES]
        row = some[choose(posterior, first[some], second[some], rng=rng).index]
        left.remove(row)
        order.append(row)
        one = newest(fitted.compare(pool.take(np.array([row]))), met)
        met.update((int(pool.a[row]), int(pool.b[row])))
        posterior = update(posterior, one, lapse=fitted.settings.lapse)
    return np.array(order, dtype=np.int64)


def _item_means(study: Study) -> Callable[[Choices, Choices], Array]:
    """The share of choices that each item won among the people of the prior, as log odds times one factor."""
    m, known = len(study.items), study.train
    shown = np.bincount(known.a, minlength=m) + np.bincount(known.b, minlength=m)
    won = np.bincount(known.a, known.y, m) + np.bincount(known.b, 1.0 - known.y, m)
    odds = np.log(won + 1.0) - np.log(shown - won + 1.0)

    def foretell(learned: Choices, asked: Choices) -> Array:
        return np.asarray(np.clip(expit(factor * (odds[asked.a] - odds[asked.b])), 1e-6, 1.0 - 1e-6))

    def loss(value: float) -> float:
        p = np.clip(expit(value * (odds[known.a] - odds[known.b])), 1e-6, 1.0 - 1e-6)
        return float(log_loss(p, known.y).sum())

    factor = float(minimize_scalar(loss, bounds=(0.0, 5.0), method="bounded").x)
    return foretell


def _svc(places: Array, learned: Choices, asked: Choices) -> Array:
    """Scikit-learn's LinearSVC in its primal form, C = 1, on the differences and their reverse."""
    from sklearn.svm import LinearSVC  # noqa: PLC0415  an extra: the benchmark runs without it

    decided = learned.take(learned.y != 0.5)
    if not len(decided):
        return np.full(len(asked), 0.5)
    difference = places[decided.a] - places[decided.b]
    machine = LinearSVC(fit_intercept=False, dual=False)
    machine.fit(np.concatenate([difference, -difference]), np.concatenate([decided.y, 1.0 - decided.y]))
    value = (places[asked.a] - places[asked.b]) @ machine.coef_[0]
    return np.asarray(0.5 + 0.5 * np.sign(value))


def _gp(places: Array, learned: Choices, asked: Choices) -> Array:
    """BoTorch's PairwiseGP (Chu & Ghahramani 2005) with its own priors, hyperparameters fitted per person."""
    import torch  # noqa: PLC0415  extras: the benchmark runs without them
    from botorch.fit import fit_gpytorch_mll  # noqa: PLC0415
    from botorch.models.pairwise_gp import PairwiseGP, PairwiseLaplaceMarginalLogLikelihood  # noqa: PLC0415
    from scipy.stats import norm  # noqa: PLC0415

    decided = learned.take(learned.y != 0.5)
    if not len(decided):
        return np.full(len(asked), 0.5)
    points, index = np.unique(np.concatenate([decided.a, decided.b]), return_inverse=True)
    a, b = index.reshape(2, -1)
    order = np.where(decided.y[:, None] == 1, np.column_stack([a, b]), np.column_stack([b, a]))
    model = PairwiseGP(torch.as_tensor(places[points]), torch.as_tensor(order))
    fit_gpytorch_mll(PairwiseLaplaceMarginalLogLikelihood(model.likelihood, model))
    there, index = np.unique(np.concatenate([asked.a, asked.b]), return_inverse=True)
    a, b = index.reshape(2, -1)
    with torch.no_grad():
        found = model.posterior(torch.as_tensor(places[there]))
        mean, cov = found.mean[:, 0].numpy(), found.distribution.covariance_matrix.numpy()
    variance = cov[a, a] + cov[b, b] - 2.0 * cov[a, b]
    p = norm.cdf((mean[a] - mean[b]) / np.sqrt(2.0 + np.maximum(variance, 0.0)))
    return np.asarray(np.clip(p, 1e-6, 1.0 - 1e-6))
