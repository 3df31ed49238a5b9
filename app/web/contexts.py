"""What each page shows: one frozen dataclass a page, with nothing that a template does not use."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID


@dataclass(frozen=True)
class Shell:
    """The frame of every page."""

    section: str
    """Which entry of the navigation is current; empty for none."""
    email: str | None
    """Of the account that is signed in; None for visitors and guests."""
    ratings: int
    needed: int
    """Ratings that unlock --p; 0 where nothing is known of the person, on error pages."""
    csrf: str
    blurred: str | None
    """The mildest safety label whose images are blurred, None where nothing is."""


@dataclass(frozen=True)
class Picture:
    """An image as pages show it. `alt` is what is read aloud."""

    id: int
    src: str
    thumb: str
    width: int
    height: int
    prompt: str
    alt: str
    safety: str
    """What the safety classifier calls it; empty where it never looked."""


@dataclass(frozen=True)
class PicturePair:
    """Two images to be rated. `offer` proves that a visitor, for whom nothing is stored, was shown them."""

    id: str
    offer: str
    left: Picture
    right: Picture


@dataclass(frozen=True)
class TasteRow:
    """A code that a job used; `share` is its normalised weight, in percent."""

    code: str
    weight: str
    share: str


@dataclass(frozen=True)
class Slot:
    """One place of a job's grid, empty until its image is there."""

    number: int
    image: Picture | None


@dataclass(frozen=True)
class JobCard:
    """A job with its grid. `live` says that its state will still change."""

    id: UUID
    state: str
    live: bool
    waiting: str
    cancelling: bool
    prompt: str
    stylize: int | None
    tastes: tuple[TasteRow, ...]
    width: int
    height: int
    slots: tuple[Slot, ...]
    error: str | None
    created_at: datetime | None
    seconds: float | None


@dataclass(frozen=True)
class CodeRow:
    """One of the person's codes."""

    code: str
    made_of: str
    """Ratings, or the images of a moodboard, with their number."""
    visibility: str
    created_at: datetime | None
    expires_at: datetime | None
    expired: bool
    revoked: bool
    is_default: bool
    space: str
    """The encoder in whose space it lives."""
    models: tuple[str, ...]
    """Models of other encoders that it can be converted for."""


@dataclass(frozen=True)
class Reading:
    """How far a worker has read the gallery for a model whose tastes cannot be used yet."""

    models: str
    embedded: int
    images: int


@dataclass(frozen=True)
class WorkerRow:
    """A worker and the model that it holds, or loads."""

    name: str
    model: str
    state: str
    device: str


@dataclass(frozen=True)
class BrokenRow:
    """A model that could not be loaded of late, and why."""

    model: str
    why: str


@dataclass(frozen=True)
class AccuracyFigures:
    """How often choices were foreseen, in whole percent, with the ends of the 95 % interval."""

    percent: int
    low: int
    high: int
    count: int


@dataclass(frozen=True)
class TokenRow:
    """One API token, without its secret."""

    id: int
    name: str
    scopes: tuple[str, ...]
    last_used_at: datetime | None


@dataclass(frozen=True)
class Page:
    """Base of all pages. `template` is the file that shows it."""

    template: ClassVar[str]
    shell: Shell


@dataclass(frozen=True)
class WelcomePage(Page):
    """/ : what Penchant is, for somebody who comes for the first time."""

    template = "pages/welcome.html"
    images: tuple[Picture, ...]


@dataclass(frozen=True)
class ExplorePage(Page):
    """/explore : the pair to be rated, and the next ones for the script to preload."""

    template = "pages/explore.html"
    pairs: tuple[PicturePair, ...]
    pairs_json: list[dict[str, Any]]
    remaining: str
    standing: str
    """How well choices are foreseen, and what more rating would add."""
    can_undo: bool
    gallery_empty: bool


@dataclass(frozen=True)
class WordGroup:
    """What a model knows of one kind: its values, those with forms followed by them in brackets."""

    title: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class ModelWords:
    """Which words of a prompt a model cannot draw, each with what is nearest or empty, and what it knows."""

    title: str
    unknown: tuple[tuple[str, str], ...]
    more: int
    """How many unknown words are not named."""
    groups: tuple[WordGroup, ...]


@dataclass(frozen=True)
class CreatePage(Page):
    """/create : prompt, controls, latest jobs. The blocks `error`, `words`, `unserved` and
    `results` stand alone."""

    template = "pages/create.html"
    prompt: str
    key: str
    """Goes with the form as its idempotency key, so that a double click makes one set of jobs."""
    parent: UUID | None
    error: str
    locked: bool
    unlocked: bool
    personalize: bool
    stylize: int
    model: str
    models: tuple[str, ...]
    absent: tuple[str, ...]
    """Models that have to be added before they can be chosen."""
    unserved: tuple[str, ...]
    """Models that can be chosen, and wait for a worker: none serves them now."""
    shapes: tuple[str, ...]
    words: ModelWords | None
    """None where the model has no vocabulary."""
    jobs: tuple[JobCard, ...]


@dataclass(frozen=True)
class JobCardFragment(Page):
    """/jobs/ID/card : one job's card alone, for a page that shows it live."""

    template = "components/_job.html"
    job: JobCard


@dataclass(frozen=True)
class JobsPage(Page):
    """/jobs : the queue and the history. The block `items` is what an older page adds."""

    template = "pages/jobs.html"
    jobs: tuple[JobCard, ...]
    state: str
    older: str | None


@dataclass(frozen=True)
class JobPage(Page):
    """/jobs/ID : one job with its spec, its tastes and its times."""

    template = "pages/job.html"
    job: JobCard
    spec: tuple[tuple[str, str], ...]
    timing: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ImagesPage(Page):
    """/images : what the person painted. The block `items` is what an older page adds."""

    template = "pages/images.html"
    images: tuple[Picture, ...]
    older: str | None
    newest: bool


@dataclass(frozen=True)
class ImagePage(Page):
    """/images/ID : one image, how it was made, and what can be done with it."""

    template = "pages/image.html"
    image: Picture
    job: JobCard | None
    spec: tuple[tuple[str, str], ...]
    same: str
    """The prompt that paints this very image again; empty where none is known."""
    siblings: tuple[Picture, ...]
    boards: tuple[tuple[str, str], ...]
    """The person's moodboards, by id and name."""


@dataclass(frozen=True)
class BoardCard:
    """A moodboard with its newest images."""

    id: str
    name: str
    count: int
    images: tuple[Picture, ...]


@dataclass(frozen=True)
class MoodboardsPage(Page):
    """/moodboards : the person's moodboards, and the way to a new one."""

    template = "pages/moodboards.html"
    boards: tuple[BoardCard, ...]
    error: str
    name: str
    """What was typed, where it could not be used."""


@dataclass(frozen=True)
class MoodboardPage(Page):
    """/moodboards/ID : one moodboard, what it holds and what could be added."""

    template = "pages/moodboard.html"
    board: BoardCard
    offers: tuple[Picture, ...]
    own: bool
    """Whether the offers are the person's own images, or else the gallery's."""
    start: float
    """Where in the gallery the offers begin, 0 to 1."""
    further: float | None
    """Where others begin; None where there are none."""
    error: str


@dataclass(frozen=True)
class SharePage(Page):
    """/p/CODE : a taste that somebody shares."""

    template = "pages/share.html"
    code: str
    url: str
    preview: str | None
    made_of: str
    created_at: datetime | None
    expires_at: datetime | None
    checksum: str
    model: str
    liked: tuple[Picture, ...]
    disliked: tuple[Picture, ...]
    own: bool
    in_use: bool
    visibility: str


@dataclass(frozen=True)
class InfoPage(Page):
    """/info : what was learned of a person, and who may use it."""

    template = "pages/info.html"
    unlocked: bool
    accuracy: AccuracyFigures | None
    outlook: str
    """What to expect of more rating; empty while nothing can be said."""
    profile: str
    default_taste: str
    personalize: bool
    codes: tuple[CodeRow, ...]


@dataclass(frozen=True)
class TasksPage(Page):
    """/tasks : what runs, and what is worth doing next. The block `workers` stands alone."""

    template = "pages/tasks.html"
    unlocked: bool
    accuracy: AccuracyFigures | None
    outlook: str
    jobs: tuple[JobCard, ...]
    workers: tuple[WorkerRow, ...]
    broken: tuple[BrokenRow, ...]
    readings: tuple[Reading, ...]
    codes: tuple[CodeRow, ...]


@dataclass(frozen=True)
class SettingsPage(Page):
    """/settings : defaults, account, API tokens. `secret` is a new token's, shown this once."""

    template = "pages/settings.html"
    notice: str
    error: str
    effective: bool
    """Whether there is a taste for --p: an own one that is unlocked, or a borrowed one."""
    personalize: bool
    stylize: int
    model: str
    models: tuple[tuple[str, str], ...]
    absent: tuple[tuple[str, str], ...]
    contribute: bool
    cautious: bool
    policy: str
    """What the operator lets become of unsafe images: allow, blur or block."""
    default_taste: str
    borrowed: str | None
    borrowed_ended: bool
    tokens: tuple[TokenRow, ...]
    scopes: tuple[str, ...]
    secret: str


@dataclass(frozen=True)
class SignInPage(Page):
    """/signin and /signup."""

    template = "pages/signin.html"
    new: bool
    email: str
    error: str


@dataclass(frozen=True)
class ErrorPage(Page):
    """What a person sees when something failed: a sentence that says what to do, and a way on."""

    template = "pages/error.html"
    status: int
    title: str
    message: str
    action: tuple[str, str]
