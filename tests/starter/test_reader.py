"""What the reader holds against the denoiser's guesses."""

import torch

from starter import losses, reader
from starter.attributes import NAMES, balanced


def found(share: float, made: torch.Tensor, x: torch.Tensor) -> losses.Guess:
    return losses.Guess(x, made, torch.full((len(x),), share))


def held(seer: reader.Reader, guess: losses.Guess, said: bool) -> torch.Tensor:
    codes = torch.from_numpy(balanced(len(guess.x), 3).astype("int64"))
    return losses.unread(seer, guess, codes, torch.full((len(codes), len(NAMES)), said))


def test_the_picture_itself_is_held_nothing_against_and_noise_is() -> None:
    torch.manual_seed(1)
    seer = reader.Reader().eval()
    x = torch.randn(6, 8, 32, 32)
    assert held(seer, found(0.6, x, x), True).abs().max() < 1e-4
    assert held(seer, found(0.6, torch.zeros_like(x), x), True).min() > 1e-3


def test_what_is_not_said_counts_only_where_it_can_be_seen() -> None:
    torch.manual_seed(1)
    seer = reader.Reader().eval()
    x, made = torch.randn(2, 6, 8, 32, 32)
    silent, said = (held(seer, found(0.95, made, x), told) for told in (False, True))
    assert silent.abs().max() == 0  # at this noise features do not count either
    assert said.max() > 0
    clear = [held(seer, found(0.4, made, x), told) for told in (False, True)]
    assert torch.allclose(*clear)


def test_any_size_can_be_read() -> None:
    features, logits = reader.Reader()(torch.randn(2, 8, 24, 36))
    assert [f.shape[-2:] for f in features] == [(12, 18), (6, 9), (3, 5)]
    assert [out.shape for out in logits] == [(2, len(names)) for names in NAMES.values()]
