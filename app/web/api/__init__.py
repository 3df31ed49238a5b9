"""The REST API, version 1."""

from fastapi import APIRouter

from app.web.api import account, jobs, moodboards, profiles, ratings

router = APIRouter()
for part in (ratings, profiles, moodboards, jobs, account):
    router.include_router(part.router)
