"""What more rating would add: looked at now and then, and told in a sentence."""

import pytest
from sqlmodel import Session

from app.config import Settings
from app.models import Profile
from app.services import accounts, outlook, profiles, rating
from tests.gallery import make_gallery


def profile_of(session: Session, *, ratings: int) -> Profile:
    make_gallery(session)
    profile = profiles.global_profile(session, person=accounts.create_guest(session))
    for _ in range(ratings):
        (pair,) = rating.next_pairs(session, profile=profile, count=1)
        rating.record(session, profile=profile, pair_id=pair.id, answer="left")
    return profile


def test_it_is_looked_at_every_tenth_rating(session: Session) -> None:
    profile = profile_of(session, ratings=9)
    assert (profile.expected_gain, outlook.outlook(profile)) == (None, "")
    (pair,) = rating.next_pairs(session, profile=profile, count=1)
    rating.record(session, profile=profile, pair_id=pair.id, answer="right")
    session.commit()
    session.refresh(profile)
    assert profile.expected_gain is not None
    assert 0.02 < profile.expected_gain < 0.4
    assert outlook.outlook(profile).startswith("50 more ratings should add about")


def test_it_is_not_said_of_ratings_that_were_taken_back(session: Session) -> None:
    profile = profile_of(session, ratings=11)
    told = profile.expected_gain
    assert told is not None
    rating.undo(session, profile=profile)
    assert profile.expected_gain not in (None, told)  # looked at anew
    rating.undo(session, profile=profile)
    assert profile.rating_count == 9
    assert outlook.outlook(profile) == ""


@pytest.mark.parametrize(
    ("count", "gain", "enough", "said"),
    [
        (50, None, False, ""),
        (50, 0.123, False, "50 more ratings should add about 12 points of accuracy."),
        (300, 0.0101, False, "50 more ratings should add about 1 point of accuracy."),
        (300, 0.0099, True, "Rating more will hardly change this taste now."),
        (199, 0.001, False, ""),  # locked: whoever is known so soon has to go on all the same
    ],
)
def test_it_is_told_in_a_sentence(
    settings: Settings, count: int, gain: float | None, enough: bool, said: str
) -> None:
    profile = Profile(
        public_id="p",
        person_id=1,
        name="Global",
        is_global=True,
        is_default=True,
        rating_count=count,
        expected_gain=gain,
    )
    assert (outlook.enough(profile), outlook.outlook(profile)) == (enough, said)
