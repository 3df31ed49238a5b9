"""Sharpening: what is judged, who learns from which loss, and that a denoiser can be trained so."""

from pathlib import Path

import numpy as np
import pytest
import torch

from starter import dataset, guesses, latents, look, loop, sharpen, unet
from starter.attributes import TOLD, from_codes
from starter.conditions import Alike
from starter.sharpen import Discriminator, doubt, lesson


def test_doubt_moves_the_guess_and_the_lesson_the_discriminator() -> None:
    torch.manual_seed(0)
    judge, told = Discriminator(), torch.tensor([[0, 3, 2, 1], [5, sharpen.UNTOLD, -1, -1]])
    guessed = torch.rand(2, latents.CHANNELS, 16, 24, requires_grad=True)
    drawn = torch.rand(2, latents.CHANNELS, 16, 24)
    doubt(judge, guessed, drawn, told).backward()
    assert guessed.grad is not None
    moved = guessed.grad.abs().sum((0, 2, 3)) > 0
    assert moved.nonzero()[:, 0].tolist() == list(range(sharpen.SEEN.stop))
    assert all(value.grad is None for value in judge.parameters())
    guessed.grad = None
    lesson(judge, guessed, drawn, told, held=True).backward()
    assert guessed.grad is None
    assert all(value.grad is not None for value in judge.parameters())


def test_the_discriminator_learns_shapes_from_their_mean_and_one_subject_from_another() -> None:
    torch.manual_seed(0)
    judge = Discriminator()
    optimizer = torch.optim.AdamW(judge.parameters(), lr=1e-3)
    across = torch.ones(latents.CHANNELS, 16, 16)
    across[:, ::4] = -1
    shapes, told = torch.stack([across, across.mT]), torch.tensor([[1, 0, 0, 0], [2, 0, 0, 0]])
    mean = shapes.mean(0).expand_as(shapes)
    for _ in range(60):
        optimizer.zero_grad()
        (lesson(judge, mean, shapes, told, held=False)
         + lesson(judge, shapes.flip(0), shapes, told, held=True)).backward()  # fmt: skip
        optimizer.step()
    right, wrong, blurred = (judge(x, told).mean(1) for x in (shapes, shapes.flip(0), mean))
    assert (right > wrong).all()
    assert (right > blurred).all()


def test_half_is_a_drawing_under_noise_and_half_an_invention(runs: Path) -> None:
    pictures = unet.bucket(dataset.SQUARE)
    lessons = sharpen.Lessons(pictures, Alike(np.load(runs / "256x256" / "embeddings.npy"), pictures.codes))
    rng, generator = np.random.default_rng(1), torch.Generator().manual_seed(1)
    judged = lessons.draw(6, False, rng, generator)
    assert judged.covered.tolist() == [1, 1, 1, 0, 0, 0]
    assert set(judged.times.tolist()) <= set(guesses.times()[-3:].tolist())
    invented = {caption: number for number, caption in enumerate(lessons.invented.captions)}
    for at in (3, 4, 5):
        codes = lessons.invented.codes[invented[judged.captions[at]]]
        assert judged.told[at].tolist() == codes[: len(TOLD)].tolist()
        known = torch.from_numpy(look.code(from_codes(codes)))
        assert torch.equal(judged.known[at, : look.CODE, 3, 5], known)
    # Drawings hold exactly what their captions decide.
    assert (judged.drawn[:3, sharpen.SAID] - judged.known[:3]).abs().max() < 2e-3
    adapted = lessons.draw(6, True, rng, generator)
    assert adapted.covered.all()
    assert (adapted.told[:, 1:] == sharpen.UNTOLD).all()
    assert not adapted.sure.any()
    assert adapted.embeddings.abs().sum(1).all()


def test_a_denoiser_is_sharpened_and_taken_for_the_trained_one(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharpen, "PLAIN", 2)
    monkeypatch.setattr(sharpen, "SHARP", 4)
    before = unet.trained()
    sharpen.train(loop.Budget(8))
    after = unet.trained()
    assert after.keys() == before.keys()
    assert all(torch.isfinite(value).all() for value in after.values())
    assert not torch.equal(after["conv_out.weight"], before["conv_out.weight"])
    assert (runs / "sharpen.final.pt").exists()
