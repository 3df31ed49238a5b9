"""A model is added from a folder, and then paints a personalised job that the page asked for."""

import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image as Pil
from sqlalchemy import Engine
from sqlmodel import Session

from app.config import Settings
from app.main import create_app
from app.models import JobImage, Person
from tests.web.conftest import Browser
from tests.web.jobs import newest_job
from tests.worker import families, tiny
from tests.worker.conftest import Worker, forget, wait_for_state
from tests.worker.forking import Zygote
from tests.worker.tastes import store_code

PRESETS = f"""
[mine]
title = "A model of one's own"
licence = "A licence to accept"
encoder = "{tiny.ENCODER}"
sizes = [[64, 64], [96, 64]]
steps = 3
guidance = 5.0

[mine.adapter]
file = "ip-adapter_sd15_light.safetensors"

[[mine.sources]]
repo = "somebody/model"
files = ["*"]
"""


@pytest.fixture
def site(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """A browser on an installation whose own model is not added yet."""
    (tmp_path / "presets.toml").write_text(PRESETS)
    for name, value in {
        "PRESETS": str(tmp_path / "presets.toml"),
        "MODELS": str(tmp_path / "models"),
        "TORCH_THREADS": "1",
        "DEVICE": "cpu",
    }.items():
        monkeypatch.setenv(f"PENCHANT_{name}", value)
    forget()
    with TestClient(create_app(), follow_redirects=False) as client:
        yield Browser(client)
    forget()


@pytest.fixture
def worker(site: Browser, zygote: Zygote, tmp_path: Path) -> Iterator[Worker]:
    """A process that renders the added model, started when it is there."""
    folder = families.build("sd15", tmp_path / "brought")
    command = [sys.executable, "-m", "app.cli", "models", "add", "mine", "--from", str(folder)]
    done = subprocess.run(
        [*command, "--accept-licence"],
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    log = tmp_path / "worker.log"
    worker = Worker(zygote.fork(log, "--preset", "mine"), log)
    yield worker
    worker.end()


def test_a_model_that_is_not_installed_shows_as_such(site: Browser) -> None:
    page = site.get("/create").text
    assert '<option value="mine" disabled>mine (not installed)</option>' in page
    assert "A model of one&#39;s own (not installed)" in site.get("/settings").text
    answer = site.post("/jobs", {"prompt": "a cat --model mine"})
    assert answer.status_code == 422
    assert "`penchant models add mine`" in answer.text
    assert site.post("/settings", {"stylize": "100", "model": "mine"}).status_code == 422


@pytest.mark.timeout(240)
def test_an_added_model_paints_a_personalised_job(
    site: Browser, engine: Engine, session: Session, worker: Worker
) -> None:
    lender = Person()
    session.add(lender)
    session.commit()
    code = store_code(session, lender, visibility="public")
    assert '<option value="mine">mine' in site.get("/create").text
    made = []
    for more in ("", f" --p {code} --s 0", f" --p {code} --s 1000"):
        site.get("/create")
        answer = site.post("/jobs", {"prompt": f"a lighthouse --model mine --seed 3 --n 1{more}"})
        assert answer.status_code == 303, answer.text
        job = newest_job(session)
        assert wait_for_state(engine, job.id, "done", "failed", seconds=110, worker=worker).state == "done"
        image = re.findall(r'href="/images/(\d+)"', site.get(answer.headers["location"]).text)[0]
        file = site.get(f"/images/{image}/download?format=png")
        session.expire_all()
        made.append((session.get_one(JobImage, (job.id, 0)).details["scale"], pixels(file.content)))
    (_, plain), (zero, same), (scale, personal) = made
    assert np.array_equal(plain, same)
    assert zero == 0
    assert scale > 0
    assert not np.array_equal(plain, personal)


def pixels(data: bytes) -> np.ndarray:
    with Pil.open(io.BytesIO(data)) as picture:
        return np.asarray(picture.convert("RGB"))
