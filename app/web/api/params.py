"""Parameters that several routes of the API take."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query

from app.models import Person
from app.web.api.schemas import MAX_ID, MAX_PAGE
from app.web.deps import require_scope

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="how many items at most")]
Before = Annotated[int | None, Query(ge=1, le=MAX_ID, description="`next` of the page before")]
BeforeJob = Annotated[UUID | None, Query(description="`next` of the page before")]
PathId = Annotated[int, Path(ge=1, le=MAX_ID)]
PathCode = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,40}$", examples=["2d92kutq7wg5"])]

Reader = Annotated[Person, Depends(require_scope("read"))]
Rater = Annotated[Person, Depends(require_scope("rate"))]
Generator = Annotated[Person, Depends(require_scope("generate"))]
Curator = Annotated[Person, Depends(require_scope("profiles"))]
Owner = Annotated[Person, Depends(require_scope("account"))]
