"""Jobs as a worker leaves them, without a worker: through its own services, with plain pictures."""

import hashlib

import numpy as np
from sqlmodel import Session, col, select

from app.models import Job
from app.safety import Label, Verdict
from app.services import joblife
from app.services.joblife import Claim, SlotImage
from app.storage import get_storage
from tests.gallery import DIMENSION, ENCODER, TEXT
from tests.web.conftest import picture_bytes


def newest_job(session: Session) -> Job:
    """The job submitted last."""
    return session.exec(select(Job).order_by(col(Job.created_at).desc()).limit(1)).one()


def paint(session: Session, *, slots: int, label: Label = "safe") -> Claim:
    """Claim the job that waits longest and store pictures in so many of its slots; it stays running."""
    claim = joblife.claim(session, preset="starter", worker="a test")
    assert claim is not None
    joblife.store(session, claim=claim, images=[_slot(claim, number, label) for number in range(slots)])
    session.commit()
    return claim


def finish(session: Session, *, slots: int, label: Label = "safe") -> Claim:
    """Paint the job that waits longest to its end."""
    claim = paint(session, slots=slots, label=label)
    joblife.finish(session, claim=claim)
    session.commit()
    return claim


def _slot(claim: Claim, number: int, label: Label) -> SlotImage:
    key, thumbnail = joblife.storage_keys(claim.job_id, number)
    data = picture_bytes((200, 40 * number, 90))
    for name in (key, thumbnail):
        get_storage().put(name, data, content_type="image/webp")
    return SlotImage(
        slot=number,
        seed=claim.spec["seed"] + number,
        key=key,
        thumbnail_key=thumbnail,
        sha256=hashlib.sha256(data + key.encode()).digest(),
        width=128,
        height=128,
        encoder=ENCODER,
        image_vector=np.ones(DIMENSION, np.float32),
        text_vector=np.ones(TEXT, np.float32),
        verdict=Verdict(label, 0.5),
    )
