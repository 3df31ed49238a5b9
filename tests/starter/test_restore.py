"""Training goes on from the committed weights: what is restored is what was exported."""

from pathlib import Path

import torch

from starter import export, restore, unet


def test_the_denoiser_and_its_adapter_come_back_as_they_were_exported(tmp_path: Path) -> None:
    restore.build(runs=tmp_path)
    state = torch.load(tmp_path / "unet.start.pt", weights_only=True)
    model = unet.build()
    model.load_state_dict(state)
    stored = restore.floats(export.WEIGHTS / Path(*export.ADAPTER))
    adapter = unet.adapter_state(model)
    for key, value in stored.items():
        part, name = key.split(".", 1)
        assert torch.equal(adapter[part][name], value), key
    assert (tmp_path / "tokenizer" / "vocab.json").exists()
