"""Image bytes by key: a local folder, or S3 through obstore."""

from functools import lru_cache

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, ObjectStore, from_url

from app.config import Settings, get_settings
from app.errors import NotFound, Unavailable


class Storage:
    """A store of immutable objects. A write is whole or absent: local files are written aside and renamed."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def put(self, key: str, data: bytes, *, content_type: str) -> None:
        """Store `data` under `key`, replacing what was there. Raises Unavailable when the store refuses."""
        try:
            if isinstance(self._store, LocalStore):
                obstore.put(self._store, key, data)
            else:
                obstore.put(self._store, key, data, attributes={"Content-Type": content_type})
        except (BaseError, OSError) as error:
            raise Unavailable("The image store refused a write; is its disk full?", key=key) from error

    def get(self, key: str) -> bytes:
        """The bytes under `key`. Raises NotFound."""
        try:
            return bytes(obstore.get(self._store, key).bytes())
        except (NotFoundError, FileNotFoundError) as error:
            raise NotFound("This image's file is gone.", key=key) from error
        except (BaseError, OSError) as error:
            raise Unavailable("The image store cannot be read at the moment.", key=key) from error

    def delete(self, *keys: str) -> None:
        """Remove `keys`; those already gone are no error."""
        for key in keys:
            try:
                obstore.delete(self._store, key)
            except (NotFoundError, FileNotFoundError):
                continue


def make_storage(settings: Settings) -> Storage:
    """The storage that `settings` names, or else the folder `images` under its home."""
    if settings.storage_url is None:
        folder = settings.home / "images"
        folder.mkdir(parents=True, exist_ok=True)
        return Storage(LocalStore(prefix=str(folder), mkdir=True))
    return Storage(from_url(settings.storage_url))


@lru_cache
def get_storage() -> Storage:
    """The process's storage."""
    return make_storage(get_settings())
