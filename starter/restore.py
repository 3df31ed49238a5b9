"""Takes training up again on a machine where `runs/` is empty, and keeps what is not finished meanwhile.

Finished encoders are in `weights/`; the compressor and the denoiser are in `unfinished/` until they are good
enough to be exported beside them. Half precision costs them nothing that a few steps do not bring back.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from starter import alignment, export, latents, vae
from starter.dataset import RUNS

UNFINISHED = Path(__file__).parent / "unfinished"
PARTS = {
    "text": "text_encoder/model.safetensors",
    "vision": "image_encoder/model.safetensors",
}
COMPRESSOR, DENOISER = "compressor.safetensors", "denoiser.safetensors"


def floats(path: Path) -> dict[str, torch.Tensor]:
    return {name: value.float() for name, value in load_file(path).items()}


def build(finished: Path = export.WEIGHTS, unfinished: Path = UNFINISHED, runs: Path = RUNS) -> None:
    """Write to `runs` what the stages after the encoders need, and where the others go on from."""
    (runs / "tokenizer").mkdir(parents=True, exist_ok=True)
    for file in (finished / "tokenizer").iterdir():
        shutil.copy(file, runs / "tokenizer" / file.name)
    for name, path in PARTS.items():
        torch.save(floats(finished / path), runs / f"{name}.final.pt")
    maps = floats(finished / alignment.FILE)
    torch.save({f"{name}.weight": value for name, value in maps.items()}, runs / "aligner.final.pt")
    shutil.copy(unfinished / latents.FILE, runs / latents.FILE)
    compressor = floats(unfinished / COMPRESSOR)
    for name in vae.HALVES:
        torch.save(compressor, runs / f"{name}.start.pt")
        torch.save(compressor, runs / f"{name}.final.pt")
    torch.save(floats(unfinished / DENOISER), runs / "unet.start.pt")


def keep(unfinished: Path = UNFINISHED, runs: Path = RUNS) -> None:
    """Write what is not finished to `unfinished`, in half precision, so that `build` finds it again."""
    unfinished.mkdir(exist_ok=True)
    compressor: dict[str, torch.Tensor] = {}
    for name, own in vae.HALVES.items():
        half = torch.load(runs / f"{name}.final.pt", weights_only=True)
        compressor |= {key: value for key, value in half.items() if key.startswith(own)}
    denoiser = torch.load(runs / "unet.final.pt", weights_only=True)
    for name, state in ((COMPRESSOR, compressor), (DENOISER, denoiser)):
        save_file({key: value.half().contiguous() for key, value in state.items()}, unfinished / name)
    shutil.copy(runs / latents.FILE, unfinished / latents.FILE)
    for path in unfinished.glob("*.safetensors"):
        path.chmod(0o644)
