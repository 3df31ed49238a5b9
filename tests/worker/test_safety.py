"""The safety classifier on every output, and what the policy makes of it, on real services.

No unsafe picture is kept here: the tests move the threshold below what the classifier says of harmless ones.
"""

import json

import numpy as np
import pytest
from PIL import Image as Picture
from sqlalchemy import Engine, select
from sqlmodel import Session, col

from app.config import Settings
from app.models import Image, JobImage, Person
from app.safety import verdict
from app.services.gallery import SHIPPED
from tests.worker.conftest import imagine, job_of
from tests.worker.test_runner import files, run
from worker.pipelines import Model
from worker.safety import get_classifier
from worker.storing import ALL_BLOCKED


def posters(count: int) -> list[Picture.Image]:
    lines = (SHIPPED / "index.jsonl").read_text("utf-8").splitlines()[:count]
    return [Picture.open(SHIPPED / json.loads(line)["file"]).convert("RGB") for line in lines]


def scores(session: Session) -> list[float]:
    """Of the images stored, in the order of their slots."""
    rows = select(col(Image.safety_score)).join(JobImage, col(JobImage.image_id) == col(Image.id))
    return [score for score in session.scalars(rows.order_by(col(JobImage.slot))) if score is not None]


@pytest.mark.usefixtures("studio")
def test_scores_have_three_names() -> None:
    names = [verdict(score).label for score in (0.0, 0.199, 0.2, 0.799, 0.8, 1.0)]
    assert names == ["safe", "safe", "questionable", "questionable", "unsafe", "unsafe"]


@pytest.mark.usefixtures("studio")
def test_posters_are_safe_and_their_previews_stay_as_they_are() -> None:
    pictures = posters(2)
    seen = get_classifier().look(pictures)
    assert [one.label for one in seen] == ["safe", "safe"]
    assert 0.0 <= seen[0].score != seen[1].score < 0.2
    assert get_classifier().previews(pictures) == pictures
    assert get_classifier().look([]) == []


def test_a_preview_of_what_may_be_unsafe_shows_nothing(
    studio: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(studio, "safety_threshold", 0.0)
    (picture,) = posters(1)
    (preview,) = get_classifier().previews([picture])
    assert preview.size == picture.size
    edge, kept = (np.abs(np.diff(np.asarray(one, dtype=float), axis=1)).max() for one in (picture, preview))
    assert kept < edge / 4


def test_every_output_has_its_label_and_some_may_be_blocked(
    engine: Engine,
    session: Session,
    person: Person,
    model: Model,
    studio: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = imagine(engine, person, "a cat --n 4 --seed 5")
    run(engine, model)
    assert job_of(engine, whole).error is None
    labels = session.scalars(select(col(Image.safety))).all()
    assert labels == [verdict(score).label for score in scores(session)]
    low, high = sorted(scores(session))[1:3]
    assert 0.0 < low < high < 1.0
    session.rollback()
    monkeypatch.setattr(studio, "safety", "block")
    monkeypatch.setattr(studio, "safety_threshold", (low + high) / 2)
    partly = imagine(engine, person, "a cat --n 4 --seed 5")
    run(engine, model)
    job = job_of(engine, partly)
    assert (job.state, job.error_code) == ("done", "blocked")
    assert str(job.error).startswith("2 of 4 images are missing")
    kept = select(JobImage).where(col(JobImage.job_id) == partly)
    assert len(session.scalars(kept).all()) == 2
    assert sum(str(partly) in name for name in files()) == 2


def test_a_job_whose_every_image_is_blocked_fails_and_says_why(
    engine: Engine,
    session: Session,
    person: Person,
    model: Model,
    studio: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(studio, "safety", "block")
    monkeypatch.setattr(studio, "safety_threshold", 0.0)
    job_id = imagine(engine, person, "a cat --n 2")
    run(engine, model)
    job = job_of(engine, job_id)
    assert (job.state, job.error_code, job.error) == ("failed", "blocked", ALL_BLOCKED)
    assert session.scalars(select(Image)).all() == []
    assert files() == set()
