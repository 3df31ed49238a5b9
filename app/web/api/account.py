"""Info, settings, tokens, guests."""

from fastapi import APIRouter

from app.errors import Forbidden
from app.presets import usable_preset
from app.services import accounts, generation, profiles
from app.services.spaces import list_spaces
from app.web.api.failures import failures
from app.web.api.params import Owner, PathId, Reader
from app.web.api.profiles import details
from app.web.api.schemas import (
    AccuracyOut,
    CodeOut,
    GuestOut,
    InfoOut,
    JobOut,
    NewToken,
    ProfileOut,
    SettingsOut,
    SettingsPatch,
    SpaceOut,
    TokenIn,
    TokenOut,
    Tokens,
)
from app.web.deps import MaybeCaller, SessionDep

router = APIRouter(tags=["account"])
NEWEST_CODES = 20


@router.get("/info", operation_id="info", responses=failures())
def info(session: SessionDep, person: Reader) -> InfoOut:
    """Rating count, unlock state, accuracy, codes, running jobs and defaults."""
    found = profiles.info(session, person=person)
    return InfoOut(
        email=person.email,
        profile=details(found.profile, AccuracyOut.of(found.accuracy)),
        codes=[CodeOut.of(code, own=True) for code in found.codes[:NEWEST_CODES]],
        running=[JobOut.of(view) for view in generation.views(session, jobs=found.running)],
        default_profiles=[ProfileOut.of(profile) for profile in found.default_profiles],
        spaces=[SpaceOut.of(space) for space in list_spaces(session)],
        settings=SettingsOut.of(found.settings),
    )


@router.get("/settings", operation_id="getSettings", responses=failures())
def get_settings(session: SessionDep, person: Reader) -> SettingsOut:
    """What a prompt takes for granted."""
    return SettingsOut.of(accounts.get_settings_of(session, person=person))


@router.patch("/settings", operation_id="changeSettings", responses=failures(400, 404, 413))
def change_settings(session: SessionDep, person: Owner, body: SettingsPatch) -> SettingsOut:
    """Change what is given, keep the rest."""
    model = usable_preset(body.model).name if body.model is not None else None
    changed = accounts.update_settings(
        session,
        person=person,
        personalize=body.personalize,
        stylize=body.stylize,
        model=model,
        contribute=body.contribute,
        cautious=body.cautious,
    )
    if body.default_code is not None:
        profiles.use_code(session, person=person, code=body.default_code)
    elif "default_code" in body.model_fields_set:
        profiles.stop_using_code(session, person=person)
    return SettingsOut.of(changed)


@router.get("/tokens", operation_id="listTokens", responses=failures())
def list_tokens(session: SessionDep, person: Owner) -> Tokens:
    """The person's tokens that still work, without their secrets."""
    return Tokens(items=[TokenOut.of(token) for token in accounts.list_tokens(session, person=person)])


@router.post("/tokens", operation_id="createToken", status_code=201, responses=failures(400, 409, 413))
def create_token(session: SessionDep, person: Owner, caller: MaybeCaller, body: TokenIn) -> NewToken:
    """Make a token. Its secret is in this reply and never again. A token makes none that may do more."""
    missing = sorted(set(body.scopes) - (caller.scopes if caller is not None else frozenset()))
    if missing:
        raise Forbidden(f"This token lacks the scope {missing[0]} and cannot pass it on.", scope=missing[0])
    token, secret = accounts.create_token(session, person=person, name=body.name, scopes=body.scopes)
    return NewToken(**TokenOut.of(token).model_dump(), token=secret)


@router.delete("/tokens/{token_id}", operation_id="revokeToken", status_code=204, responses=failures(404))
def revoke_token(session: SessionDep, person: Owner, token_id: PathId) -> None:
    """Make a token useless at once."""
    accounts.revoke_token(session, person=person, token_id=token_id)


@router.post("/guests", operation_id="createGuest", status_code=201, responses=failures())
def create_guest(session: SessionDep) -> GuestOut:
    """Begin as somebody new: a guest with a token that may do everything."""
    person = accounts.create_guest(session)
    profile = profiles.global_profile(session, person=person)
    _, secret = accounts.create_token(session, person=person, name="first", scopes=accounts.SCOPES)
    return GuestOut.model_validate(
        {"profile": profile.public_id, "token": secret, "scopes": list(accounts.SCOPES)}
    )
