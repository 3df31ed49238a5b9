"""Where the instance is that a command works on."""

import os

from app.cli import instance
from app.config import Settings, get_settings


def connected_settings(settings: Settings) -> Settings:
    """The settings with the addresses of the instance that runs on this machine, where none are set."""
    if settings.database_url and settings.redis_url:
        return settings
    state = instance.running_or_error(settings.home)
    for name in ("database_url", "redis_url"):
        os.environ[f"PENCHANT_{name.upper()}"] = state[name]
    get_settings.cache_clear()
    return get_settings()
