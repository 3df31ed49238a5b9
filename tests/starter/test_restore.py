"""Training goes on from the committed weights: what is restored is what was exported."""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from starter import export, restore, unet, vae, vision


def test_what_is_committed_comes_back_and_loads(tmp_path: Path) -> None:
    restore.build(runs=tmp_path)
    vision.build().load_state_dict(torch.load(tmp_path / "vision.final.pt", weights_only=True))
    for half in vae.HALVES:
        vae.build().load_state_dict(torch.load(tmp_path / f"{half}.start.pt", weights_only=True))
    unet.build().load_state_dict(torch.load(tmp_path / "unet.start.pt", weights_only=True))
    assert (tmp_path / "tokenizer" / "vocab.json").exists()


def test_the_decoder_hears_the_light_in_training_as_before_export(tmp_path: Path) -> None:
    restore.build(runs=tmp_path)
    kept = load_file(export.WEIGHTS / restore.COMPRESSOR)
    again = vae.build()
    again.load_state_dict(torch.load(tmp_path / "decoder.final.pt", weights_only=True))
    shipped = vae.hear(again, vae.HEARD).state_dict()
    for key, value in kept.items():
        assert torch.equal(shipped[key], value.float()), key


def test_the_denoiser_and_its_adapter_come_back_as_they_were_exported(tmp_path: Path) -> None:
    model = unet.build()
    adapter = unet.adapter_state(model)
    bare = {key: value for key, value in model.state_dict().items() if "ip_adapter" not in key}
    plain = {k: v for k, v in bare.items() if ".processor." not in k and "encoder_hid_proj" not in k}
    for path in (tmp_path / restore.DENOISER, tmp_path / Path(*export.ADAPTER)):
        path.parent.mkdir(parents=True)
    save_file(plain, tmp_path / restore.DENOISER)
    flat = {f"{part}.{key}": v.detach().clone() for part, vs in adapter.items() for key, v in vs.items()}
    save_file(flat, tmp_path / Path(*export.ADAPTER))
    again = unet.build()
    again.load_state_dict(restore.joint(tmp_path))
    for key, value in model.state_dict().items():
        assert torch.equal(again.state_dict()[key], value), key
