"""The population prior: who teaches it, when it is replaced, and what stays as it was."""

import threading
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import Engine, func, update
from sqlmodel import Session, col, select

from app.config import Settings
from app.db import session_scope
from app.errors import InvalidPrompt
from app.models import Code, EncoderSpace, Person, PersonSettings, Profile, ProfileTaste, Renewal
from app.services import accounts, generation, population, profiles, rating
from app.services.tastes import load_taste, needed_space
from app.taste.posterior import prior
from app.taste.space import dump_space, fit_space
from tests.gallery import ENCODER, KEPT, make_gallery
from tests.services.crowd import settle_people


@pytest.fixture
def gallery(session: Session) -> list[int]:
    """Sixty images; their ids."""
    ids = make_gallery(session)
    session.commit()
    return ids


@pytest.fixture
def people(session: Session, gallery: list[int]) -> list[Profile]:
    """Twenty-four people who agreed."""
    return settle_people(session, images=gallery, people=24)


def versions(session: Session) -> list[int]:
    session.expire_all()
    return list(session.exec(select(EncoderSpace.version).order_by(col(EncoderSpace.version))))


def test_what_people_share_becomes_a_new_version(
    engine: Engine, session: Session, people: list[Profile]
) -> None:
    before = needed_space(session)
    report = population.renew(engine)
    assert (report.outcome, report.version, report.people) == ("renewed", 2, 24)
    assert report.gain > 2 * report.error > 0
    after = needed_space(session)
    assert (before.version, after.version) == (1, 2)
    assert after.prior_mean[0] > 0.5 > -0.5 > after.prior_mean[1]
    assert "Version 2 was learned from 24 people" in report.says


def test_nothing_new_is_not_learned_again(engine: Engine, session: Session, people: list[Profile]) -> None:
    population.renew(engine)
    assert population.renew(engine).outcome == "unchanged"
    assert versions(session) == [1, 2]
    rate = session.exec(select(Profile)).first()
    assert rate is not None
    log = rating.list_ratings(session, profile=rate, limit=1)[0].rating
    rating.change_rating(session, profile=rate, rating_id=log.id or 0, answer="tie")
    session.commit()
    assert population.renew(engine).outcome == "kept"  # looked at again, and no better
    assert versions(session) == [1, 2]
    assert session.exec(select(func.count()).select_from(Renewal)).one() == 2


def test_only_who_agreed_is_asked(engine: Engine, session: Session, gallery: list[int]) -> None:
    settle_people(session, images=gallery, people=24, contribute=False)
    settle_people(session, images=gallery, people=3, each=5, seed=1)  # agreed, and have hardly rated
    agreed = settle_people(session, images=gallery, people=19, seed=2)
    report = population.renew(engine)
    assert (report.outcome, report.people) == ("few", 19)
    one = session.exec(select(PersonSettings).where(~col(PersonSettings.contribute))).first()
    assert one is not None
    one.contribute = True
    session.commit()
    assert population.renew(engine).people == 20
    withdrawn = session.get_one(PersonSettings, agreed[0].person_id)
    withdrawn.contribute = False
    session.commit()
    assert population.renew(engine).outcome == "few"


def test_agreeing_is_never_the_default(session: Session, gallery: list[int]) -> None:
    person = accounts.create_guest(session)
    assert not accounts.get_settings_of(session, person=person).contribute
    assert not accounts.update_settings(session, person=person, stylize=50).contribute
    assert accounts.update_settings(session, person=person, contribute=True).contribute
    assert accounts.update_settings(session, person=person, stylize=60).contribute


def test_tastes_move_and_codes_stay(
    engine: Engine,
    session: Session,
    settings: Settings,
    people: list[Profile],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings, "unlock_ratings", 20)
    owner = people[0]
    code = profiles.freeze(session, profile=owner)
    frozen = profiles.frozen(code)
    session.commit()
    assert population.renew(engine).moved == 1
    session.expire_all()
    row = session.exec(select(ProfileTaste)).one()
    assert row.space_version == 2
    session.refresh(owner)
    assert owner.expected_gain is not None
    again = profiles.frozen(session.get_one(Code, code.code))
    assert again.space_version == 1
    assert np.array_equal(again.posterior.mean, frozen.posterior.mean)
    assert profiles.freeze(session, profile=owner).space_version == 2


def test_codes_of_two_versions_blend(
    engine: Engine,
    session: Session,
    settings: Settings,
    people: list[Profile],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings, "unlock_ratings", 20)
    old = profiles.freeze(session, profile=people[0]).code
    session.commit()
    population.renew(engine)
    new = profiles.freeze(session, profile=people[0]).code
    owner = session.get_one(Person, people[0].person_id)
    (job,) = generation.submit(session, person=owner, prompt=f"a tree --p {old} {new}")
    assert len(job.spec["personalize"]["tastes"]) == 2
    session.rollback()
    other = fit_space(np.random.default_rng(0).standard_normal((60, 24)), KEPT, encoder=ENCODER, version=3)
    session.add(EncoderSpace(encoder=ENCODER, version=3, data=dump_space(other)))
    newest = profiles.freeze(session, profile=session.get_one(Profile, people[0].id)).code
    with pytest.raises(InvalidPrompt, match="different versions"):
        generation.submit(session, person=owner, prompt=f"a tree --p {old} {newest}")


def test_whoever_rates_meanwhile_is_neither_kept_waiting_nor_lost(
    engine: Engine, session: Session, people: list[Profile]
) -> None:
    for profile in people[:2]:
        load_taste(session, profile=profile)
    session.commit()
    rating.lock(session, people[0])  # somebody is in the middle of a rating
    report = population.renew(engine)
    assert (report.outcome, report.moved) == ("renewed", 1)
    session.rollback()
    session.expire_all()
    taste = load_taste(session, profile=session.get_one(Profile, people[0].id))
    session.commit()
    assert taste.count == 20
    assert population.renew(engine).moved == 0


def test_what_was_left_undone_is_done_by_the_next_run(
    engine: Engine, session: Session, people: list[Profile], monkeypatch: pytest.MonkeyPatch
) -> None:
    load_taste(session, profile=people[0])
    session.commit()
    with monkeypatch.context() as killed:
        killed.setattr(population, "move_tastes", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            population.renew(engine)
    assert versions(session) == [1, 2]
    report = population.renew(engine)
    assert (report.outcome, report.moved) == ("unchanged", 1)


def test_one_at_a_time(engine: Engine, people: list[Profile]) -> None:
    outcomes: list[str] = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(population.renew(engine).outcome)) for _ in "ab"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) in (["busy", "renewed"], ["renewed", "unchanged"])


def test_it_is_due_once_a_day_and_never_where_it_is_switched_off(
    engine: Engine, settings: Settings, people: list[Profile], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "renew_hours", 0.0)
    assert population.renew(engine, only_if_due=True).outcome == "early"
    monkeypatch.setattr(settings, "renew_hours", 24.0)
    assert population.renew(engine, only_if_due=True).outcome == "renewed"
    assert population.renew(engine, only_if_due=True).outcome == "early"
    with session_scope(engine) as session:
        session.execute(update(Renewal).values(created_at=datetime.now(UTC) - timedelta(hours=25)))
    assert population.renew(engine, only_if_due=True).outcome == "unchanged"


def test_an_installation_without_a_gallery_has_nothing_to_learn(engine: Engine) -> None:
    assert population.renew(engine).outcome == "no space"


def test_a_newcomer_begins_with_what_people_share(
    engine: Engine, session: Session, people: list[Profile]
) -> None:
    population.renew(engine)
    newcomer = profiles.global_profile(session, person=accounts.create_guest(session))
    taste = load_taste(session, profile=newcomer)
    assert np.array_equal(taste.mean, prior(needed_space(session)).mean)
    assert taste.weights[0] > 0.5
