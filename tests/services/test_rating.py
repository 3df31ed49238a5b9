"""Rating: what an answer changes, whatever is replayed, undone or done at once."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies
from sqlalchemy import Engine, func
from sqlmodel import Session, select

from app.db import session_scope
from app.errors import InvalidInput, NotFound
from app.models import ANSWERS, Embedding, Image, Pair, Profile, Rating
from app.services import accounts, profiles, rating
from app.services.tastes import current_space, load_taste, refit_taste, stored_taste
from app.taste.comparisons import Answer, compare, newest
from app.taste.posterior import Posterior, prior, update
from tests.gallery import make_gallery, make_image


@pytest.fixture
def gallery(session: Session) -> list[int]:
    """Sixty images; their ids."""
    ids = make_gallery(session)
    session.commit()
    return ids


@pytest.fixture
def profile(session: Session, gallery: list[int]) -> Profile:
    """The global profile of a new guest."""
    return new_profile(session)


def new_profile(session: Session) -> Profile:
    profile = profiles.global_profile(session, person=accounts.create_guest(session))
    session.commit()
    return profile


def answer_next(session: Session, profile: Profile, answer: str) -> rating.Recorded:
    (pair,) = rating.next_pairs(session, profile=profile, count=1)
    return rating.record(session, profile=profile, pair_id=pair.id, answer=answer)


def exact(session: Session, profile: Profile) -> Posterior:
    space = current_space(session)
    assert space is not None
    taste = refit_taste(session, profile=profile, space=space)
    return taste


def test_offers_stay_until_they_are_answered(session: Session, profile: Profile) -> None:
    first = rating.next_pairs(session, profile=profile, count=3)
    again = rating.next_pairs(session, profile=profile, count=3)
    assert {pair.id for pair in again} == {pair.id for pair in first}
    rating.record(session, profile=profile, pair_id=first[0].id, answer="skip")
    after = {pair.id for pair in rating.next_pairs(session, profile=profile, count=3)}
    assert {pair.id for pair in first[1:]} <= after
    assert first[0].id not in after


def test_two_images_meet_once(session: Session) -> None:
    ids = make_gallery(session, count=6)
    profile = new_profile(session)
    met: list[frozenset[int | None]] = []
    while pairs := rating.next_pairs(session, profile=profile, count=4):
        for pair in pairs:
            met.append(frozenset((pair.left.id, pair.right.id)))
            rating.record(session, profile=profile, pair_id=pair.id, answer="left")
    assert len(met) == len(set(met)) == len(ids) * (len(ids) - 1) // 2


def test_one_pair_in_ten_is_random(session: Session, gallery: list[int]) -> None:
    rng = np.random.default_rng(3)
    drawn = [pair for _ in range(100) for pair in rating.visitor_pairs(session, count=20, rng=rng)]
    assert len(drawn) == 2000
    # More than four standard errors to either side: images' places come from the database, not from `rng`.
    assert 0.07 < sum(pair.selection == "random" for pair in drawn) / len(drawn) < 0.13


def test_only_public_images_with_an_embedding_are_offered(session: Session, gallery: list[int]) -> None:
    bare = make_image(session, "no-embedding")
    hidden = session.exec(select(Image).limit(1)).one()
    hidden.visibility = "private"
    session.flush()
    drawn = [pair for _ in range(25) for pair in rating.visitor_pairs(session, count=20)]
    shown = {image.id for pair in drawn for image in (pair.left, pair.right)}
    assert shown == set(gallery) - {bare, hidden.id}


def test_an_empty_gallery_offers_nothing(session: Session) -> None:
    assert rating.next_pairs(session, profile=new_profile(session), count=4) == []
    assert rating.visitor_pairs(session, count=4) == []


def test_a_replay_changes_nothing(session: Session, profile: Profile) -> None:
    first = answer_next(session, profile, "left")
    before = load_taste(session, profile=profile)
    again = rating.record(session, profile=profile, pair_id=first.rating.pair_id, answer="left")
    assert first.created
    assert not again.created
    assert again.rating.id == first.rating.id
    assert again.rating_count == 1
    assert np.array_equal(load_taste(session, profile=profile).mean, before.mean)


def test_another_answer_replaces_the_first(session: Session, profile: Profile) -> None:
    first = answer_next(session, profile, "left")
    changed = rating.record(session, profile=profile, pair_id=first.rating.pair_id, answer="skip")
    assert not changed.created
    assert changed.rating_count == 0
    space = current_space(session)
    assert space is not None
    assert np.allclose(load_taste(session, profile=profile).mean, prior(space).mean)


def test_a_rating_moves_the_taste_towards_the_liked_image(session: Session, profile: Profile) -> None:
    space = current_space(session)
    assert space is not None
    (pair,) = rating.next_pairs(session, profile=profile, count=1)
    rating.record(session, profile=profile, pair_id=pair.id, answer="right")
    vectors = {row.image_id: np.asarray(row.image_vector) for row in session.exec(select(Embedding))}
    left = (vectors[pair.left.id or 0] - space.centre) @ space.components.T / space.scales
    right = (vectors[pair.right.id or 0] - space.centre) @ space.components.T / space.scales
    assert load_taste(session, profile=profile).weights @ (right - left) > 0


def test_what_was_foreseen_is_noted_before_learning(session: Session, profile: Profile) -> None:
    first = answer_next(session, profile, "left")
    pair = session.get_one(Pair, first.rating.pair_id, populate_existing=True)
    assert pair.predicted == pytest.approx(0.5)  # nothing was known yet
    second = answer_next(session, profile, "left")
    pair = session.get_one(Pair, second.rating.pair_id, populate_existing=True)
    assert pair.predicted != pytest.approx(0.5)


def test_pairs_of_others_cannot_be_rated(session: Session, profile: Profile) -> None:
    other = new_profile(session)
    (theirs,) = rating.next_pairs(session, profile=other, count=1)
    for pair_id in (theirs.id, uuid4()):
        with pytest.raises(NotFound, match="This pair was not shown to you"):
            rating.record(session, profile=profile, pair_id=pair_id, answer="left")
    mine = answer_next(session, other, "left").rating
    with pytest.raises(NotFound):
        rating.delete_rating(session, profile=profile, rating_id=mine.id or 0)
    with pytest.raises(NotFound):
        rating.change_rating(session, profile=profile, rating_id=mine.id or 0, answer="right")


def test_unknown_answers_are_refused(session: Session, profile: Profile) -> None:
    (pair,) = rating.next_pairs(session, profile=profile, count=1)
    with pytest.raises(InvalidInput, match="both_bad"):
        rating.record(session, profile=profile, pair_id=pair.id, answer="up")


def test_undo_with_nothing_to_undo(session: Session, profile: Profile) -> None:
    assert rating.undo(session, profile=profile) is None


def test_undo_offers_the_pair_again(session: Session, profile: Profile) -> None:
    recorded = answer_next(session, profile, "left")
    undone = rating.undo(session, profile=profile)
    assert undone is not None
    assert undone.id == recorded.rating.id
    assert rating.next_pairs(session, profile=profile, count=1)[0].id == recorded.rating.pair_id
    assert profile.rating_count == 0


def test_a_new_space_is_learned_from_the_same_ratings(session: Session, profile: Profile) -> None:
    for answer in ("left", "right", "tie"):
        answer_next(session, profile, answer)
    before = load_taste(session, profile=profile)
    session.connection().exec_driver_sql(
        "insert into spaces (encoder, version, data) select encoder, 2, data from spaces where version = 1"
    )
    after = load_taste(session, profile=profile)
    assert after.count == before.count == 3
    assert np.allclose(after.mean, before.mean, atol=0.05)


Action = tuple[str, int]
ACTIONS = strategies.lists(
    strategies.tuples(
        strategies.sampled_from([*ANSWERS, "undo", "delete", "change", "replay"]), strategies.integers(0, 99)
    ),
    max_size=25,
)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(actions=ACTIONS)
def test_any_sequence_leaves_what_its_log_says(
    session: Session, gallery: list[int], actions: list[Action]
) -> None:
    """Whatever was undone, changed, deleted or sent twice: count and taste are those of the ratings left."""
    profile = new_profile(session)
    for action, number in actions:
        act(session, profile, action, number)
    kept = rating.list_ratings(session, profile=profile, limit=100)
    points = [row.rating.answer for row in kept if row.rating.answer != "skip"]
    assert profile.rating_count == len(points)
    streamed = load_taste(session, profile=profile)
    exactly = exact(session, profile)
    assert streamed.count == exactly.count == len(points)
    # The stream takes each answer in once and never looks back: it stays within a third of what is still
    # uncertain about each coordinate.
    assert np.all(np.abs(streamed.mean - exactly.mean) <= np.sqrt(np.diag(exactly.cov)) / 3)
    session.rollback()


def act(session: Session, profile: Profile, action: str, number: int) -> None:
    if action in ANSWERS:
        answer_next(session, profile, action)
    elif action == "undo":
        rating.undo(session, profile=profile)
    elif log := rating.list_ratings(session, profile=profile, limit=100):
        chosen = log[number % len(log)].rating
        match action:
            case "delete":
                rating.delete_rating(session, profile=profile, rating_id=chosen.id or 0)
            case "change":
                answer = ANSWERS[number % len(ANSWERS)]
                rating.change_rating(session, profile=profile, rating_id=chosen.id or 0, answer=answer)
            case _:
                rating.record(session, profile=profile, pair_id=chosen.pair_id, answer=chosen.answer)


def test_undo_is_exact(session: Session, profile: Profile) -> None:
    answers = random.Random(5).choices(ANSWERS, k=12)
    for answer in answers:
        answer_next(session, profile, answer)
    before = exact(session, profile)
    answer_next(session, profile, "left")
    rating.undo(session, profile=profile)
    after = load_taste(session, profile=profile)
    assert np.array_equal(before.mean, after.mean)
    assert np.array_equal(before.cov, after.cov)


def test_the_stored_taste_is_the_one_that_was_computed(session: Session) -> None:
    make_gallery(session, count=12)  # few, so that images return
    profile = new_profile(session)
    space = current_space(session)
    assert space is not None
    expected = prior(space)
    rows = session.exec(select(Embedding))
    vectors = {row.image_id: np.asarray(row.image_vector, dtype=np.float32) for row in rows}

    def place(image: int | None) -> np.ndarray:
        return np.asarray((vectors[image or 0] - space.centre) @ space.components.T / space.scales)[None]

    met: Counter[int] = Counter()
    for answer in ("left", "both_bad", "skip", "tie", "right") * 8:  # more than the gallery has images for
        (pair,) = rating.next_pairs(session, profile=profile, count=1)
        rating.record(session, profile=profile, pair_id=pair.id, answer=answer)
        if answer == "skip":
            continue
        images = np.array([[pair.left.id, pair.right.id]])
        said = compare([Answer(answer)], place(pair.left.id), place(pair.right.id), images=images)
        expected = update(expected, newest(said, met))
        met.update(images.ravel().tolist())
    stored = stored_taste(session, profile=profile, space=space)
    assert max(met.values()) > 1
    assert np.allclose(stored.mean, expected.mean, rtol=0, atol=1e-12)
    assert np.allclose(stored.cov, expected.cov, rtol=0, atol=1e-12)


def test_the_same_answer_from_many_tabs_makes_one_rating(engine: Engine, session: Session) -> None:
    make_gallery(session)
    profile = new_profile(session)
    pairs = [pair.id for pair in rating.next_pairs(session, profile=profile, count=4)]
    session.commit()

    def send(pair_id: UUID) -> bool:
        with session_scope(engine) as own:
            return rating.record(own, profile=profile, pair_id=pair_id, answer="left").created

    with ThreadPoolExecutor(8) as pool:
        created = list(pool.map(send, pairs * 6))
    assert sum(created) == len(pairs)
    with session_scope(engine) as fresh:
        assert fresh.exec(select(func.count()).select_from(Rating)).one() == len(pairs)
        assert fresh.get_one(Profile, profile.id).rating_count == len(pairs)
        assert load_taste(fresh, profile=fresh.get_one(Profile, profile.id)).count == len(pairs)


def test_pairs_asked_for_at_once_are_drawn_in_turn(engine: Engine, session: Session) -> None:
    make_gallery(session)
    profile = new_profile(session)

    def ask(_: int) -> list[UUID]:
        with session_scope(engine) as own:
            return [pair.id for pair in rating.next_pairs(own, profile=profile, count=4)]

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(ask, range(12)))
    assert all(set(answer) == set(answers[0]) for answer in answers)


def test_the_gallery_is_drawn_evenly(session: Session) -> None:
    ids = make_gallery(session, count=200)
    rng = np.random.default_rng(11)
    counts = dict.fromkeys(ids, 0)
    for _ in range(60):
        for pair in rating.visitor_pairs(session, count=20, rng=rng):
            if pair.selection == "random":
                counts[pair.left.id or 0] += 1
                counts[pair.right.id or 0] += 1
    assert sum(counts.values()) > 150
    assert len([count for count in counts.values() if count]) > 80
    assert max(counts.values()) < 12
