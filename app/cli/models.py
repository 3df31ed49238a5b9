"""`penchant models`: which models there are, and their files."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
from rich.progress import Progress as Bars
from rich.table import Column, Table

from app.errors import NotFound, OperatorError
from app.presets import Preset, Source, load_presets
from app.weights import install
from app.weights.hub import ENDPOINT, Hub
from app.weights.manifest import Advance, Manifest

models = typer.Typer(help="Which models there are, and their files.", no_args_is_help=True)
console = Console(highlight=False, markup=False)
errors = Console(stderr=True, highlight=False, markup=False)
NameArgument = Annotated[str, typer.Argument(help="a model of `penchant models list`")]


@models.command("list")
def list_models() -> None:
    """All models: what is installed, and what adding the others takes."""
    table = Table(Column("model", no_wrap=True), "title", "installed", "download", "memory", "licence")
    for preset in load_presets().values():
        state = "no" if preset.missing else "yes"
        table.add_row(
            preset.name,
            preset.title,
            state,
            _gigabytes(preset.download_gb),
            _gigabytes(preset.memory_gb),
            preset.licence,
        )
    console.print(table)


@models.command()
def add(
    name: NameArgument,
    folder: Annotated[
        Path | None, typer.Option("--from", help="take the files from a folder; no network is used")
    ] = None,
    accept: Annotated[
        bool, typer.Option("--accept-licence", help="you have read the licence and accept it")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="replace the files that are installed")] = False,
) -> None:
    """Download a model, or copy it from a folder. An interrupted download goes on where it ended."""
    preset = _preset(name)
    install.check_addable(preset, again=again)
    _agree(preset, accept, folder)
    with _explained(), _Bars() as progress:
        if folder is not None:
            manifest = install.add_from_folder(preset, folder=folder, progress=progress, again=again)
        else:
            hub = Hub()
            try:
                manifest = install.add_from_hub(preset, hub=hub, progress=progress, again=again)
            finally:
                hub.close()
    _tell(preset, manifest)


@models.command()
def verify(name: NameArgument) -> None:
    """Check every byte of an installed model against what was added."""
    preset = _preset(name)
    if preset.missing:
        raise NotFound(f"The model {name} is not installed. Run `penchant models add {preset.missing[0]}`.")
    with _explained(), _Bars() as progress:
        install.verify_installed(preset, progress=progress)
    console.print(f"{name} is whole.")


@models.command()
def remove(
    name: NameArgument, yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False
) -> None:
    """Delete the files of a model that was added. Images made with it stay."""
    preset = _preset(name)
    if not yes and not typer.confirm(f"Delete {preset.own}?"):
        raise typer.Exit(1)
    with _explained():
        install.remove(preset, presets=load_presets().values())
    console.print(f"{name} is removed. Workers that have it loaded keep it until they end.")


class _Bars(Bars):
    """A bar a file, on the terminal only."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        super().__init__(*columns, console=errors, disable=not errors.is_terminal)

    def part(self, name: str, size: int) -> Advance:
        bar = self.add_task(name, total=size)
        return lambda count: self.advance(bar, count)


def _preset(name: str) -> Preset:
    presets = load_presets()
    if name not in presets:
        raise NotFound(
            f"There is no model {name}. There is: {', '.join(presets)}. To add one of your own, write a "
            f"table [{name}] into a presets file and name the file in PENCHANT_PRESETS."
        )
    return presets[name]


@contextmanager
def _explained() -> Iterator[None]:
    """What the disk refuses ends in a sentence."""
    try:
        yield
    except OSError as error:
        raise OperatorError(
            f"The files could not be written or read ({error}). Make room, or look who may read and write "
            "there, and run the command again: a download goes on where it ended."
        ) from error


def _agree(preset: Preset, accept: bool, folder: Path | None) -> None:
    """Show what is to be added and its licence, and have it accepted."""
    console.print(preset.title, style="bold")
    for source in preset.sources:
        console.print(f"  {source.repo} at {source.revision or 'its newest revision'}", soft_wrap=True)
    console.print(f"  Licence: {preset.licence}. Its text:", soft_wrap=True)
    for page in dict.fromkeys(_page(source) for source in preset.sources):
        console.print(f"    {page}", soft_wrap=True)
    if folder is None and preset.download_gb:
        console.print(f"  Download: about {preset.download_gb:g} GB")
    if preset.memory_gb:
        console.print(f"  Memory of the device: about {preset.memory_gb:g} GB")
    if preset.gated and folder is None:
        console.print(
            f"  Gated: accept its terms at {preset.gated} first, and set HF_TOKEN to a token of yours.",
            soft_wrap=True,
        )
    if accept:
        return
    if not sys.stdin.isatty():
        raise OperatorError(
            "Nobody is here to accept the licence. Read it, and run this again with --accept-licence."
        )
    if not typer.confirm("Do you accept this licence?"):
        raise typer.Exit(1)


def _page(source: Source) -> str:
    """Where a source's licence is read, as it was at the commit that is taken. A mirror has no such pages."""
    at = f"/tree/{source.revision}" if source.revision is not None else ""
    return f"{ENDPOINT}/{source.repo}{at}"


def _tell(preset: Preset, manifest: Manifest) -> None:
    for origin in manifest.origins:
        revision = f" at {origin.revision}" if origin.revision else ""
        console.print(f"Took {origin.repo}{revision}", soft_wrap=True)
    console.print(f"{preset.name} is installed: {len(manifest.files)} files in {preset.own}.", soft_wrap=True)
    if preset.lacks_preview:
        console.print(f"It lacks {preset.preview}, the decoder of previews: they cost more.", soft_wrap=True)
    console.print("Workers that switch load it when a job asks for it.", soft_wrap=True)
    console.print(f"A worker of its own: python -m worker.main --preset {preset.name}", soft_wrap=True)
    console.print(f"As this machine's default: PENCHANT_MODEL={preset.name} penchant up", soft_wrap=True)


def _gigabytes(size: float | None) -> str:
    return f"{size:g} GB" if size else ""
