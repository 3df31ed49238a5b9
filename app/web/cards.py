"""From what the services return to what the pages show."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from math import gcd

from sqlmodel import Session

from app.config import get_settings
from app.models import OPEN_STATES, Code, Image, Person, Profile
from app.safety import blurred_from
from app.services import accounts, profiles
from app.services.drawing import OfferedPair
from app.services.generation import JobView
from app.services.moodboards import Moodboard
from app.services.outlook import outlook
from app.services.spaces import SpaceState
from app.services.workers import Refusal, Worker
from app.spec import Spec, TasteRef, print_number
from app.taste.accuracy import Accuracy
from app.web.contexts import (
    AccuracyFigures,
    BoardCard,
    BrokenRow,
    CodeRow,
    JobCard,
    Picture,
    PicturePair,
    Reading,
    Shell,
    Slot,
    TasteRow,
    WorkerRow,
)


def shell(session: Session, *, person: Person | None, csrf: str, section: str = "") -> Shell:
    """The frame around a page for this person."""
    ratings, cautious = 0, False
    if person is not None:
        ratings = profiles.global_profile(session, person=person).rating_count
        cautious = accounts.get_settings_of(session, person=person).cautious
    return Shell(
        section=section,
        email=person.email if person is not None else None,
        ratings=ratings,
        needed=get_settings().unlock_ratings,
        csrf=csrf,
        blurred=blurred_from(cautious=cautious),
    )


def picture(image: Image) -> Picture:
    """One image with its addresses."""
    return Picture(
        id=image.id or 0,
        src=f"/images/{image.id}/file",
        thumb=f"/images/{image.id}/thumb",
        width=image.width,
        height=image.height,
        prompt=image.prompt,
        alt=image.prompt or "an image without a description",
        safety=image.safety or "",
    )


def pictures(images: Iterable[Image]) -> tuple[Picture, ...]:
    """Several images, in their order."""
    return tuple(picture(image) for image in images)


def picture_pair(pair: OfferedPair, *, offer: str = "") -> PicturePair:
    """A pair to be rated; `offer` is the proof a visitor sends along."""
    return PicturePair(id=str(pair.id), offer=offer, left=picture(pair.left), right=picture(pair.right))


def job_card(view: JobView) -> JobCard:
    """A job with its grid, empty places included."""
    job, spec = view.job, view.spec
    width, height = spec.size or (1, 1)
    painted = {slot.slot: picture(slot.image) for slot in view.images}
    live = job.state in OPEN_STATES
    return JobCard(
        id=job.id,
        state=job.state,
        live=live,
        waiting=waiting_line(view),
        cancelling=live and job.cancel_requested,
        prompt=job.prompt,
        stylize=spec.stylize,
        tastes=tuple(taste_row(taste) for taste in spec.personalize.tastes),
        width=width,
        height=height,
        slots=tuple(Slot(number, painted.get(number)) for number in range(spec.n)),
        error=job.error if job.state in ("failed", "done") else None,
        created_at=job.created_at,
        seconds=seconds_between(job.started_at, job.finished_at),
    )


def waiting_line(view: JobView) -> str:
    """What a waiting job waits for, in words; empty for others."""
    if view.job.state != "queued":
        return ""
    if view.lacks:
        return f"It waits. {view.lacks}"
    if view.loading:
        return f"Loading {view.job.preset} …"
    match view.ahead:
        case 0:
            return "Next in line …"
        case 1:
            return "One job is ahead of it …"
        case _:
            return f"{view.ahead} jobs are ahead of it …"


def taste_row(taste: TasteRef) -> TasteRow:
    """A code that a job used, with its share of the blend."""
    return TasteRow(code=taste.code, weight=print_number(taste.weight), share=f"{taste.normalised:.0%}")


def seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    """Seconds from start to end, once both are known."""
    return (end - start).total_seconds() if start is not None and end is not None else None


def spec_rows(spec: Spec) -> tuple[tuple[str, str], ...]:
    """A spec for reading: what it paints, and each parameter as it was resolved."""
    rows: list[tuple[str, object | None]] = [
        ("Words", spec.text),
        ("To avoid", ", ".join(spec.negative) or None),
        ("Model", spec.model),
        ("Size", f"{spec.size[0]} × {spec.size[1]}" if spec.size else None),
        ("Images", spec.n),
        ("Seed", spec.seed),
        ("Stylize", spec.stylize),
        ("Chaos", spec.chaos or None),
        ("Steps", spec.steps),
    ]
    return tuple((name, str(value)) for name, value in rows if value is not None)


def choice_rows(details: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """That an image was chosen among several, where it was."""
    candidates = details.get("candidates")
    return (("Chosen from", f"{candidates} candidates"),) if candidates else ()


def shapes(sizes: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    """The aspect ratios of a model's sizes, as --ar takes them."""
    ratios = (f"{width // gcd(width, height)}:{height // gcd(width, height)}" for width, height in sizes)
    return tuple(dict.fromkeys(ratios))


def code_row(code: Code, *, default: str | None, spaces: Sequence[SpaceState]) -> CodeRow:
    """One of the person's codes; `default` is the one that a bare --p means."""
    return CodeRow(
        code=code.code,
        made_of=made_of(code),
        visibility=code.visibility,
        created_at=code.created_at,
        expires_at=code.expires_at,
        expired=code.expires_at is not None and code.expires_at <= datetime.now(UTC),
        revoked=code.revoked_at is not None,
        is_default=code.code == default,
        space=code.encoder,
        models=tuple(space.models[0] for space in spaces if space.is_open and space.encoder != code.encoder),
    )


def readings(spaces: Iterable[SpaceState]) -> tuple[Reading, ...]:
    """How far the gallery was read for the models that have no space yet."""
    return tuple(
        Reading(", ".join(space.models), space.embedded, space.images)
        for space in spaces
        if space.embedded is not None and space.images
    )


def worker_rows(workers: Iterable[Worker]) -> tuple[WorkerRow, ...]:
    """The workers as /tasks shows them."""
    return tuple(WorkerRow(one.name, one.preset, one.state, one.device) for one in workers)


def broken_rows(refusals: Iterable[Refusal]) -> tuple[BrokenRow, ...]:
    """The models that could not be loaded, each once, as /tasks shows them."""
    return tuple(dict.fromkeys(BrokenRow(one.preset, one.why) for one in refusals))


def standing(profile: Profile, accuracy: Accuracy | None) -> str:
    """How well choices are foreseen, with the interval, and what more rating would add, in a line."""
    figures = accuracy_figures(accuracy)
    foreseen = ""
    if figures is not None:
        foreseen = f"It foresees {figures.percent} % of your choices ({figures.low} to {figures.high} %)."
    return f"{foreseen} {outlook(profile)}".strip()


def made_of(code: Code) -> str:
    """How much a code was learned from, in words."""
    if code.image_count:
        return "1 image" if code.image_count == 1 else f"{code.image_count} images"
    return "1 rating" if code.rating_count == 1 else f"{code.rating_count} ratings"


def board_card(board: Moodboard) -> BoardCard:
    """A moodboard, with the images that were read along."""
    return BoardCard(board.profile.public_id, board.profile.name, board.count, pictures(board.images))


def accuracy_figures(accuracy: Accuracy | None) -> AccuracyFigures | None:
    """The measured accuracy in whole percent; None while there is next to nothing to go by."""
    if accuracy is None or accuracy.n < 5:
        return None
    return AccuracyFigures(
        percent=round(accuracy.mean * 100),
        low=round(accuracy.low * 100),
        high=round(accuracy.high * 100),
        count=accuracy.n,
    )
