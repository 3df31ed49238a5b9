"""Settings: what a prompt takes for granted, API tokens, and the end of everything."""

from typing import Annotated

from fastapi import APIRouter, Form, Response
from fastapi.responses import RedirectResponse

from app.config import get_settings
from app.errors import InvalidInput, NotFound, PenchantError
from app.models import Person
from app.presets import load_presets, usable_preset
from app.services import accounts, profiles
from app.web.contexts import SettingsPage, TokenRow
from app.web.deps import CurrentPerson, PersonOrGuest, sign_out_browser
from app.web.frame import Frame, FrameDep
from app.web.routes.info import default_taste

router = APIRouter(include_in_schema=False)
NOTICES = {
    "saved": "Saved.",
    "revoked": "The token is revoked.",
    "own-taste": "A bare --p means your own taste again.",
}


@router.get("/settings")
def settings(frame: FrameDep, done: str = "") -> Response:
    """The settings as they are."""
    return frame.show(_page(frame, frame.person, notice=NOTICES.get(done, "")))


@router.post("/settings")
def save(
    frame: FrameDep,
    person: PersonOrGuest,
    stylize: Annotated[int, Form()],
    model: Annotated[str, Form()],
    personalize: Annotated[str, Form()] = "",
    contribute: Annotated[str, Form()] = "",
    cautious: Annotated[str, Form()] = "",
) -> Response:
    """Save what prompts of this person take for granted."""
    try:
        accounts.update_settings(
            frame.session,
            person=person,
            personalize=personalize == "on",
            stylize=stylize,
            model=usable_preset(model).name,
            contribute=contribute == "on",
            cautious=cautious == "on",
        )
    except PenchantError as error:
        return frame.show(_page(frame, person, error=error.message), status=error.status)
    return RedirectResponse("/settings?done=saved", status_code=303)


@router.post("/settings/own-taste")
def own_taste(frame: FrameDep, person: CurrentPerson) -> Response:
    """A bare --p means the person's own taste again."""
    profiles.stop_using_code(frame.session, person=person)
    return RedirectResponse("/settings?done=own-taste", status_code=303)


@router.post("/settings/tokens")
def create_token(
    frame: FrameDep,
    person: PersonOrGuest,
    name: Annotated[str, Form()] = "",
    scopes: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Make a token and show its secret this once: the page is the only place it ever stands."""
    try:
        _, secret = accounts.create_token(frame.session, person=person, name=name, scopes=scopes or [])
    except PenchantError as error:
        return frame.show(_page(frame, person, error=error.message), status=error.status)
    response = frame.show(_page(frame, person, secret=secret), status=201)
    response.headers["Cache-Control"] = "no-store"
    return response


@router.post("/settings/tokens/{token_id}/revoke")
def revoke_token(frame: FrameDep, person: CurrentPerson, token_id: int) -> Response:
    """Make a token useless at once."""
    accounts.revoke_token(frame.session, person=person, token_id=token_id)
    return RedirectResponse("/settings?done=revoked#tokens", status_code=303)


@router.post("/settings/delete")
def delete(frame: FrameDep, person: CurrentPerson, confirmation: Annotated[str, Form()] = "") -> Response:
    """Delete the person with everything rated, frozen and made."""
    if confirmation != "delete":
        error = InvalidInput("Type the word delete into the field to confirm. Nothing was deleted.")
        return frame.show(_page(frame, person, error=error.message), status=error.status)
    sign_out_browser(frame.request, frame.session)
    accounts.delete_person(frame.session, person=person)
    return RedirectResponse("/", status_code=303)


def _page(
    frame: Frame, person: Person | None, *, notice: str = "", error: str = "", secret: str = ""
) -> SettingsPage:
    found = profiles.info(frame.session, person=person) if person is not None else None
    tokens = accounts.list_tokens(frame.session, person=person) if person is not None else []
    return SettingsPage(
        shell=frame.shell("settings", person=person),
        notice=notice,
        error=error,
        effective=found is not None and (found.unlocked or found.default_code is not None),
        personalize=found is not None and found.settings.personalize,
        stylize=found.settings.stylize if found is not None else 100,
        model=(found.settings.model if found is not None else None) or get_settings().model,
        contribute=found is not None and found.settings.contribute,
        cautious=found is not None and found.settings.cautious,
        policy=get_settings().safety,
        models=_titles(installed=True),
        absent=_titles(installed=False),
        default_taste=default_taste(found),
        borrowed=found.default_code if found is not None else None,
        borrowed_ended=_ended(frame, found),
        tokens=tuple(
            TokenRow(token.id or 0, token.name, tuple(token.scopes), token.last_used_at) for token in tokens
        ),
        scopes=accounts.SCOPES,
        secret=secret,
    )


def _ended(frame: Frame, found: profiles.Info | None) -> bool:
    """Whether the code that a bare --p means may be used no more."""
    if found is None or found.default_code is None:
        return False
    try:
        profiles.usable_code(frame.session, code=found.default_code, person=found.person)
    except NotFound:
        return True
    return False


def _titles(*, installed: bool) -> tuple[tuple[str, str], ...]:
    presets = load_presets().values()
    return tuple((one.name, one.title) for one in presets if installed is not bool(one.missing))
