"""`penchant taste`: what is learned from many people at once."""

import os
from typing import Annotated

import typer
from rich.console import Console

from app.cli.addresses import connected_settings
from app.config import Settings
from app.db import make_engine
from app.errors import Conflict
from app.services import population

taste = typer.Typer(help="What is learned from many people at once.", no_args_is_help=True)
console = Console(highlight=False)


@taste.callback()
def _group() -> None:
    """Keeps `refit` a word of its own while it is the only command."""


@taste.command()
def refit(
    due: Annotated[bool, typer.Option("--due", help="only when PENCHANT_RENEW_HOURS have passed")] = False,
) -> None:
    """Learn what people like on the whole again, from those who agreed, and say what came of it.

    It takes the place of the version in use only where it foretells people better. Codes stay as they are.
    It can be stopped at any moment.
    """
    if due:
        os.nice(10)  # ratings and images come first
    engine = make_engine(connected_settings(Settings()).database, pool_size=2)
    try:
        report = population.renew(engine, only_if_due=due)
    finally:
        engine.dispose()
    if report.outcome == "busy" and not due:
        raise Conflict(report.says)
    console.print(report.says, soft_wrap=True)
