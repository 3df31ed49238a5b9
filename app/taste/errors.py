"""What can go wrong in the numerics.

TasteError
├── InvalidInput        wrong shape, not finite, out of range
├── NotConverged        the refit found no maximum within its iterations
├── CorruptTaste        bytes that are no taste, or not the taste they claim to be
├── InvalidSpace        a space file that cannot be read
└── IncompatibleTastes  tastes of different encoders or spaces, brought together
"""


class TasteError(Exception):
    """Root of everything this package raises on purpose."""


class InvalidInput(TasteError, ValueError):
    """An argument has the wrong shape, is not finite or is out of its range."""


class NotConverged(TasteError):
    """The refit did not reach a maximum."""


class CorruptTaste(TasteError, ValueError):
    """The bytes are no taste, or their checksum differs."""


class InvalidSpace(TasteError, ValueError):
    """The space file is unreadable or contradicts itself."""


class IncompatibleTastes(TasteError, ValueError):
    """Tastes or spaces of different encoders, versions or dimensions were combined."""
