"""What a code freezes: the taste, its best and worst examples, and bytes that always mean the same."""

import hashlib
import json
import math
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.taste.arrays import Array, Single, checked, unit
from app.taste.errors import CorruptTaste, IncompatibleTastes, InvalidInput
from app.taste.posterior import Posterior
from app.taste.space import Space, project

EXEMPLARS = 32
_DIVERSITY = 1.0
_POOL = 1 / 3
_MAGIC = b"PENCHANT-TASTE-1\n"
_MAX_HEADER = 4096
_FIELDS = ("embedding", "prompt", "score", "weight")


@dataclass(frozen=True)
class Exemplars:
    """Images that stand for one side of a taste, the most telling first.

    embedding (m, d): raw, in single precision as they are stored; prompt (m, t): embeddings of what the
    images show, zero where unknown; score (m,): value to the owner, in logits against the typical image;
    weight (m,): share in a blend, 1 otherwise.
    """

    embedding: Single
    prompt: Single
    score: Single
    weight: Single

    def __post_init__(self) -> None:
        m = len(self.score)
        for name, shape in (
            ("embedding", (m, None)),
            ("prompt", (m, None)),
            ("score", (m,)),
            ("weight", (m,)),
        ):
            checked(name, getattr(self, name), shape)
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.float32))

    def __len__(self) -> int:
        return len(self.score)


@dataclass(frozen=True)
class FrozenTaste:
    """One state of a profile, complete in itself: everything a job needs to paint with it."""

    encoder: str
    space_version: int
    posterior: Posterior
    liked: Exemplars
    disliked: Exemplars

    @property
    def n_ratings(self) -> int:
        return self.posterior.count


def freeze(posterior: Posterior, space: Space, embeddings: Array, prompts: Array) -> FrozenTaste:
    """Freeze a taste with exemplars chosen from the images its owner rated.

    embeddings (n, d): raw; prompts (n, t): of the same images, t may be 0. Raises InvalidInput.
    """
    liked, disliked = exemplars(posterior, space, embeddings, prompts)
    return FrozenTaste(
        encoder=space.encoder,
        space_version=space.version,
        posterior=posterior,
        liked=liked,
        disliked=disliked,
    )


def exemplars(
    posterior: Posterior, space: Space, embeddings: Array, prompts: Array, *, limit: int = EXEMPLARS
) -> tuple[Exemplars, Exemplars]:
    """Return the liked and the disliked exemplars among rated images (n, d), at most `limit` each.

    Either side comes from the best or worst third by posterior score. They are taken greedily by score less
    likeness to those taken already (maximal marginal relevance, Carbonell & Goldstein 1998).
    """
    embeddings = checked("embeddings", embeddings, (None, len(space.centre)))
    prompts = checked("prompts", prompts, (len(embeddings), None))
    if len(posterior.weights) != len(space.scales):
        raise IncompatibleTastes("the taste and the space differ in dimension")
    embeddings, first = np.unique(embeddings, axis=0, return_index=True)
    prompts = prompts[first]
    places = project(space, embeddings)
    score = places @ posterior.weights
    spread = float(np.linalg.norm(posterior.weights)) or 1.0

    def side(sign: float) -> Exemplars:
        rows = diverse(sign * score / spread, unit(places), limit)
        return Exemplars(
            embedding=embeddings[rows].astype(np.float32),
            prompt=prompts[rows].astype(np.float32),
            score=score[rows].astype(np.float32),
            weight=np.ones(len(rows), dtype=np.float32),
        )

    return side(1.0), side(-1.0)


def diverse(value: Array, directions: Array, limit: int, *, share: float = _POOL) -> list[int]:
    """Return at most `limit` rows of high value (n,) and unlike directions (n, k), from the best `share`."""
    pool = np.argsort(-value, kind="stable")[: int(np.ceil(len(value) * share))]
    likeness = np.zeros(len(pool))
    free = np.ones(len(pool), dtype=bool)
    taken: list[int] = []
    while free.any() and len(taken) < limit:
        best = int(np.where(free, value[pool] - _DIVERSITY * likeness, -np.inf).argmax())
        free[best] = False
        taken.append(int(pool[best]))
        likeness = np.maximum(likeness, directions[pool] @ directions[pool[best]])
    return taken


def to_bytes(taste: FrozenTaste) -> bytes:
    """Return the canonical bytes of a taste: equal tastes give equal bytes, on any machine."""
    arrays = _arrays(taste)
    header = {
        "arrays": {name: [array.dtype.str, list(array.shape)] for name, array in arrays.items()},
        "count": taste.posterior.count,
        "encoder": taste.encoder,
        "space_version": taste.space_version,
    }
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    if len(text) > _MAX_HEADER:
        raise InvalidInput("the encoder's name is too long")
    return b"".join([_MAGIC, struct.pack("<I", len(text)), text, *(a.tobytes() for a in arrays.values())])


def from_bytes(data: bytes, *, checksum: str | None = None) -> FrozenTaste:
    """Read a taste, and hold it to its checksum if one is given. Raises CorruptTaste."""
    if checksum is not None and hashlib.sha256(data).hexdigest() != checksum:
        raise CorruptTaste("the taste's checksum differs")
    try:
        header, body = _split(data)
        arrays = _read(header["arrays"], body)
        sides = {
            side: Exemplars(**{name: arrays[f"{side}.{name}"] for name in _FIELDS})
            for side in ("liked", "disliked")
        }
        return FrozenTaste(
            encoder=str(header["encoder"]),
            space_version=int(header["space_version"]),
            posterior=Posterior(arrays["mean"], arrays["cov"], int(header["count"])),
            **sides,
        )
    except (KeyError, TypeError, ValueError, AttributeError, struct.error) as error:
        raise CorruptTaste(f"these bytes are no taste: {error}") from error


def checksum(taste: FrozenTaste) -> str:
    """Return the SHA-256 of the canonical bytes, in hexadecimal."""
    return hashlib.sha256(to_bytes(taste)).hexdigest()


def _arrays(taste: FrozenTaste) -> dict[str, Array | Single]:
    arrays: dict[str, Array | Single] = {
        "mean": np.ascontiguousarray(taste.posterior.mean, dtype="<f8"),
        "cov": np.ascontiguousarray(taste.posterior.cov, dtype="<f8"),
    }
    for side, images in (("liked", taste.liked), ("disliked", taste.disliked)):
        for name in _FIELDS:
            arrays[f"{side}.{name}"] = np.ascontiguousarray(getattr(images, name), dtype="<f4")
    return dict(sorted(arrays.items()))


def _split(data: bytes) -> tuple[dict[str, Any], bytes]:
    if not data.startswith(_MAGIC):
        raise ValueError("unknown format")
    start = len(_MAGIC) + 4
    (length,) = struct.unpack("<I", data[len(_MAGIC) : start])
    if length > _MAX_HEADER:
        raise ValueError("header too long")
    header = json.loads(data[start : start + length])
    return header, data[start + length :]


def _read(shapes: dict[str, Any], body: bytes) -> dict[str, Any]:
    arrays = {}
    for name, (kind, shape) in sorted(shapes.items()):
        if kind not in ("<f4", "<f8") or not all(isinstance(n, int) and n >= 0 for n in shape):
            raise ValueError(f"unreadable array {name}")
        size = math.prod(shape) * int(kind[2])
        if size > len(body):
            raise ValueError("cut short")
        arrays[name] = np.frombuffer(body[:size], dtype=kind).reshape(shape)
        body = body[size:]
    if body:
        raise ValueError("more bytes than arrays")
    return arrays
