"""Which cards `penchant up --gpus` starts a worker for."""

from pathlib import Path

import pytest

from app.cli.cards import find_cards
from app.cli.supervisor import children_of
from app.config import Settings
from app.errors import OperatorError


@pytest.fixture(autouse=True)
def _no_cards(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))


def test_all_are_those_that_the_driver_lists(tmp_path: Path) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 0\necho 1\n")
    tool.chmod(0o755)
    assert find_cards("all") == ["0", "1"]


def test_all_are_no_more_than_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")
    assert find_cards("all") == ["2", "3"]


def test_cards_are_named_and_named_once() -> None:
    assert find_cards("0, 2") == ["0", "2"]
    for wrong in ("", "1,1"):
        with pytest.raises(OperatorError, match="--gpus"):
            find_cards(wrong)


def test_without_a_driver_it_says_what_to_do() -> None:
    with pytest.raises(OperatorError, match="Name them"):
        find_cards("all")


def test_each_card_has_a_worker_that_sees_no_other(settings: Settings) -> None:
    children = children_of(settings, {"A": "b"}, port=1, workers=1, cards=["0", "3"])
    assert [child.name for child in children] == ["web", "worker-1", "worker-2"]
    seen = [child.environment.get("CUDA_VISIBLE_DEVICES") for child in children]
    assert seen == [None, "0", "3"]
    assert all(child.environment["A"] == "b" for child in children)
    assert len(children_of(settings, {}, port=1, workers=3)) == 4
