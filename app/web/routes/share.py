"""A shared taste, and the codes of one's own."""

from typing import Annotated

from fastapi import APIRouter, Form, Response
from fastapi.responses import RedirectResponse

from app.config import get_settings
from app.presets import get_preset
from app.services import accounts, conversion, profiles
from app.web.cards import made_of, pictures
from app.web.contexts import SharePage
from app.web.deps import CurrentPerson, PersonOrGuest
from app.web.frame import Frame, FrameDep

router = APIRouter(include_in_schema=False)
SHOWN = 12


@router.get("/p/{code}")
def share(frame: FrameDep, code: str) -> Response:
    """What a taste likes and dislikes, and how to use it."""
    found = profiles.usable_code(frame.session, code=code, person=frame.person)
    view = profiles.share_view(frame.session, code=found)
    settings = accounts.get_settings_of(frame.session, person=frame.person) if frame.person else None
    liked = pictures(view.liked[:SHOWN])
    face = next((image for image in liked if image.safety in ("", "safe")), None)
    page = SharePage(
        shell=frame.shell(),
        code=found.code,
        url=_absolute(frame, f"/p/{found.code}"),
        preview=_absolute(frame, face.src) if face is not None else None,
        made_of=made_of(found),
        created_at=view.created_at,
        expires_at=found.expires_at,
        checksum=view.checksum,
        model=found.encoder,
        liked=liked,
        disliked=pictures(view.disliked[:SHOWN]),
        own=frame.person is not None and found.person_id == frame.person.id,
        in_use=settings is not None and settings.default_code == found.code,
        visibility=found.visibility,
    )
    return frame.show(page)


@router.post("/p/{code}/use")
def use(frame: FrameDep, person: PersonOrGuest, code: str) -> Response:
    """From now on a bare --p means this code."""
    profiles.use_code(frame.session, person=person, code=code)
    return RedirectResponse(f"/p/{code}", status_code=303)


@router.post("/codes")
def freeze(frame: FrameDep, person: CurrentPerson) -> Response:
    """Freeze the global profile as it is now, and show the code's page."""
    profile = profiles.global_profile(frame.session, person=person)
    code = profiles.freeze(frame.session, profile=profile)
    return RedirectResponse(f"/p/{code.code}", status_code=303)


@router.post("/codes/{code}/visibility")
def set_visibility(
    frame: FrameDep, person: CurrentPerson, code: str, visibility: Annotated[str, Form()]
) -> Response:
    """Say who may use a code."""
    profiles.set_code_visibility(frame.session, person=person, code=code, visibility=visibility)
    return RedirectResponse("/info#codes", status_code=303)


@router.post("/codes/{code}/convert")
def convert(frame: FrameDep, person: CurrentPerson, code: str, model: Annotated[str, Form()]) -> Response:
    """Say a code in the space of another model, and show the new one's page."""
    encoder = get_preset(model).encoder
    made = conversion.convert(frame.session, person=person, code=code, encoder=encoder)
    return RedirectResponse(f"/p/{made.code}", status_code=303)


@router.post("/codes/{code}/revoke")
def revoke(frame: FrameDep, person: CurrentPerson, code: str) -> Response:
    """End a code for everybody, for good."""
    profiles.revoke_code(frame.session, person=person, code=code)
    return RedirectResponse("/info#codes", status_code=303)


def _absolute(frame: Frame, path: str) -> str:
    base = get_settings().public_url or str(frame.request.base_url)
    return base.rstrip("/") + path
