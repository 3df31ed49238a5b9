"""The commands. Each prints a sentence and exits 1 when it cannot do what it was asked."""

import logging
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.logging import RichHandler
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from app.cli import doctor as doctor_module
from app.cli import supervisor
from app.cli.addresses import connected_settings
from app.cli.cards import find_cards
from app.cli.client import Client, connect
from app.cli.models import models
from app.cli.taste import taste
from app.config import Settings
from app.db import make_engine, session_scope, upgrade
from app.errors import PenchantError
from app.services import gallery
from app.storage import make_storage

cli = typer.Typer(
    help="Penchant: an image studio that learns one person's taste.",
    no_args_is_help=True,
    add_completion=False,
)
cli.add_typer(models, name="models")
cli.add_typer(taste, name="taste")
console = Console(highlight=False)
errors = Console(stderr=True, highlight=False, markup=False)
UrlOption = Annotated[str | None, typer.Option("--url", envvar="PENCHANT_URL", help="a Penchant elsewhere")]
TokenOption = Annotated[
    str | None, typer.Option("--token", envvar="PENCHANT_TOKEN", help="a token from /settings")
]


@cli.command()
def up(
    port: Annotated[int | None, typer.Option(help="port of the web server; 0 takes a free one")] = None,
    host: Annotated[str | None, typer.Option(help="address to listen on")] = None,
    workers: Annotated[int, typer.Option(min=0, help="worker processes")] = 1,
    gpus: Annotated[
        str | None, typer.Option(help="one worker for each of these cards: all, or numbers as in 0,1")
    ] = None,
) -> None:
    """Start everything on this machine: database, broker, web server, workers."""
    settings = Settings()
    settings = settings.model_copy(
        update={"port": settings.port if port is None else port, "host": host or settings.host}
    )
    _log_to_terminal(settings)
    cards = find_cards(gpus) if gpus is not None else []
    with supervisor.instance_running(settings, workers=workers, cards=cards) as (running, addresses):
        console.print(f"Penchant is ready at [bold]{addresses.web_url}[/bold]")
        console.print(f"Logs are in {supervisor.log_folder(settings.home)}. Ctrl-C stops it.", soft_wrap=True)
        running.watch(logging.getLogger("penchant"))
        console.print("Stopping.")


@cli.command()
def work(
    workers: Annotated[int, typer.Option(min=1, help="worker processes")] = 1,
    gpus: Annotated[
        str | None, typer.Option(help="one worker for each of these cards: all, or numbers as in 0,1")
    ] = None,
) -> None:
    """Start workers only: for a Penchant that runs here, or whose addresses the environment names."""
    settings = connected_settings(Settings())
    _log_to_terminal(settings)
    cards = find_cards(gpus) if gpus is not None else []
    with supervisor.workers_running(settings, workers=workers, cards=cards) as running:
        names = ", ".join(child.name for child in running.children)
        console.print(f"Started {names}. Ctrl-C stops them.")
        console.print(f"Logs are in {supervisor.log_folder(settings.home)}.", soft_wrap=True)
        running.watch(logging.getLogger("penchant"))
        console.print("Stopping.")


@cli.command()
def migrate() -> None:
    """Bring the database at PENCHANT_DATABASE_URL (or of the running instance) to the newest schema."""
    upgrade(connected_settings(Settings()).database)
    console.print("The database has the newest schema.")


@cli.command()
def seed(
    folder: Annotated[Path | None, typer.Argument(help="a folder of images of your own")] = None,
) -> None:
    """Load the gallery that comes with Penchant, or the images in FOLDER, into the gallery."""
    settings = connected_settings(Settings())
    engine = make_engine(settings.database, pool_size=1)
    storage = make_storage(settings)
    with session_scope(engine) as session:
        if folder is None:
            report = gallery.seed_gallery(session, storage=storage)
        else:
            report = gallery.add_folder(session, folder=folder, storage=storage)
    engine.dispose()
    for name, reason in report.skipped:
        errors.print(f"skipped {name}: {reason}")
    console.print(f"{report.added} added, {report.present} already there, {len(report.skipped)} skipped.")


@cli.command()
def doctor() -> None:
    """Look at the installation and say what is wrong and what to do."""
    results = doctor_module.examine(Settings())
    for result in results:
        mark = "[green]ok[/green]  " if result.ok else "[red]bad[/red] "
        console.print(f"{mark} {result.name}: {result.says}", soft_wrap=True)
    if not all(result.ok for result in results):
        raise typer.Exit(1)


@cli.command()
def imagine(
    prompt: Annotated[list[str], typer.Argument(help="the prompt with its parameters")],
    output: Annotated[Path, typer.Option("--output", "-o", help="folder for the images")] = Path("."),
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """Render a prompt and download the images."""
    output.mkdir(parents=True, exist_ok=True)
    with connect(Settings().home, url, token) as client:
        jobs = client.imagine(" ".join(prompt))
        failed = [job for job in _render(client, jobs) if not _download(client, job, output)]
    if failed:
        raise typer.Exit(1)


@cli.command()
def info(url: UrlOption = None, token: TokenOption = None) -> None:
    """Rating count, unlock state, codes and running jobs."""
    with connect(Settings().home, url, token) as client:
        state = client.call("GET", "info")
    profile, codes = state["profile"], state["codes"]
    console.print(f"Ratings: {profile['rating_count']} of {profile['needed']}")
    console.print("Personalization is unlocked." if profile["unlocked"] else "Personalization is locked.")
    console.print(f"Running jobs: {len(state['running'])}")
    for space in state["spaces"]:
        if space["images"]:
            read = f"{space['embedded']} of {space['images']}"
            console.print(f"The gallery is being read for {', '.join(space['models'])}: {read} images.")
    if codes:
        table = Table("code", "learned from", "space", "visibility", "made")
        for code in codes:
            made = code["created_at"][:16]
            of = f"{code['image_count']} images" if code["image_count"] else f"{code['rating_count']} ratings"
            table.add_row(code["code"], of, code["encoder"], code["visibility"], made)
        console.print(table)


@cli.command()
def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="folder for the contact sheet")] = Path(
        "out"
    ),
    url: UrlOption = None,
) -> None:
    """Two simulated people with opposite tastes rate, render and borrow each other's code."""
    command = [sys.executable, "-m", "starter.demo", "--output", str(output)]
    if url:
        raise typer.Exit(subprocess.call([*command, "--url", url]))
    with tempfile.TemporaryDirectory(prefix="penchant-demo-") as home:
        settings = Settings(home=Path(home), port=0)
        with supervisor.instance_running(settings, workers=1) as (_, addresses):
            status = subprocess.call([*command, "--url", addresses.web_url])
    raise typer.Exit(status)


def main() -> None:
    """Entry point of the `penchant` command."""
    try:
        cli()
    except ValidationError as error:
        for problem in error.errors():
            name = "PENCHANT_" + "_".join(str(part) for part in problem["loc"]).upper()
            errors.print(f"{name}: {problem['msg']}" if problem["loc"] else problem["msg"])
        _fail()
    except PenchantError as error:
        errors.print(error.message, soft_wrap=True)
        _fail()


def _log_to_terminal(settings: Settings) -> None:
    handler = RichHandler(console=errors, show_path=False, show_time=False, show_level=False)
    logging.basicConfig(level=settings.log_level, format="%(message)s", handlers=[handler])
    for chatty in ("alembic", "httpx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _render(client: Client, jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Follow the jobs to their end under a progress bar; the jobs as they ended."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    ended = []
    with Progress(*columns, console=errors, disable=not errors.is_terminal) as progress:
        for job in jobs:
            if job.get("lacks"):
                errors.print(f"{job['prompt']}: it waits. {job['lacks']}", soft_wrap=True)
            bar = progress.add_task(job["prompt"][:50], total=None)
            for event in client.follow(job["id"]):
                progress.update(bar, completed=event.get("step", 0), total=event.get("steps"))
            progress.update(bar, completed=1, total=1)
            ended.append(client.call("GET", f"jobs/{job['id']}"))
    return ended


def _download(client: Client, job: dict[str, Any], output: Path) -> bool:
    if job["state"] != "done":
        errors.print(f"{job['prompt']}: {job['state']}. {job.get('error') or ''}")
        return False
    if job["error"]:
        errors.print(f"{job['prompt']}: {job['error']}", soft_wrap=True)
    for slot in job["images"]:
        name = output / f"{job['id'][:8]}-{slot['slot']}.webp"
        name.write_bytes(client.download(f"images/{slot['image']['id']}/file"))
        console.print(str(name), soft_wrap=True)
    return True


def _fail() -> NoReturn:
    raise SystemExit(1)
