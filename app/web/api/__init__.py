"""The REST API, version 1."""

from fastapi import APIRouter

from app.web.api import account, jobs, profiles, ratings

router = APIRouter()
for part in (ratings, profiles, jobs, account):
    router.include_router(part.router)
