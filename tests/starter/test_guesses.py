"""What the decoder learns from: drawings' latents, disturbed by chance or guessed by the denoiser."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from starter import (
    critic,
    dataset,
    guesses,
    inventions,
    latents,
    loop,
    restore,
    sampler,
    text,
    unet,
    vae,
)
from starter.attributes import from_codes


def test_disturbed_latents_keep_their_layout_and_the_numbers_of_places() -> None:
    generator = torch.Generator().manual_seed(1)
    z = torch.randn(200, latents.CHANNELS, 4, 4, generator=generator)
    off = (vae.disturbed(z, generator) - z).square().mean((0, 2, 3)).sqrt()
    straying = off[latents.COLOURS].mean()
    assert max(off[: latents.LAYOUT].max(), off[latents.COLOURS.stop :].max()) < vae.NOISE
    assert off[latents.CODE].max() < straying
    assert straying > 2 * off[: latents.LAYOUT].mean()


def test_a_guess_is_still_the_drawing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (dataset, text):
        monkeypatch.setattr(module, "RUNS", tmp_path)
    restore.build(runs=tmp_path)
    where = dataset.home(dataset.SQUARE)
    dataset.build_size(where, dataset.SQUARE, 6, 81_000_000, 1)
    pictures, known = dataset.load(), load_file(tmp_path / latents.FILE)
    exact = np.stack([
        latents.latents(from_codes(row), 81_000_000 + i, pictures.images[i], known)
        for i, row in enumerate(pictures.codes)
    ])  # fmt: skip
    np.save(where / "latents.npy", exact)
    model = unet.build()
    model.load_state_dict(torch.load(tmp_path / "unet.start.pt", weights_only=True))
    made = guesses.again(model, np.arange(6), 2, np.random.default_rng(0)).astype(np.float32)
    assert made.shape == exact.shape
    coarse = np.concatenate([made, exact])[:, 0].reshape(12, -1)
    alike = np.corrcoef(coarse)[:6, 6:]
    assert (alike.argmax(1) == np.arange(6)).all()
    assert guesses.LAST < sampler.STEPS


def test_lots_are_guessed_invented_or_drawn(runs: Path) -> None:
    pictures, exact = dataset.load(), vae.exact_latents()
    which = np.arange(0, len(pictures), 2)
    guesses.keep(which, exact[which] + np.float16(1))
    generator, pick = torch.Generator().manual_seed(0), vae.often()
    lots = [pick(3, generator) for _ in range(120)]
    invented = [lot for lot in lots if lot.free]
    assert np.isclose(len(invented) / len(lots), vae.INVENTED, atol=0.15)
    known = inventions.known()
    ends = known.states[:, -1].astype(np.float32)
    media = {end.tobytes(): codes[1] for end, codes in zip(ends, known.codes, strict=True)}
    for lot in invented:
        for index, z in zip(lot.index, lot.z.numpy(), strict=True):
            assert pictures.codes[index, 1] == media[z.tobytes()]
    guessed = [lot for lot in lots if not lot.free and np.allclose(lot.z, exact[lot.index] + np.float16(1))]
    assert np.isclose(len(guessed) / len(lots), vae.GUESSED, atol=0.15)
    assert all(index % 2 == 0 for lot in guessed for index in lot.index)


def test_a_decoder_is_painted_on_without_a_picture_to_compare_with(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = vae.exact_latents()
    guesses.keep(np.arange(len(exact)), exact)
    torch.save(critic.Critic().state_dict(), runs / "critic.final.pt")
    monkeypatch.setattr(vae, "PRACTICE", 8)
    before = vae.trained()
    vae.train_repaint(loop.Budget(8))
    after = vae.trained()
    assert not torch.equal(after.decoder.conv_out.weight, before.decoder.conv_out.weight)
    assert all(torch.isfinite(value).all() for value in after.state_dict().values())
    assert torch.equal(after.encoder.conv_in.weight, before.encoder.conv_in.weight)
    lessons = torch.load(runs / "practice.pt", weights_only=True)
    assert lessons["step"] * 8 == 8, "a new discriminator first learns alone"
    kept = torch.load(runs / "repaint.final.pt", weights_only=True)
    moved = [key for key, value in lessons["average"].items() if not torch.equal(value, kept[vae.OWN + key])]
    assert moved, "and goes on from there"
