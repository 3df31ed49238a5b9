"""Labels of what the safety classifier scores, and who sees what of it."""

from dataclasses import dataclass
from typing import Literal

from app.config import get_settings

Label = Literal["safe", "questionable", "unsafe"]
LABELS: tuple[Label, ...] = ("safe", "questionable", "unsafe")
QUESTIONABLE = 0.25  # of the threshold: Open-NSFW's authors call scores below 0.2 safe and above 0.8 unsafe


@dataclass(frozen=True)
class Verdict:
    """An image's probability of being unsafe, 0 to 1, and what it is called."""

    label: Label
    score: float


def verdict(score: float) -> Verdict:
    """What a score is called under the operator's threshold."""
    threshold = get_settings().safety_threshold
    if score >= threshold:
        return Verdict("unsafe", score)
    return Verdict("questionable" if score >= QUESTIONABLE * threshold else "safe", score)


def blurred_from(*, cautious: bool) -> Label | None:
    """The mildest label that is blurred for somebody, None where nothing is.

    The operator's policy counts for everybody; who is cautious has more blurred, never less. Where unsafe
    images are blocked, those from before are blurred.
    """
    if cautious:
        return "questionable"
    return None if get_settings().safety == "allow" else "unsafe"


def is_blocked(found: Verdict) -> bool:
    """Whether this installation keeps no such image."""
    return get_settings().safety == "block" and found.label == "unsafe"
