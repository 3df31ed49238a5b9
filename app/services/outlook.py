"""What more rating would still add to a profile, noted now and then and told in a sentence."""

import numpy as np
from sqlmodel import Session

from app.config import get_settings
from app.models import Profile
from app.services.drawing import candidates
from app.taste.outlook import ENOUGH, MORE, expected_gain
from app.taste.posterior import Posterior
from app.taste.space import Space

EVERY = 10  # ratings: a look ahead takes as long as a few of them
PAIRS = 200


def due(profile: Profile) -> bool:
    """Whether it is time to look ahead again."""
    count = profile.rating_count
    return count % EVERY == 0 or count == get_settings().unlock_ratings


def look_ahead(
    session: Session,
    *,
    profile: Profile,
    space: Space,
    taste: Posterior,
    rng: np.random.Generator | None = None,
) -> None:
    """Note on the profile what MORE ratings are expected to add on random pairs of the gallery."""
    rng = rng or np.random.default_rng()
    images, where = candidates(session, space=space, rng=rng)
    if len(images) < 2:
        return
    left = rng.integers(len(images), size=PAIRS)
    right = (left + rng.integers(1, len(images), size=PAIRS)) % len(images)
    profile.expected_gain = expected_gain(taste, where[left] - where[right])
    session.flush()


def enough(profile: Profile) -> bool:
    """Whether the profile may be used, and more rating will hardly change it."""
    unlocked = profile.rating_count >= get_settings().unlock_ratings
    return unlocked and profile.expected_gain is not None and profile.expected_gain < ENOUGH


def outlook(profile: Profile) -> str:
    """What to expect of more rating, as a sentence; empty while nothing can be said."""
    gain = profile.expected_gain
    if enough(profile):
        return "Rating more will hardly change this taste now."
    if gain is None or gain < ENOUGH:  # who has not unlocked it yet goes on anyway
        return ""
    points = round(gain * 100)
    unit = "point" if points == 1 else "points"
    return f"{MORE} more ratings should add about {points} {unit} of accuracy."
