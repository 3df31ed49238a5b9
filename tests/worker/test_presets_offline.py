"""Nothing but `penchant models add` asks a hub: no import, no loading of a preset, no job.

It is seen from a process of its own, with HF_ENDPOINT at a hub on this machine: the libraries read that when
they are imported.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import save_file
from sqlalchemy import Engine
from sqlmodel import Session

from app.config import REPOSITORY, Settings
from app.models import Person
from tests.weights.hub import LocalHub, Repository, serve
from tests.worker import families, single_file
from tests.worker.conftest import forget, imagine, job_of

PRESETS = f"""{families.WHOLE}
[with-lora]
title = "With a LoRA"
base = "whole"
loras = [{{file = "lora.safetensors", weight = 0.5}}]

[single]
title = "A single file"
base = "whole"
checkpoint = "single.safetensors"
"""
ASK = """
from contextlib import suppress
from huggingface_hub import hf_hub_download
with suppress(OSError):
    hf_hub_download("somebody/model", "model_index.json")
"""
NAMES = ("whole", "with-lora", "single")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    """A hub on this machine, where the libraries would ask."""
    with serve() as hub:
        hub.repositories["somebody/model"] = Repository({"model_index.json": b"{}"})
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        monkeypatch.delenv("TRANSFORMERS_OFFLINE", raising=False)
        yield hub


@pytest.fixture
def presets(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A presets file with a tiny model whole, with a LoRA, and from a single file; the libraries' caches are
    empty."""
    torch.set_num_threads(1)
    folder = families.build("sd15", tmp_path / "sd15")
    pipeline = StableDiffusionPipeline.from_pretrained(folder, local_files_only=True, image_encoder=None)
    single_file.write(pipeline, tmp_path / "single.safetensors")
    name = "unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q"
    size = pipeline.unet.get_submodule(name.removeprefix("unet.")).weight.shape[0]
    tensors = {f"{name}.lora_A.weight": torch.ones(2, size), f"{name}.lora_B.weight": torch.ones(size, 2)}
    save_file(tensors, tmp_path / "lora.safetensors")
    path = tmp_path / "presets.toml"
    path.write_text(PRESETS)
    for variable, value in {
        "PENCHANT_PRESETS": str(path),
        "PENCHANT_MODEL": "whole",
        "HF_HOME": str(tmp_path / "cache"),
    }.items():
        monkeypatch.setenv(variable, value)
    forget()
    yield path
    forget()


def python(*arguments: str) -> str:
    """What a fresh interpreter prints."""
    ran = subprocess.run(
        [sys.executable, *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.timeout(300)  # it imports everything anew
def test_no_import_no_preset_and_no_job_asks_a_hub(
    engine: Engine, session: Session, presets: Path, hub: LocalHub
) -> None:
    person = Person()
    session.add(person)
    session.commit()
    jobs = [imagine(engine, person, f"a cat --n 1 --model {name}") for name in NAMES]
    told = json.loads(python("-m", "tests.worker.offline", *NAMES).splitlines()[-1])
    assert [job_of(engine, job_id).state for job_id in jobs] == ["done"] * len(NAMES)
    assert hub.asked == []
    assert {"app.main", "app.weights.hub", "worker.main", "worker.loading"} < set(told["modules"])
    assert set(told["reached"]) <= {"127.0.0.1", "::1", "localhost"}
    # The same environment, and somebody who asks: it would have been seen.
    python("-c", ASK)
    assert any(path.startswith("/somebody/model/") for path, _, _ in hub.asked)
