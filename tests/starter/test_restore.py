"""Training goes on from what is committed, and what is kept comes back as it was."""

import shutil
from pathlib import Path

import torch

from starter import export, restore, unet, vae, vision


def test_what_is_committed_comes_back_and_loads(tmp_path: Path) -> None:
    restore.build(runs=tmp_path)
    vision.build().load_state_dict(torch.load(tmp_path / "vision.final.pt", weights_only=True))
    for half in vae.HALVES:
        vae.build().load_state_dict(torch.load(tmp_path / f"{half}.start.pt", weights_only=True))
    unet.build().load_state_dict(torch.load(tmp_path / "unet.start.pt", weights_only=True))
    assert (tmp_path / "tokenizer" / "vocab.json").exists()


def test_what_is_kept_comes_back_as_it_was(tmp_path: Path) -> None:
    runs, unfinished = tmp_path / "runs", tmp_path / "unfinished"
    restore.build(runs=runs)
    whole = {name: value.half().float() for name, value in vae.build().state_dict().items()}
    for half, names in vae.HALVES.items():
        own = {key: value for key, value in whole.items() if key.startswith(names)}
        torch.save(own, runs / f"{half}.final.pt")
    denoiser = {name: value.half().float() for name, value in unet.build().state_dict().items()}
    torch.save(denoiser, runs / "unet.final.pt")
    restore.keep(unfinished, runs)
    shutil.rmtree(runs)
    restore.build(export.WEIGHTS, unfinished, runs)
    for path, wanted in (("decoder.start.pt", whole), ("unet.start.pt", denoiser)):
        found = torch.load(runs / path, weights_only=True)
        assert found.keys() == wanted.keys()
        assert all(torch.equal(found[name], value) for name, value in wanted.items())
