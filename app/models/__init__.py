"""The tables, one file an aggregate. Importing this package registers all of them."""

from app.models.images import Embedding, EncoderSpace, Image, Renewal
from app.models.jobs import FINAL_STATES, MAX_ATTEMPTS, OPEN_STATES, Job, JobImage
from app.models.people import ApiToken, Person, PersonSettings, WebSession
from app.models.profiles import Code, MoodboardImage, Profile, ProfileTaste
from app.models.ratings import ANSWERS, Pair, Rating

__all__ = [
    "ANSWERS",
    "FINAL_STATES",
    "MAX_ATTEMPTS",
    "OPEN_STATES",
    "ApiToken",
    "Code",
    "Embedding",
    "EncoderSpace",
    "Image",
    "Job",
    "JobImage",
    "MoodboardImage",
    "Pair",
    "Person",
    "PersonSettings",
    "Profile",
    "ProfileTaste",
    "Rating",
    "Renewal",
    "WebSession",
]
