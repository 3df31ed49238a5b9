"""What the REST API takes and gives. Field names are the product's words."""

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.models import ApiToken, Code, Image, PersonSettings, Profile, Rating
from app.safety import Label
from app.services.accounts import SCOPES
from app.services.generation import JobView
from app.services.rating import OfferedPair, RatedPair
from app.services.spaces import SpaceState
from app.spec import Spec
from app.taste.accuracy import Accuracy

MAX_ID = 2**63 - 1
MAX_PAGE = 100
CONTRIBUTE = (
    "whether the person's ratings help to learn what people like on the whole, so that newcomers are known "
    "better from the start; only averages over everybody who agreed are kept"
)
CAUTIOUS = (
    "whether pages blur what the safety classifier doubts too, and not only what the installation blurs"
)

Item = TypeVar("Item")
Key = TypeVar("Key")


def _plain(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not hold the character U+0000")
    text.encode()  # half of a surrogate pair is no text: UnicodeEncodeError is a ValueError
    return text


Plain = Annotated[str, AfterValidator(_plain)]
RowId = Annotated[int, Field(ge=1, le=MAX_ID)]
Answer = Literal["left", "right", "tie", "both_bad", "skip"]
Visibility = Literal["private", "unlisted", "public"]
Scope = Literal["read", "rate", "generate", "profiles", "account"]
State = Literal["queued", "running", "done", "failed", "cancelled"]
assert set(SCOPES) == {"read", "rate", "generate", "profiles", "account"}


class In(BaseModel):
    """A request's body: what is not known is refused, so that a misspelt field never passes unnoticed."""

    model_config = ConfigDict(extra="forbid")


class Page(BaseModel, Generic[Item, Key]):
    """One page of a list, newest first. `next` is the `before` of the page after it; null on the last."""

    items: list[Item]
    next: Key | None


class Problem(BaseModel):
    """A failure (RFC 9457). `code` is stable, `detail` is a sentence that says what to do."""

    model_config = ConfigDict(extra="allow")

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str


class ImageOut(BaseModel):
    id: RowId
    file: str = Field(description="where the image itself is, as WebP", examples=["/api/v1/images/17/file"])
    width: int
    height: int
    prompt: str
    visibility: Literal["public", "private"]
    safety: Label | None = Field(description="what the safety classifier calls it; null: it never looked")
    safety_score: float | None = Field(description="its probability of being unsafe, 0 to 1")
    created_at: datetime

    @classmethod
    def of(cls, image: Image) -> "ImageOut":
        fields = {"id", "width", "height", "prompt", "visibility", "safety", "safety_score", "created_at"}
        return cls.model_validate(
            {**image.model_dump(include=fields), "file": f"/api/v1/images/{image.id}/file"}
        )


class PairOut(BaseModel):
    """Two images to compare. A `chosen` pair teaches the most, a `random` one measures the accuracy."""

    id: UUID
    left: ImageOut
    right: ImageOut
    selection: Literal["chosen", "random"]

    @classmethod
    def of(cls, pair: OfferedPair) -> "PairOut":
        return cls.model_validate(
            {
                "id": pair.id,
                "left": ImageOut.of(pair.left),
                "right": ImageOut.of(pair.right),
                "selection": pair.selection,
            }
        )


class Pairs(BaseModel):
    items: list[PairOut]


class RatingIn(In):
    pair_id: UUID
    answer: Answer
    next: int = Field(0, ge=0, le=20, description="how many next pairs to send along")

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"pair_id": "5b0c1d3c-8d8e-4b3a-9d55-0c7a3f1f6f0e", "answer": "left", "next": 4}]
        }
    )


class AnswerIn(In):
    answer: Answer


class RatingOut(BaseModel):
    id: RowId
    pair_id: UUID
    answer: Answer
    created_at: datetime

    @classmethod
    def of(cls, rating: Rating) -> "RatingOut":
        return cls.model_validate(rating.model_dump(include={"id", "pair_id", "answer", "created_at"}))


class RecordedOut(BaseModel):
    """An answer taken in. `created` is false when the same pair had been answered before."""

    rating: RatingOut
    created: bool
    rating_count: int
    needed: int
    unlocked: bool
    pairs: list[PairOut]


class UndoneOut(BaseModel):
    """`undone` is null when there was nothing to take back."""

    undone: RatingOut | None
    rating_count: int


class RatedPairOut(RatingOut):
    selection: Literal["chosen", "random"]
    left: ImageOut
    right: ImageOut

    @classmethod
    def of_pair(cls, rated: RatedPair) -> "RatedPairOut":
        return cls.model_validate(
            {
                **RatingOut.of(rated.rating).model_dump(),
                "selection": rated.selection,
                "left": ImageOut.of(rated.left),
                "right": ImageOut.of(rated.right),
            }
        )


class AccuracyOut(BaseModel):
    """How often choices were foreseen, with the 95 % credible interval, measured on n random pairs."""

    mean: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, accuracy: Accuracy | None) -> "AccuracyOut | None":
        if accuracy is None:
            return None
        return cls(mean=accuracy.mean, low=accuracy.low, high=accuracy.high, n=accuracy.n)


class ProfileOut(BaseModel):
    id: str = Field(examples=["k7m2p9qwxr4t"])
    name: str
    is_global: bool
    is_default: bool
    is_moodboard: bool = Field(description="made of collected images, and not of ratings")
    rating_count: int
    created_at: datetime

    @classmethod
    def of(cls, profile: Profile) -> "ProfileOut":
        fields = {"name", "is_global", "is_default", "is_moodboard", "rating_count", "created_at"}
        return cls.model_validate({**profile.model_dump(include=fields), "id": profile.public_id})


class ProfileDetails(ProfileOut):
    needed: int
    unlocked: bool
    accuracy: AccuracyOut | None
    expected_gain: float | None = Field(
        description="accuracy, 0 to 0.5, that 50 more ratings are expected to add; looked at every 10 ratings"
    )
    enough: bool = Field(description="true when more rating will hardly change this taste")
    outlook: str = Field(description="the same as a sentence; empty while nothing can be said")


class CodeOut(BaseModel):
    """One frozen state of a profile. `own` codes say more than borrowed ones."""

    code: str = Field(examples=["2d92kutq7wg5"])
    own: bool
    rating_count: int
    image_count: int = Field(description="images of the moodboard; 0 for other profiles")
    encoder: str
    space_version: int
    checksum: str = Field(description="SHA-256 of the frozen taste, in hexadecimal")
    visibility: Visibility
    parent: str | None = Field(description="the code frozen before it; null for other people's codes")
    expires_at: datetime | None
    revoked_at: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, code: Code, *, own: bool) -> "CodeOut":
        fields = {
            "code",
            "rating_count",
            "image_count",
            "encoder",
            "space_version",
            "visibility",
            "expires_at",
            "revoked_at",
        }
        return cls.model_validate(
            {
                **code.model_dump(include={*fields, "created_at"}),
                "own": own,
                "checksum": code.checksum.hex(),
                "parent": code.parent if own else None,
            }
        )


class SharedCode(CodeOut):
    liked: list[ImageOut]
    disliked: list[ImageOut]


class CodePatch(In):
    """What is left out stays. `expires_at` null means never; a revoked code stays revoked."""

    visibility: Visibility | None = None
    expires_at: datetime | None = None
    revoked: Literal[True] | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"visibility": "unlisted"}]})


class TasteOut(BaseModel):
    code: str
    weight: float
    normalised: float = Field(description="the weight over the sum of the absolute weights")


class SlotOut(BaseModel):
    slot: int
    seed: int
    image: ImageOut


class JobIn(In):
    prompt: Plain = Field(description="text and parameters", max_length=200_000)
    parent: UUID | None = Field(None, description="the job that this one was made from")

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"prompt": "a lighthouse at dusk --p --s 250 --n 2"}]}
    )


class JobOut(BaseModel):
    id: UUID
    state: State
    prompt: str
    model: str
    spec: dict[str, Any] = Field(
        description="the resolved prompt: with the model's files, the same images again"
    )
    tastes: list[TasteOut]
    images: list[SlotOut]
    ahead: int = Field(description="jobs that wait before it, while it waits itself")
    loading: bool = Field(description="whether it waits for its model, which a worker loads and none holds")
    lacks: str | None = Field(description="why no worker serves its model, while it waits and none does")
    attempts: int
    cancel_requested: bool
    error: str | None = Field(description="why it failed, or why images are missing from a job that is done")
    error_code: str | None
    parent: UUID | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, view: JobView) -> "JobOut":
        job, spec = view.job, view.spec
        times = {"created_at", "started_at", "finished_at"}
        fields = {
            "id",
            "state",
            "prompt",
            "spec",
            "attempts",
            "cancel_requested",
            "error",
            "error_code",
            *times,
        }
        return cls.model_validate(
            {
                **job.model_dump(include=fields),
                "model": job.preset,
                "parent": job.parent_id,
                "tastes": _tastes(spec),
                "images": [
                    SlotOut(slot=s.slot, seed=s.seed, image=ImageOut.of(s.image)) for s in view.images
                ],
                "ahead": view.ahead,
                "loading": view.loading,
                "lacks": view.lacks,
            }
        )


def _tastes(spec: Spec) -> list[TasteOut]:
    return [TasteOut.model_validate(taste.model_dump()) for taste in spec.personalize.tastes]


class JobsOut(BaseModel):
    """One prompt may become several jobs: {a, b} and --repeat."""

    jobs: list[JobOut]


class SettingsOut(BaseModel):
    personalize: bool = Field(description="--p by default")
    stylize: int
    model: str | None = Field(description="null: the installation's default")
    default_code: str | None = Field(description="what a bare --p means; null: the own default profiles")
    contribute: bool = Field(description=CONTRIBUTE)
    cautious: bool = Field(description=CAUTIOUS)

    @classmethod
    def of(cls, settings: PersonSettings) -> "SettingsOut":
        return cls.model_validate(settings.model_dump(exclude={"person_id"}))


class SettingsPatch(In):
    """What is left out stays. `default_code` null goes back to the person's own default profiles."""

    personalize: bool | None = None
    stylize: Annotated[int, Field(ge=0, le=1000)] | None = None
    model: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,39}$")] | None = None
    default_code: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")] | None = None
    contribute: Annotated[bool | None, Field(description=CONTRIBUTE)] = None
    cautious: Annotated[bool | None, Field(description=CAUTIOUS)] = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"personalize": True, "stylize": 250}]})


class SpaceOut(BaseModel):
    """An image encoder. `embedded` of the gallery's `images` were read for it; null once it is open."""

    encoder: str
    models: list[str]
    open: bool = Field(description="whether tastes can be used with its models")
    embedded: int | None
    images: int | None

    @classmethod
    def of(cls, space: SpaceState) -> "SpaceOut":
        return cls(
            encoder=space.encoder,
            models=list(space.models),
            open=space.is_open,
            embedded=space.embedded,
            images=space.images,
        )


class ConversionIn(In):
    model: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,39}$")]

    model_config = ConfigDict(json_schema_extra={"examples": [{"model": "starter"}]})


class InfoOut(BaseModel):
    """What /info shows: the global profile's state, the newest codes, what is running, the spaces, the
    defaults."""

    email: str | None = Field(description="null for a guest")
    profile: ProfileDetails
    codes: list[CodeOut]
    running: list[JobOut]
    default_profiles: list[ProfileOut]
    spaces: list[SpaceOut]
    settings: SettingsOut


class TokenIn(In):
    name: Annotated[Plain, Field(min_length=1, max_length=100)]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=5)]

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "nightly", "scopes": ["read", "generate"]}]}
    )


class TokenOut(BaseModel):
    id: RowId
    name: str
    scopes: list[Scope]
    created_at: datetime
    last_used_at: datetime | None

    @classmethod
    def of(cls, token: ApiToken) -> "TokenOut":
        return cls.model_validate(
            token.model_dump(include={"id", "name", "scopes", "created_at", "last_used_at"})
        )


class NewToken(TokenOut):
    token: str = Field(description="shown this once", examples=["pnc_..."])


class Tokens(BaseModel):
    items: list[TokenOut]


class GuestOut(BaseModel):
    """A new person and the one token that is theirs; whoever loses it loses what was rated with it."""

    profile: str = Field(description="the id of the global profile")
    token: str = Field(description="shown this once", examples=["pnc_..."])
    scopes: list[Scope]
