"""Pairs for visitors: nothing is stored for them, so what they were shown is signed."""

from uuid import UUID

from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlmodel import Session

from app.config import get_settings
from app.models import Profile
from app.services import rating
from app.services.drawing import OfferedPair

MAX_AGE_SECONDS = 24 * 3600


def sign_offer(pair: OfferedPair) -> str:
    """What a visitor's form sends along with the answer (field `offer`) to prove that `pair` was shown."""
    return str(_serializer().dumps([pair.id.hex, pair.left.id, pair.right.id, pair.selection]))


def adopt_offer(session: Session, *, profile: Profile, offer: str) -> None:
    """Note the signed pair as offered to the new guest's profile; a forged or old one changes nothing."""
    try:
        pair_id, left_id, right_id, selection = _serializer().loads(offer, max_age=MAX_AGE_SECONDS)
    except (BadSignature, ValueError):
        return
    rating.adopt(
        session,
        profile=profile,
        pair_id=UUID(pair_id),
        left_id=left_id,
        right_id=right_id,
        selection=selection,
    )


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(get_settings().secret_key, salt="offer")
