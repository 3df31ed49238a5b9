"""The discriminator: who learns from which of its two losses, and that it can tell what it should."""

import torch

from starter import losses
from starter.attributes import MEDIA
from starter.discriminator import PAINTED, Discriminator, doubt, lesson


def test_doubt_moves_the_painter_and_the_lesson_the_discriminator() -> None:
    torch.manual_seed(0)
    judge, media = Discriminator(), torch.tensor([0, 3])
    made = torch.rand(2, 3, 64, 64, requires_grad=True)
    doubt(judge, made, media).backward()
    assert made.grad is not None
    assert made.grad.abs().sum() > 0
    assert all(value.grad is None for value in judge.parameters())
    made.grad = None
    lesson(judge, made, torch.rand(2, 3, 64, 64), media).backward()
    assert made.grad is None
    assert all(value.grad is not None for value in judge.parameters())


def test_it_answers_for_every_place_of_any_size() -> None:
    assert Discriminator()(torch.zeros(1, 3, 128, 256)).shape == (1, len(MEDIA) + 1, 8, 16)


def test_it_learns_to_tell_textures_and_what_is_none_of_them() -> None:
    torch.manual_seed(0)
    judge = Discriminator()
    optimizer = torch.optim.AdamW(judge.parameters(), lr=1e-3)
    across = torch.ones(3, 64, 64)
    across[:, ::4] = -1
    drawn, media = torch.stack([across, across.mT]), torch.tensor([1, 2])
    for _ in range(60):
        optimizer.zero_grad()
        lesson(judge, torch.randn(2, 3, 64, 64), drawn, media).backward()
        optimizer.step()
    told = judge(torch.cat([drawn, torch.randn(1, 3, 64, 64)])).mean((2, 3)).argmax(1)
    assert told.tolist() == [1, 2, PAINTED]


def test_its_pull_is_as_long_as_is_said_however_sure_it_is() -> None:
    made = torch.zeros(4, requires_grad=True)
    wanted, sure = torch.tensor([3.0, 0.0, 4.0, 0.0]), 1000 * torch.tensor([0.0, 1.0, 0.0, 0.0])
    loss = losses.pulled(made, (made * wanted).sum() + 7, (made * sure).sum(), 0.6)
    loss.backward()
    assert loss.item() == 7
    assert made.grad is not None
    assert torch.allclose(made.grad, wanted + torch.tensor([0.0, 0.6 * 5, 0.0, 0.0]))
