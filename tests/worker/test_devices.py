"""What a device computes in. Only torch's answers are made up: no card is needed."""

import pytest
import torch

from worker.devices import pick_dtype
from worker.families import FAMILIES


@pytest.mark.parametrize(
    ("capability", "half", "expected"),
    [
        ((7, 5), torch.float16, torch.float16),
        ((7, 5), torch.bfloat16, torch.bfloat16),
        ((8, 0), torch.float16, torch.bfloat16),
        ((8, 9), torch.float16, torch.bfloat16),
        ((9, 0), torch.bfloat16, torch.bfloat16),
        ((12, 0), torch.float16, torch.bfloat16),
    ],
)
def test_a_card_computes_in_bfloat16_where_it_can(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], half: torch.dtype, expected: torch.dtype
) -> None:
    asked: list[str] = []

    def answer(device: str) -> tuple[int, int]:
        asked.append(device)
        return capability

    monkeypatch.setattr(torch.cuda, "get_device_capability", answer)
    assert pick_dtype("cuda:1", half) is expected
    assert asked == ["cuda:1"]


@pytest.mark.parametrize("pipeline", FAMILIES)
def test_without_a_card_none_is_asked(monkeypatch: pytest.MonkeyPatch, pipeline: str) -> None:
    """The CPU has full precision; what is neither has the family's half, whose weights may need its range."""

    def refuse(_device: str) -> None:
        raise AssertionError("there is no card to ask")

    monkeypatch.setattr(torch.cuda, "get_device_capability", refuse)
    half = FAMILIES[pipeline].half
    assert pick_dtype("cpu", half) is torch.float32
    assert pick_dtype("mps", half) is half
    transformers = ("StableDiffusion3Pipeline", "FluxPipeline")
    assert half is (torch.bfloat16 if pipeline in transformers else torch.float16)
