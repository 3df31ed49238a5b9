"""The REST API, version 1."""

from fastapi import APIRouter

from app.web.api import account, jobs, moodboards, profiles, ratings, workers

router = APIRouter()
for part in (ratings, profiles, moodboards, jobs, workers, account):
    router.include_router(part.router)
