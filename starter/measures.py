"""What `starter.evaluate` counts: attributes seen, distances between sets of images, probes and retrieval."""

from __future__ import annotations

import numpy as np
from scipy import linalg

from starter import judge
from starter.attributes import NAMES

ORDER = list(NAMES)


def shares(seen: dict[str, np.ndarray], codes: np.ndarray, names: tuple[str, ...]) -> dict[str, float]:
    """Share of images in which the judge sees the wanted class of each attribute."""
    return {name: round(float((seen[name] == codes[:, ORDER.index(name)]).mean()), 3) for name in names}


def recalls(seen: dict[str, np.ndarray], codes: np.ndarray, name: str) -> dict[str, float]:
    """For each class of an attribute, the share of its images in which the judge sees it."""
    wanted = codes[:, ORDER.index(name)]
    right = seen[name] == wanted
    present = [(i, label) for i, label in enumerate(NAMES[name]) if (wanted == i).any()]
    return {label: round(float(right[wanted == i].mean()), 2) for i, label in present}


def confusions(seen: dict[str, np.ndarray], codes: np.ndarray, name: str, count: int = 8) -> list[str]:
    """The commonest mistakes, as "wanted taken for seen: times"."""
    wanted, classes = codes[:, ORDER.index(name)].astype(int), len(NAMES[name])
    table = np.zeros((classes, classes), int)
    np.add.at(table, (wanted, seen[name]), 1)
    np.fill_diagonal(table, 0)
    worst = np.argsort(-table, axis=None)[:count]
    pairs = [divmod(int(place), classes) for place in worst if table.flat[place]]
    return [f"{NAMES[name][a]} taken for {NAMES[name][b]}: {table[a, b]}" for a, b in pairs]


def frechet(a: np.ndarray, b: np.ndarray) -> float:
    """Frechet distance between normals fitted to features (n, d) and (m, d) (Heusel et al. 2017)."""
    first, second = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    # The trace of the root of a product is the sum of the roots of its eigenvalues.
    roots = np.sqrt(np.clip(linalg.eigvals(first @ second).real, 0, None)).sum()
    gap = a.mean(0) - b.mean(0)
    return float(gap @ gap + np.trace(first) + np.trace(second) - 2 * roots)


def spread(features: np.ndarray) -> float:
    """Mean distance between the rows of features (n, d), each brought to length 1."""
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    distances = np.sqrt(np.clip(2 - 2 * unit @ unit.T, 0, None))
    n = len(features)
    return float(distances.sum() / (n * (n - 1)))


def probe(
    train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray], ridge: float = 1e-3
) -> float:
    """Share right on `test` of a linear classifier of features (n, d) fitted on `train`."""
    x = np.c_[train[0] - train[0].mean(0), np.ones(len(train[0]))]
    y = np.eye(int(train[1].max()) + 1)[train[1]]
    weights = np.linalg.solve(x.T @ x + ridge * len(x) * np.eye(x.shape[1]), x.T @ y)
    z = np.c_[test[0] - train[0].mean(0), np.ones(len(test[0]))]
    return float(((z @ weights).argmax(1) == test[1]).mean())


def retrieval(images: np.ndarray, texts: np.ndarray, size: int = 100) -> dict[str, float]:
    """Recall at 1 among `size`, or all if fewer, both ways, of images and texts (n, d) in the same order."""
    size = min(size, len(images))
    found = {"image by text": [], "text by image": []}  # type: dict[str, list[float]]
    for start in range(0, len(images) - size + 1, size):
        match = images[start : start + size] @ texts[start : start + size].T
        found["image by text"].append(float((match.argmax(0) == np.arange(size)).mean()))
        found["text by image"].append(float((match.argmax(1) == np.arange(size)).mean()))
    return {name: round(float(np.mean(values)), 3) for name, values in found.items()}


def look_at(images: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """What the judge sees in images, and its features."""
    judged = judge.load_judge()
    return judge.classify(images, judged), judge.features(images, judged)
