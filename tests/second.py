"""A second model for tests: an encoder of its own, which sees the first one's view turned round."""

import json
from pathlib import Path

import numpy as np
from sqlmodel import Session

from app.models import Embedding
from app.services import gallery
from tests.gallery import DIMENSION, ENCODER

NAME, SPACE = "second", "second-1"


def preset(folder: Path) -> str:
    """Its table of a presets file; nothing lies in `folder`."""
    return f"""
[{NAME}]
title = "Second"
licence = "Apache-2.0"
folder = {json.dumps(str(folder))}
encoder = "{SPACE}"
sizes = [[64, 64]]
steps = 4
guidance = 4.0
adapter = {{}}
"""


def read_gallery(session: Session, *, limit: int = 100) -> None:
    """Store what the second encoder sees in images that it has not seen, with some noise."""
    rng = np.random.default_rng(5)
    turn = np.linalg.qr(rng.standard_normal((DIMENSION, DIMENSION)))[0]
    for image in gallery.unembedded(session, encoder=SPACE, limit=limit):
        first = session.get_one(Embedding, (image.id, ENCODER))
        seen = np.asarray(first.image_vector) @ turn + 0.05 * rng.standard_normal(DIMENSION)
        gallery.store_embeddings(
            session,
            encoder=SPACE,
            image_ids=[image.id or 0],
            image_vectors=seen[None].astype(np.float32),
            text_vectors=[None],
        )
