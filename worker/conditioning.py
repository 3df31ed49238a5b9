"""A job's spec and tastes become the shots that its grid is painted with."""

from dataclasses import dataclass, replace

import numpy as np
from sqlmodel import Session

from app.errors import NotFound
from app.models import Code
from app.presets import Preset
from app.services.tastes import load_space
from app.spec import Spec
from app.taste import codes, conditioning
from app.taste.blend import blend
from app.taste.codes import FrozenTaste
from app.taste.posterior import confidence, prior
from app.taste.space import Space
from worker.encoders import Vectors
from worker.pipelines import Conditioning, Shot
from worker.words import Words

# The least that chaos 100 without a taste leaves of the guidance.
LEAST_GUIDANCE = 0.3
GOLDEN = 0.6180339887498949  # numbers in a row times this, modulo 1, lie far apart: so do a grid's seeds
SIDES = 4  # of a taste, the whole among them: a grid of four shows each once


@dataclass(frozen=True)
class Taste:
    """The blend of a job's codes, and the space they live in."""

    blend: FrozenTaste
    space: Space


@dataclass(frozen=True)
class Plan:
    """The conditions of one slot."""

    slot: int
    guidance: float
    conditioning: Conditioning | None
    taste: Taste | None = None  # that the slot is painted with, if one acts
    words: tuple[str, ...] = ()  # that the taste adds to the prompt


def load_taste(session: Session, *, spec: Spec) -> Taste | None:
    """The taste a spec names, or None where it names none or its strength is 0. Raises NotFound."""
    if not spec.personalize.tastes or not spec.stylize:
        return None
    parts = []
    for ref in spec.personalize.tastes:
        row = session.get(Code, ref.code)
        if row is None:
            raise NotFound(f"The taste {ref.code} is gone. Its owner deleted it.")
        parts.append((codes.from_bytes(row.taste, checksum=row.checksum.hex()), ref.weight))
    blended = blend(parts)
    return Taste(blended, load_space(session, encoder=blended.encoder, version=blended.space_version))


def plan(
    spec: Spec, preset: Preset, taste: Taste | None, text_vector: Vectors, words: Words | None = None
) -> list[Plan]:
    """The conditions of every slot of the grid. Where the preset has no adapter, `words` speaks for a taste.

    With a taste, slots show sides of it, the less so the stronger it is asked for: which one, its seed says,
    so that an image alone is that of the grid. --chaos draws a taste for each slot from the posterior
    instead, --chaos 100 from all of it. Without a taste, --chaos lets go of the prompt in some slots more
    than in others, as their seeds say: the guidance is the preset's or less, down to LEAST_GUIDANCE of it at
    --chaos 100.
    """
    slots = range(spec.n)
    if taste is None:
        fall = (1 - LEAST_GUIDANCE) * spec.chaos / 100
        falls = [fall * (spec.slot_seed(n) * GOLDEN % 1.0) for n in slots]
        return [Plan(n, preset.guidance * (1 - share), None) for n, share in zip(slots, falls, strict=True)]
    if not spec.chaos:
        variety = conditioning.variety(spec.stylize or 0)
        sides = _personal(spec, preset, taste, text_vector, words, variety=variety)
        return [replace(sides[spec.slot_seed(n) % SIDES], slot=n) for n in slots]
    drawn = []
    for n in slots:
        rng = np.random.default_rng(spec.slot_seed(n))
        one = Taste(conditioning.sample(taste.blend, rng, spec.chaos), taste.space)
        drawn.append(replace(_personal(spec, preset, one, text_vector, words, variety=0.0)[0], slot=n))
    return drawn


def _personal(
    spec: Spec, preset: Preset, taste: Taste, text_vector: Vectors, words: Words | None, *, variety: float
) -> list[Plan]:
    """The conditions of slot 0 for each of SIDES of a taste that acts on it; the whole comes first."""
    assert spec.stylize is not None
    known = confidence(taste.blend.posterior, prior(taste.space))
    adapter = preset.adapter
    scale = conditioning.strength(spec.stylize, known, adapter.max_scale if adapter is not None else 1.0)
    if scale == 0:
        return [Plan(0, preset.guidance, None)] * SIDES
    if adapter is None:
        said = words.of(taste.blend, taste.space, scale) if words is not None else ()
        return [Plan(0, preset.guidance, None, taste, said)] * SIDES
    sides = conditioning.taste_sides(
        taste.blend,
        taste.space,
        text_vector.astype(np.float64),
        count=SIDES,
        variety=variety,
        aversion=conditioning.aversion(spec.stylize),
        guard=adapter.guard,
    )
    # Equal sides stay one, so that they are painted as one shot.
    acting = {id(side): Conditioning(side.positive, side.negative, scale) for side in sides}
    return [Plan(0, preset.guidance, acting[id(side)], taste) for side in sides]


def shots(spec: Spec, plans: list[Plan]) -> list[tuple[tuple[int, ...], Shot]]:
    """Slots and the shot that paints them: neighbours of equal conditions share one."""
    groups: list[list[Plan]] = []
    for item in plans:
        last = groups[-1] if groups else []
        if last and _alike(last[0], item):
            last.append(item)
        else:
            groups.append([item])
    return [(tuple(item.slot for item in group), _shot(spec, group)) for group in groups]


def _alike(one: Plan, other: Plan) -> bool:
    same = one.guidance == other.guidance and one.words == other.words
    return same and one.conditioning is other.conditioning


def _shot(spec: Spec, group: list[Plan]) -> Shot:
    assert spec.size is not None
    assert spec.steps is not None
    return Shot(
        text=", ".join((spec.text, *group[0].words)),
        negative=", ".join(spec.negative),
        seeds=tuple(spec.slot_seed(item.slot) for item in group),
        width=spec.size[0],
        height=spec.size[1],
        steps=spec.steps,
        guidance=group[0].guidance,
        conditioning=group[0].conditioning,
        words=group[0].words,
    )
