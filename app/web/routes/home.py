"""The start page."""

import numpy as np
from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from app.services import rating
from app.web.cards import picture
from app.web.contexts import WelcomePage
from app.web.frame import FrameDep

router = APIRouter(include_in_schema=False)
STRIP = 16


@router.get("/")
def welcome(frame: FrameDep) -> Response:
    """What Penchant is; whoever has begun goes on instead."""
    shell = frame.shell()
    if shell.ratings:
        onward = "/create" if shell.ratings >= shell.needed else "/explore"
        return RedirectResponse(onward, status_code=303, headers={"Cache-Control": "no-store"})
    pairs = rating.visitor_pairs(frame.session, count=STRIP // 2, rng=np.random.default_rng())
    images = {image.id: picture(image) for pair in pairs for image in (pair.left, pair.right)}
    return frame.show(WelcomePage(shell=shell, images=tuple(images.values())))
