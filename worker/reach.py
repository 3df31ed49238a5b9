"""Which models a worker can load, and why not others."""

import logging
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from app.errors import DoesNotFit
from app.presets import Preset, installed, load_presets
from app.services.events import Events

log = logging.getLogger(__name__)

ALL = "all"
LEFT_ALONE_SECONDS = 600.0  # a model that could not be loaded, or killed the process
ADVICE = "Choose another with --model, or try again in ten minutes."


class Reach:
    """The presets that this worker may load: `also`, or every installed one where that says `all`.

    A preset that could not be loaded is left alone for a while by every worker of the same machine and
    card: `place` outlives the process. `memory` is the card's, in bytes; None where nothing is known of it.
    """

    def __init__(self, events: Events, also: Sequence[str], *, device: str, memory: int | None) -> None:
        self._events = events
        self._also = also
        self._place = f"{socket.gethostname()}/{device}/{os.environ.get('CUDA_VISIBLE_DEVICES', '')}"
        self._memory = memory

    def names(self) -> list[str]:
        """The presets it may load, as they are installed now."""
        return [name for name in installed() if ALL in self._also or name in self._also]

    def refused(self, names: Sequence[str]) -> dict[str, str]:
        """Why it loads those of the presets that it does not."""
        presets = load_presets()
        large = {name: why for name in names if (why := too_large(presets[name], self._memory)) is not None}
        return {**self._events.refused(self._place, names), **large}

    def offered(self) -> list[str]:
        """The presets that it would load if jobs waited for them."""
        names = self.names()
        refused = self.refused(names)
        return [name for name in names if name not in refused]

    def killed(self, preset: str) -> int:
        """How often in a row loading the preset killed the process here, of late."""
        return self._events.attempts(self._place, preset)

    @contextmanager
    def trying(self, preset: str) -> Iterator[None]:
        """The preset is loaded inside the block; where that fails, or kills the process, it is left alone
        for a while."""
        died = f"A worker died while it loaded the model {preset}. {ADVICE}"
        self._events.attempt(self._place, preset, died, seconds=LEFT_ALONE_SECONDS)
        try:
            yield
        except Exception as error:
            log.warning("%s is left alone for %.0f s: %s", preset, LEFT_ALONE_SECONDS, error)
            self._events.refuse(self._place, preset, _why(preset, error), seconds=LEFT_ALONE_SECONDS)
            raise
        except BaseException:  # told to stop, which says nothing of the model
            self._events.forgive(self._place, preset)
            raise
        self._events.forgive(self._place, preset)


def too_large(preset: Preset, memory: int | None) -> str | None:
    """Why a card with so many bytes cannot hold the preset. None where it can, or where it is not known;
    what is offloaded need not fit as a whole."""
    if memory is None or preset.memory_gb is None or preset.offload or preset.memory_gb * 1e9 <= memory:
        return None
    return (
        f"The model {preset.name} needs about {preset.memory_gb:g} GB of a card's memory, and no worker has "
        "a card with so much. Choose another with --model."
    )


def _why(preset: str, error: Exception) -> str:
    """For the person whose job it was. What the files lack, and where they lie, is for the worker's log."""
    if isinstance(error, DoesNotFit):
        return f"The model {preset} needs more memory than the worker has. {ADVICE}"
    return (
        f"The model {preset} could not be loaded: its files cannot be used. The worker's log says what is "
        f"wrong with them. {ADVICE}"
    )
