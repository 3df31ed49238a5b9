"""A job's spec and tastes become the shots that its grid is painted with."""

from dataclasses import dataclass

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

# What chaos 100 without a taste leaves of the guidance in a grid's last image.
LEAST_GUIDANCE = 0.3


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


def plan(spec: Spec, preset: Preset, taste: Taste | None, text_vector: Vectors) -> list[Plan]:
    """The conditions of every slot of the grid.

    With a taste, --chaos draws a taste for each slot from the posterior, --chaos 100 from all of it. Without
    one, it lets go of the prompt slot by slot: the guidance falls from the preset's in the first image to
    LEAST_GUIDANCE of it, at --chaos 100, in the last.
    """
    slots = range(spec.n)
    if taste is None:
        fall = (1 - LEAST_GUIDANCE) * spec.chaos / 100
        return [Plan(n, preset.guidance * (1 - fall * n / max(spec.n - 1, 1)), None) for n in slots]
    if not spec.chaos:
        shared = _condition(spec, preset, taste, text_vector)
        return [_personal(n, preset, shared, taste) for n in slots]
    drawn = []
    for n in slots:
        rng = np.random.default_rng(spec.slot_seed(n))
        one = Taste(conditioning.sample(taste.blend, rng, spec.chaos), taste.space)
        drawn.append(_personal(n, preset, _condition(spec, preset, one, text_vector), one))
    return drawn


def _personal(slot: int, preset: Preset, conditioning: Conditioning | None, taste: Taste) -> Plan:
    return Plan(slot, preset.guidance, conditioning, taste if conditioning is not None else None)


def _condition(spec: Spec, preset: Preset, taste: Taste, text_vector: Vectors) -> Conditioning | None:
    assert preset.adapter is not None
    assert spec.stylize is not None
    known = confidence(taste.blend.posterior, prior(taste.space))
    scale = conditioning.strength(spec.stylize, known, preset.adapter.max_scale)
    if scale == 0:
        return None
    sides = conditioning.taste_embedding(
        taste.blend, taste.space, text_vector.astype(np.float64), guard=preset.adapter.guard
    )
    return Conditioning(sides.positive, sides.negative, scale)


def shots(spec: Spec, plans: list[Plan]) -> list[tuple[tuple[int, ...], Shot]]:
    """Slots and the shot that paints them: neighbours of equal conditions share one."""
    groups: list[list[Plan]] = []
    for item in plans:
        last = groups[-1] if groups else []
        if last and last[0].guidance == item.guidance and last[0].conditioning is item.conditioning:
            last.append(item)
        else:
            groups.append([item])
    return [(tuple(item.slot for item in group), _shot(spec, group)) for group in groups]


def _shot(spec: Spec, group: list[Plan]) -> Shot:
    assert spec.size is not None
    assert spec.steps is not None
    return Shot(
        text=spec.text,
        negative=", ".join(spec.negative),
        seeds=tuple(spec.slot_seed(item.slot) for item in group),
        width=spec.size[0],
        height=spec.size[1],
        steps=spec.steps,
        guidance=group[0].guidance,
        conditioning=group[0].conditioning,
    )
