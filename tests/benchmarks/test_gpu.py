"""The benchmark of devices, on a toy model."""

import pytest

from benchmarks.gpu import main


@pytest.mark.usefixtures("settings")
def test_the_tiny_run_prints_its_table(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--tiny", "--rounds", "1", "--steps", "2"])
    printed = capsys.readouterr().out
    assert "tiny, random weights, cpu, torch.float32, 64 x 64, 2 steps" in printed
    for row in ("8 together / one by one", "time with a taste / without", "load and first image"):
        assert f"| {row} |" in printed
