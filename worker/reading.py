"""Reading the gallery: embedding the images that an encoder has not seen, as many at once as fit."""

import logging
from collections.abc import Sequence

import numpy as np
import torch
from PIL.Image import Image as Picture
from sqlalchemy import Engine

from app import images
from app.db import session_scope
from app.errors import PenchantError
from app.models import Image
from app.services import gallery, spaces
from app.storage import Storage
from worker.encoders import Vectors
from worker.memory import called_by_name, free, once_more
from worker.pipelines import Model

log = logging.getLogger(__name__)

Readable = tuple[Image, Picture]
Read = tuple[int, Vectors, Vectors | None]  # an image's id, its embedding (d,) and its prompt's (t,)


class Reading:
    """Reads for the encoder of one model."""

    def __init__(self, engine: Engine, storage: Storage, model: Model) -> None:
        self._engine = engine
        self._storage = storage
        self._model = model
        self._encoder = model.preset.encoder
        self._at_once = gallery.BATCH  # less once that was too much

    def read(self, after: int) -> None:
        """Embed one batch of the images beyond the id `after`, and ask to be called again for the rest; after
        the last, open the encoder's space if there is none yet.

        A picture that cannot be read, or that is too much for the device, is left out: it is never offered
        for rating.
        """
        with session_scope(self._engine) as session:  # as long as it lasts, no other worker takes the same
            rows = gallery.unembedded(session, encoder=self._encoder, after=after)
            found = self._embed([(row, picture) for row in rows if (picture := self._open(row)) is not None])
            if found:
                gallery.store_embeddings(
                    session,
                    encoder=self._encoder,
                    image_ids=[image_id for image_id, _, _ in found],
                    image_vectors=np.stack([vector for _, vector, _ in found]),
                    text_vectors=[text for _, _, text in found],
                )
        if rows and rows[-1].id is not None:
            gallery.wake_encoder(self._encoder, after=rows[-1].id)
        elif not rows:
            self._open_space()

    def _embed(self, readable: Sequence[Readable]) -> list[Read]:
        """What is seen in the images. Where the memory does not suffice, half as many are tried at once, down
        to one."""
        found: list[Read] = []
        while readable:
            part = readable[: self._at_once]
            read = self._try(part)
            if read is None and len(part) > 1:
                self._at_once = len(part) // 2
                log.warning("out of memory: from now on at most %d images are read at once", self._at_once)
                continue
            if read is None:
                log.error("image %s cannot be embedded: the device has too little memory", part[0][0].id)
            found += read or []
            readable = readable[len(part) :]
        return found

    def _try(self, part: Sequence[Readable]) -> list[Read] | None:
        """What is seen in a part of them; None where the memory does not suffice, for one image also when it
        is freed."""
        try:
            if len(part) > 1:
                with called_by_name():
                    return self._see(part)
            return once_more(self._model.device, lambda: self._see(part))
        except torch.OutOfMemoryError as error:
            log.warning("out of memory for %d images: %s", len(part), error)
        # Only here is the error gone, and with it what it held of the device.
        free(self._model.device)
        return None

    def _see(self, part: Sequence[Readable]) -> list[Read]:
        encoder = self._model.encoder
        texts = [encoder.texts([row.prompt])[0] if row.prompt else None for row, _ in part]
        vectors = encoder.images([picture for _, picture in part])
        ids = [row.id or 0 for row, _ in part]
        return list(zip(ids, vectors, texts, strict=True))

    def _open(self, row: Image) -> Picture | None:
        try:
            return images.decode(self._storage.get(row.key))
        except PenchantError as error:
            log.error("image %s cannot be embedded: %s", row.id, error)
            return None

    def _open_space(self) -> None:
        with session_scope(self._engine) as session:
            # Another worker may have the last batches still. It comes here after them, with all images.
            if gallery.being_read(session, encoder=self._encoder):
                return
            opened = spaces.open_space(session, encoder=self._encoder)
        if opened:
            log.info("the space of %s is open: every profile can be used in it", self._encoder)
