"""The training loop: a stopped and resumed run ends with the weights of an unbroken one."""

from pathlib import Path

import pytest
import torch
from torch import nn

from starter_v1 import loop


class Stopped(Exception):
    pass


def train(folder: Path, monkeypatch: pytest.MonkeyPatch, stop_at: int | None) -> dict[str, torch.Tensor]:
    monkeypatch.setattr(loop, "RUNS", folder)
    torch.manual_seed(0)
    module = nn.Linear(4, 1)
    steps = 0

    def loss_of(generator: torch.Generator) -> torch.Tensor:
        nonlocal steps
        if steps == stop_at:
            raise Stopped
        steps += 1
        x = torch.randn(8, 4, generator=generator)
        return (module(x) - x.sum(1, keepdim=True)).square().mean()

    return loop.fit(
        "line",
        module,
        loss_of,
        batch=8,
        lr=0.05,
        budget=loop.Budget(240),
        seed=3,
        warmup=2,
        every_seconds=0.0,
    )


def test_a_resumed_run_ends_like_an_unbroken_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = train(tmp_path / "whole", monkeypatch, None)
    with pytest.raises(Stopped):
        train(tmp_path / "broken", monkeypatch, 13)
    resumed = train(tmp_path / "broken", monkeypatch, None)
    for name, value in whole.items():
        assert torch.allclose(value, resumed[name], atol=1e-6), name


def test_the_rate_warms_up_and_ends_low() -> None:
    assert loop.rate(0.0, 0, 100) < 0.02
    assert loop.rate(0.1, 200, 100) > 0.9
    assert loop.rate(1.0, 900, 100) == pytest.approx(0.02)


def test_a_budget_ends_with_whichever_comes_first() -> None:
    assert loop.Budget(100, 10).used(50, 540) == pytest.approx(0.9)
    assert loop.Budget(100).used(100, 1e9) == 1.0
