"""The pages: routes that return HTML, and what their scripts ask for."""

from fastapi import APIRouter

from app.web.routes import account, create, explore, home, images, info, jobs, moodboards, settings, share

router = APIRouter()
for part in (home, explore, create, jobs, images, moodboards, share, info, settings, account):
    router.include_router(part.router)
