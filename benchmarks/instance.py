"""A whole Penchant in a temporary home, for the benchmarks that measure a running one."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.cli.supervisor import Addresses, instance_running
from app.config import Settings


@contextmanager
def temporary_instance(*, workers: int) -> Iterator[Addresses]:
    """Penchant on free ports with `workers` workers, its data thrown away afterwards."""
    with tempfile.TemporaryDirectory(prefix="penchant-bench-") as home:
        settings = Settings(home=Path(home), port=0, database_url=None, redis_url=None, storage_url=None)
        with instance_running(settings, workers=workers) as (_, addresses):
            yield addresses
