"""PostgreSQL with pgvector and Valkey from their wheels, for an installation on one machine."""

from app.embedded.errors import (
    AlreadyRunning,
    EmbeddedError,
    HomeUnusable,
    OldDataFolder,
    ServiceNotStarted,
    Unsupported,
)
from app.embedded.supervisor import Embedded, Endpoints

__all__ = [
    "AlreadyRunning",
    "Embedded",
    "EmbeddedError",
    "Endpoints",
    "HomeUnusable",
    "OldDataFolder",
    "ServiceNotStarted",
    "Unsupported",
]
