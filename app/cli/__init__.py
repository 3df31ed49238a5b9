"""The command line: `penchant up | imagine | info | seed | taste | migrate | doctor | demo`."""

from app.cli.main import main

__all__ = ["main"]
