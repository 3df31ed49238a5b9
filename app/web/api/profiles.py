"""Profiles and codes."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.config import get_settings
from app.models import Code, Person, Profile
from app.presets import get_preset
from app.services import conversion, profiles
from app.services.outlook import enough, outlook
from app.web.api.failures import failures
from app.web.api.params import Curator, Limit, PathCode, Reader
from app.web.api.schemas import (
    AccuracyOut,
    CodeOut,
    CodePatch,
    ConversionIn,
    ImageOut,
    Page,
    ProfileDetails,
    ProfileOut,
    SettingsOut,
    SharedCode,
)
from app.web.deps import SessionDep

router = APIRouter(tags=["profiles"])


@router.get("/profiles", operation_id="listProfiles", responses=failures())
def list_profiles(session: SessionDep, person: Reader) -> Page[ProfileOut, str]:
    """The person's profiles, the global one first."""
    rows = profiles.list_profiles(session, person=person)
    return Page(items=[ProfileOut.of(row) for row in rows], next=None)


@router.get("/profiles/{profile_id}", operation_id="getProfile", responses=failures(404))
def get_profile(session: SessionDep, person: Reader, profile_id: PathCode) -> ProfileDetails:
    """One profile, with how well it foresees choices."""
    profile = profiles.get_profile(session, person=person, public_id=profile_id)
    return details(profile, AccuracyOut.of(profiles.profile_accuracy(session, profile=profile)))


@router.post("/profiles/{profile_id}/codes", operation_id="freezeProfile", responses=failures(404))
def freeze(session: SessionDep, person: Curator, profile_id: PathCode) -> CodeOut:
    """The code of the profile's present state. Asked twice without a rating between, it is the same one."""
    profile = profiles.get_profile(session, person=person, public_id=profile_id)
    return CodeOut.of(profiles.freeze(session, profile=profile), own=True)


@router.get("/codes", operation_id="listCodes", responses=failures(404))
def list_codes(
    session: SessionDep,
    person: Reader,
    before: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,40}$")] = None,
    limit: Limit = 50,
) -> Page[CodeOut, str]:
    """The person's codes, newest first, revoked ones too."""
    rows = profiles.list_codes(session, person=person, before=before, limit=limit + 1)
    items = [CodeOut.of(row, own=True) for row in rows[:limit]]
    return Page(items=items, next=items[-1].code if len(rows) > limit else None)


@router.get("/codes/{code}", operation_id="getCode", responses=failures(404))
def get_code(session: SessionDep, person: Reader, code: PathCode) -> SharedCode:
    """A code that the person may paint with, and the public images that its owner likes and dislikes most."""
    return _shared(session, person, profiles.usable_code(session, code=code, person=person))


@router.patch("/codes/{code}", operation_id="changeCode", responses=failures(400, 404, 413))
def change_code(session: SessionDep, person: Curator, code: PathCode, body: CodePatch) -> CodeOut:
    """Share an own code, let it expire, or revoke it."""
    changed = profiles.own_code(session, person=person, code=code)
    if body.visibility is not None:
        profiles.set_code_visibility(session, person=person, code=code, visibility=body.visibility)
    if "expires_at" in body.model_fields_set:
        profiles.set_expiry(session, person=person, code=code, expires_at=body.expires_at)
    if body.revoked:
        profiles.revoke_code(session, person=person, code=code)
    return CodeOut.of(changed, own=True)


@router.post("/codes/{code}/conversions", operation_id="convertCode", responses=failures(400, 404, 409, 413))
def convert(session: SessionDep, person: Curator, code: PathCode, body: ConversionIn) -> CodeOut:
    """Say an own code in the space of another model, from the same ratings. Asked twice, it is the same
    one."""
    encoder = get_preset(body.model).encoder
    return CodeOut.of(conversion.convert(session, person=person, code=code, encoder=encoder), own=True)


@router.post("/codes/{code}/use", operation_id="useCode", responses=failures(404))
def use_code(session: SessionDep, person: Curator, code: PathCode) -> SettingsOut:
    """Use this taste: from now on a bare --p means this code."""
    profiles.use_code(session, person=person, code=code)
    return SettingsOut.of(profiles.info(session, person=person).settings)


def details(profile: Profile, accuracy: AccuracyOut | None) -> ProfileDetails:
    """A profile with its unlock state, its accuracy and what more rating would add."""
    needed = get_settings().unlock_ratings
    return ProfileDetails(
        **ProfileOut.of(profile).model_dump(),
        needed=needed,
        unlocked=profile.is_moodboard or profile.rating_count >= needed,
        accuracy=accuracy,
        expected_gain=profile.expected_gain,
        enough=enough(profile),
        outlook=outlook(profile),
    )


def _shared(session: SessionDep, person: Person, code: Code) -> SharedCode:
    view = profiles.share_view(session, code=code)
    return SharedCode(
        **CodeOut.of(code, own=code.person_id == person.id).model_dump(),
        liked=[ImageOut.of(image) for image in view.liked],
        disliked=[ImageOut.of(image) for image in view.disliked],
    )
