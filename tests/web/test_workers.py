"""What people and scripts see of the workers, and of a model that one loads."""

import time
from dataclasses import replace

from sqlmodel import Session

from app.cli import doctor
from app.config import Settings
from app.models import Person
from app.services import generation
from app.services.events import Events, get_events
from app.services.workers import Worker
from app.web.api.schemas import JobOut
from app.web.streams import _stands
from tests.web.conftest import Browser
from tests.web.jobs import newest_job

HTMX = {"HX-Request": "true"}
LOADER = Worker("studio:42", "starter", "NVIDIA <H200>", "loading", since=1_800_000_000.0, also=("sdxl",))


def test_tasks_shows_what_each_worker_holds_or_loads(visitor: Browser) -> None:
    assert "None is there, so jobs wait." in visitor.get("/tasks").text
    get_events().announce(LOADER, seconds=60)
    get_events().announce(Worker("studio:43", "sdxl", "cpu"), seconds=60)
    page = visitor.get("/tasks").text
    for words in (
        "NVIDIA &lt;H200&gt; · studio:42",
        'state running">loading',
        'state done">ready',
        "<b>sdxl</b>",
    ):
        assert words in page
    fragment = visitor.get("/tasks", headers=HTMX).text
    assert fragment.lstrip().startswith("<section")
    assert "studio:42" in fragment
    get_events().leave(LOADER)
    assert "studio:42" not in visitor.get("/tasks").text


def test_the_api_lists_the_workers(visitor: Browser) -> None:
    get_events().announce(LOADER, seconds=60)
    token = visitor.client.post("/api/v1/guests").json()["token"]
    answer = visitor.client.get("/api/v1/workers", headers={"Authorization": f"Bearer {token}"})
    assert answer.json() == {
        "items": [
            {
                "name": "studio:42",
                "model": "starter",
                "state": "loading",
                "since": "2027-01-15T08:00:00Z",
                "device": "NVIDIA <H200>",
                "also": ["sdxl"],
            }
        ],
        "broken": [],
    }
    assert visitor.client.get("/api/v1/workers").status_code == 401


def test_people_and_scripts_see_what_could_not_be_loaded(visitor: Browser, site: Settings) -> None:
    token = visitor.client.post("/api/v1/guests").json()["token"]
    events = get_events()
    assert "not loaded" not in visitor.get("/tasks").text
    for place in ("studio/cuda:0/", "studio/cuda:1/"):
        events.refuse(place, "sdxl", "Its <files> cannot be used.", seconds=60)
    page = visitor.get("/tasks", headers=HTMX).text
    assert page.count("Its &lt;files&gt; cannot be used.") == 1
    assert page.count("not loaded") == 1
    answer = visitor.client.get("/api/v1/workers", headers={"Authorization": f"Bearer {token}"})
    assert answer.json()["broken"] == [{"model": "sdxl", "why": "Its <files> cannot be used."}]
    (finding,) = [one for one in doctor.examine(site) if one.name == "workers"]
    assert not finding.ok
    assert "studio/cuda:1/ could not load sdxl: Its <files> cannot be used." in finding.says
    events.announce(replace(LOADER, preset="sdxl"), seconds=60)
    assert "not loaded" not in visitor.get("/tasks").text


def test_a_job_says_that_its_model_is_being_loaded(adept: Browser, rows: Session) -> None:
    adept.get("/create")
    adept.post("/jobs", {"prompt": "a cat"})
    job = newest_job(rows)
    get_events().announce(LOADER, seconds=60)
    assert "Loading starter" in adept.get(f"/jobs/{job.id}/card").text
    person = rows.get_one(Person, job.person_id)
    assert _stands(job.id, person) == {"state": "queued", "waiting": "Loading starter …"}
    get_events().announce(replace(LOADER, name="studio:43", state="ready"), seconds=60)
    assert "Next in line" in adept.get(f"/jobs/{job.id}/card").text


def test_a_job_says_that_no_worker_serves_its_model(adept: Browser, rows: Session) -> None:
    """Create says so before, and takes it all the same."""
    said = "No worker serves the model starter now."
    assert adept.get("/create", headers=HTMX).text.startswith('<p class="note"')
    assert "No worker serves starter now. What is sent waits for one." in adept.get("/create").text
    assert f"It waits. {said}" in adept.post("/jobs", {"prompt": "a cat"}, headers=HTMX).text
    job = newest_job(rows)
    person = rows.get_one(Person, job.person_id)
    for path in ("/tasks", "/jobs", f"/jobs/{job.id}"):
        assert f"It waits. {said}" in adept.get(path).text
    assert _stands(job.id, person) == {"state": "queued", "waiting": f"It waits. {said}"}
    assert JobOut.of(generation.get_job(rows, person=person, job_id=job.id)).lacks == said
    get_events().refuse("studio/cuda/", "starter", "Its files cannot be used.", seconds=60)
    assert "It waits. Its files cannot be used." in adept.get(f"/jobs/{job.id}/card").text
    get_events().announce(replace(LOADER, preset="sdxl", state="ready", also=("starter",)), seconds=60)
    assert "Next in line" in adept.get(f"/jobs/{job.id}/card").text
    assert JobOut.of(generation.get_job(rows, person=person, job_id=job.id)).lacks is None
    assert "No worker serves" not in adept.get("/create").text
    assert adept.get("/create", headers=HTMX).text == ""


def test_nothing_is_said_of_workers_while_the_broker_is_away(settings: Settings) -> None:
    assert Events("redis://127.0.0.1:1").standing() is None


def test_a_worker_that_falls_silent_is_forgotten(visitor: Browser) -> None:
    get_events().announce(LOADER, seconds=0.2)
    assert get_events().workers() == [LOADER]
    time.sleep(0.3)
    assert get_events().workers() == []


def test_doctor_tells_holding_from_loading(site: Settings) -> None:
    get_events().announce(LOADER, seconds=60)
    (finding,) = [one for one in doctor.examine(site) if one.name == "workers"]
    assert finding.says == "studio:42 loads starter on NVIDIA <H200>"
