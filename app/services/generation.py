"""Jobs as people see them: submitted, listed, cancelled, run again; and the images they made."""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import func, select, tuple_, update
from sqlmodel import Session, col

from app import queue
from app.config import get_settings
from app.errors import Conflict, IdempotencyMismatch, InvalidPrompt, NotFound, TooManyRequests
from app.models import FINAL_STATES, OPEN_STATES, Code, Image, Job, JobImage, Person, PersonSettings
from app.presets import Preset, usable_preset
from app.prompt import check_supported, parse
from app.services.events import get_events
from app.services.outbox import after_commit
from app.services.profiles import resolve_tastes
from app.services.tastes import load_space
from app.services.workers import Standing
from app.spec import MAX_SEED, Spec, snap_size
from app.taste.space import same_frame

Tastes = list[tuple[Code, float]]


@dataclass(frozen=True)
class SlotView:
    """One image of a job's grid."""

    slot: int
    image: Image
    seed: int


@dataclass(frozen=True)
class JobView:
    """A job with the images it has so far. While it waits itself, `ahead` counts those waiting before it,
    `loading` says that no worker holds its model yet and one loads it, and `lacks` why no worker serves it,
    where none does."""

    job: Job
    spec: Spec
    images: list[SlotView]
    ahead: int
    loading: bool = False
    lacks: str | None = None


@dataclass(frozen=True)
class SlotOrigin:
    """Where an image came from. `made.details` holds what the renderer did: scale, guidance, attempt."""

    job: Job
    spec: Spec
    made: JobImage


def submit(
    session: Session,
    *,
    person: Person,
    prompt: str,
    idempotency_key: str | None = None,
    parent: UUID | None = None,
) -> list[Job]:
    """Accept a prompt: one job, or several where it says {a, b} or --repeat. Workers are told after the
    commit.

    The same idempotency key gives the same jobs again, also when both requests come at once. Raises
    InvalidPrompt, Locked, NotFound (a code), IdempotencyMismatch, TooManyRequests.
    """
    if parent is not None:
        _own_job(session, person, parent)
    # One submit of a person at a time: the key and the limit below are then looked up safely.
    session.execute(select(col(Person.id)).where(col(Person.id) == person.id).with_for_update(key_share=True))
    request_hash = hashlib.sha256(f"{parent}\n{prompt}".encode("utf-8", "surrogatepass")).digest()
    if idempotency_key is not None:
        earlier = _earlier(session, person, idempotency_key, request_hash)
        if earlier:
            return earlier
    specs = parse(prompt)
    _check_room(session, person, len(specs))
    resolved = _resolve(session, person, specs)
    texts = [prompt.strip()] if len(specs) == 1 else [spec.to_prompt() for spec in specs]
    now = session.execute(select(func.clock_timestamp())).scalar_one()
    jobs = [
        Job(
            id=uuid4(),
            person_id=_id(person),
            prompt=text,
            spec=spec.model_dump(mode="json"),
            preset=str(spec.model),
            parent_id=parent,
            idempotency_key=idempotency_key,
            idempotency_slot=slot,
            request_hash=request_hash if idempotency_key is not None else None,
            created_at=now + timedelta(microseconds=slot),
            sent_at=now,
        )
        for slot, (text, spec) in enumerate(zip(texts, resolved, strict=True))
    ]
    session.add_all(jobs)
    session.flush()
    after_commit(session, _sender([(job.id, job.preset) for job in jobs]))
    return jobs


def _sender(jobs: Sequence[tuple[UUID, str]]) -> Callable[[], None]:
    def send() -> None:
        for job_id, preset in jobs:
            if not queue.send(queue.RENDER_TASK, str(job_id), queue=queue.render_queue(preset)):
                return  # the sweep sends these again; waiting for the broker once is enough

    return send


def _earlier(session: Session, person: Person, key: str, request_hash: bytes) -> list[Job]:
    query = (
        select(Job)
        .where(col(Job.person_id) == person.id, col(Job.idempotency_key) == key)
        .order_by(col(Job.idempotency_slot))
    )
    jobs = list(session.scalars(query))
    if any(job.request_hash != request_hash for job in jobs):
        raise IdempotencyMismatch("This Idempotency-Key was used for another prompt. Take a new key.")
    return jobs


def _check_room(session: Session, person: Person, count: int) -> None:
    limit = get_settings().max_queued_jobs
    query = select(func.count()).where(col(Job.person_id) == person.id, col(Job.state).in_(OPEN_STATES))
    waiting = session.scalar(query) or 0
    if waiting + count > limit:
        raise TooManyRequests(
            f"You have {waiting} jobs waiting or running, and {limit} is the limit. Wait, or cancel some."
        )


def _resolve(session: Session, person: Person, specs: Sequence[Spec]) -> list[Spec]:
    settings = session.get(PersonSettings, person.id) or PersonSettings(person_id=_id(person), stylize=100)
    found: dict[tuple[str, str], Tastes] = {}
    resolved = []
    for spec in specs:
        preset = usable_preset(spec.model or settings.model or get_settings().model)
        check_supported(spec, preset.supported, preset.name)
        wanted = spec.personalize.model_dump_json(), preset.name
        if wanted not in found:
            found[wanted] = _tastes(session, person, spec, preset, by_default=settings.personalize)
        _check_effect(spec, preset, found[wanted])
        _check_spaces(session, person, preset, found[wanted])
        resolved.append(
            spec.resolve(
                seed=secrets.randbelow(MAX_SEED + 1),
                stylize=settings.stylize,
                model=preset.name,
                steps=preset.steps,
                size=snap_size(spec.aspect, preset.sizes),
                tastes=[(code.code, weight) for code, weight in found[wanted]],
            )
        )
    return resolved


def _tastes(session: Session, person: Person, spec: Spec, preset: Preset, *, by_default: bool) -> Tastes:
    requested = spec.personalize.requested
    if requested == "off" or (requested == "unset" and not by_default):
        return []
    refs = [(taste.ref, taste.weight) for taste in spec.personalize.refs] if requested == "refs" else None
    return resolve_tastes(session, person=person, refs=refs, encoder=preset.encoder)


def _check_effect(spec: Spec, preset: Preset, tastes: Tastes) -> None:
    """Refuse what this model would silently ignore, or cannot do."""
    if spec.steps is not None and spec.steps > preset.max_steps:
        raise InvalidPrompt(
            f"--steps is 1 to {preset.max_steps} on the model {preset.name}, and {preset.steps} where it is "
            "left out.",
            parameter="--steps",
        )
    if spec.negative and not preset.avoids:
        raise InvalidPrompt(
            f"--no does nothing on the model {preset.name}, which paints without guidance. Leave it out, or "
            "say what you want to see instead.",
            parameter="--no",
        )
    if tastes and preset.adapter is None and preset.best_of is None:
        raise InvalidPrompt(f"--p is not supported by the model {preset.name} yet.", parameter="--p")
    if tastes and preset.adapter is None and spec.raw:
        raise InvalidPrompt(
            f"--raw leaves nothing of --p on the model {preset.name}. Leave one of them out.",
            parameter="--raw",
        )


def _check_spaces(session: Session, person: Person, preset: Preset, tastes: Tastes) -> None:
    for code, _ in tastes:
        if code.encoder != preset.encoder:
            raise InvalidPrompt(_elsewhere(person, preset, code), parameter="--p")
    _check_frames(session, preset, sorted({code.space_version for code, _ in tastes}))


def _elsewhere(person: Person, preset: Preset, code: Code) -> str:
    lives = (
        f"The code {code.code} lives in the space of {code.encoder}, and {preset.name} needs one in that of "
        f"{preset.encoder}."
    )
    if code.person_id == person.id:
        return f"{lives} Convert it on /info, or name your profile instead of the code."
    return f"{lives} Ask its owner to convert it."


def _check_frames(session: Session, preset: Preset, versions: Sequence[int]) -> None:
    """Tastes learned under any population prior blend, but not where the space itself was replaced."""
    if len(versions) < 2:
        return
    first, *others = (load_space(session, encoder=preset.encoder, version=version) for version in versions)
    if not all(same_frame(first, other) for other in others):
        raise InvalidPrompt(
            "These tastes were frozen for different versions of the model. Freeze the older ones again.",
            parameter="--p",
        )


def get_job(session: Session, *, person: Person, job_id: UUID) -> JobView:
    """One job of this person. Raises NotFound, for others' jobs too."""
    job = _own_job(session, person, job_id)
    return views(session, jobs=[job])[0]


def list_jobs(
    session: Session,
    *,
    person: Person,
    before: UUID | None = None,
    limit: int = 50,
    states: Sequence[str] | None = None,
) -> list[JobView]:
    """This person's jobs, the newest first, from the one after `before` on."""
    query = select(Job).where(col(Job.person_id) == person.id)
    if states is not None:
        query = query.where(col(Job.state).in_(states))
    if before is not None:
        mark = _own_job(session, person, before)
        query = query.where(tuple_(col(Job.created_at), col(Job.id)) < (mark.created_at, mark.id))
    query = query.order_by(col(Job.created_at).desc(), col(Job.id).desc()).limit(limit)
    return views(session, jobs=list(session.scalars(query)))


def views(session: Session, *, jobs: Sequence[Job]) -> list[JobView]:
    """Jobs with their images, in two queries whatever their number."""
    rows = session.execute(
        select(JobImage, Image)
        .join(Image, col(Image.id) == col(JobImage.image_id))
        .where(col(JobImage.job_id).in_([job.id for job in jobs]))
        .order_by(col(JobImage.slot))
    )
    slots: dict[UUID, list[SlotView]] = {}
    for slot, image in rows:
        slots.setdefault(slot.job_id, []).append(SlotView(slot.slot, image, slot.seed))
    standing = get_events().standing() if any(job.state == "queued" for job in jobs) else None
    return [_view(session, job, slots.get(job.id, []), standing) for job in jobs]


def _view(session: Session, job: Job, slots: list[SlotView], standing: Standing | None) -> JobView:
    spec = Spec.model_validate(job.spec)
    if job.state != "queued" or standing is None:
        return JobView(job, spec, slots, _ahead(session, job))
    loading, lacks = standing.loads(job.preset), standing.lacks(job.preset)
    return JobView(job, spec, slots, _ahead(session, job), loading, lacks)


def _ahead(session: Session, job: Job) -> int:
    if job.state != "queued":
        return 0
    query = select(func.count()).where(
        col(Job.state).in_(OPEN_STATES), col(Job.preset) == job.preset, col(Job.created_at) < job.created_at
    )
    return session.scalar(query) or 0


def request_cancel(session: Session, *, person: Person, job_id: UUID) -> Job:
    """Cancel a job: at once where it waits, after the worker's current step where it runs.

    Cancelling twice is no error. Raises NotFound, and Conflict when the job is done or failed.
    """
    job = _own_job(session, person, job_id)
    session.execute(
        update(Job)
        .where(col(Job.id) == job_id, col(Job.state) == "queued")
        .values(state="cancelled", finished_at=func.clock_timestamp(), cancel_requested=True)
    )
    session.execute(
        update(Job).where(col(Job.id) == job_id, col(Job.state) == "running").values(cancel_requested=True)
    )
    session.refresh(job)
    if job.state in FINAL_STATES and job.state != "cancelled":
        raise Conflict(f"This job is already {job.state}.")
    state = job.state
    after_commit(session, lambda: _tell_cancel(job_id, state))
    return job


def _tell_cancel(job_id: UUID, state: str) -> None:
    if state == "running":
        get_events().ask_cancel(job_id)
    else:
        get_events().publish(job_id, {"state": state})


def retry(session: Session, *, person: Person, job_id: UUID) -> Job:
    """Submit a failed or cancelled job once more, with the same seed. Raises as `submit`, and Conflict."""
    job = _own_job(session, person, job_id)
    if job.state not in ("failed", "cancelled"):
        raise Conflict(f"Only a failed or cancelled job can be retried, and this one is {job.state}.")
    return _again(session, person, job, Spec.model_validate(job.spec))


def rerun(session: Session, *, person: Person, job_id: UUID) -> Job:
    """Submit a job's spec with a new seed. Tastes are asked for again: a revoked code stays revoked."""
    job = _own_job(session, person, job_id)
    return _again(session, person, job, Spec.model_validate(job.spec).model_copy(update={"seed": None}))


def _again(session: Session, person: Person, job: Job, spec: Spec) -> Job:
    (again,) = submit(session, person=person, prompt=spec.to_prompt(), parent=job.id)
    return again


def list_images(
    session: Session, *, person: Person, before: int | None = None, limit: int = 50, query: str | None = None
) -> list[Image]:
    """The images that this person painted, the newest first, from below the id `before` on; `query` is
    looked for in prompts."""
    images = select(Image).where(col(Image.owner_id) == person.id, col(Image.source) == "job")
    if before is not None:
        images = images.where(col(Image.id) < before)
    if query:
        images = images.where(col(Image.prompt).icontains(query, autoescape=True))
    return list(session.scalars(images.order_by(col(Image.id).desc()).limit(limit)))


def get_image(session: Session, *, person: Person | None, image_id: int) -> Image:
    """An image that is public or this person's own. Raises NotFound."""
    image = session.get(Image, image_id) if 0 < image_id < 2**63 else None
    if image is None or (image.visibility != "public" and (person is None or image.owner_id != person.id)):
        raise NotFound("There is no such image.")
    return image


def origin(session: Session, *, image: Image) -> SlotOrigin | None:
    """The job and slot an image came from; None for the gallery's."""
    row = session.execute(
        select(Job, JobImage)
        .join(JobImage, col(JobImage.job_id) == col(Job.id))
        .where(col(JobImage.image_id) == image.id)
    ).first()
    return SlotOrigin(row[0], Spec.model_validate(row[0].spec), row[1]) if row is not None else None


def _own_job(session: Session, person: Person, job_id: UUID) -> Job:
    job = session.get(Job, job_id)
    if job is None or job.person_id != person.id:
        raise NotFound("There is no such job.")
    return job


def _id(person: Person) -> int:
    assert person.id is not None
    return person.id
