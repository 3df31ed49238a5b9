"""A guest signs in to an account: what was rated and made as a guest moves there."""

from itertools import chain, count

from sqlalchemy import delete, text, update
from sqlmodel import Session, col, select

from app.models import Code, Image, Job, Person, Profile
from app.services.profiles import global_profile
from app.services.rating import lock
from app.services.tastes import current_space, refit_taste

_MOVE_PAIRS = text("""
    update pairs set profile_id = :target where profile_id = :source and not exists (
        select from pairs known where known.profile_id = :target
            and least(known.left_id, known.right_id) = least(pairs.left_id, pairs.right_id)
            and greatest(known.left_id, known.right_id) = greatest(pairs.left_id, pairs.right_id)
    )
""")
_MOVE_RATINGS = text("""
    update ratings set profile_id = :target from pairs
    where ratings.pair_id = pairs.id and ratings.profile_id = :source and pairs.profile_id = :target
""")
_COUNT = text("""
    update profiles set rating_count = (
        select count(*) from ratings where ratings.profile_id = profiles.id and answer <> 'skip'
    ) where id = :target
""")
_MOVE_CODES = text("""
    update codes set profile_id = :target, person_id = :person, parent = null where profile_id = :source
""")


def merge_guest(session: Session, *, guest: Person, person: Person) -> None:
    """Move the guest's ratings, codes, jobs and images to `person`, and end the guest.

    Where both answered the same two images, the account's own answer stands.
    """
    profiles = session.exec(
        select(Profile).where(Profile.person_id == guest.id, col(Profile.is_global))
    ).all()
    for source in profiles:
        _merge_profile(session, source=source, target=global_profile(session, person=person))
    _move_others(session, guest=guest, person=person)
    session.execute(
        update(Job)
        .where(col(Job.person_id) == guest.id)
        .values(person_id=person.id, idempotency_key=None, idempotency_slot=0)
    )
    session.execute(update(Image).where(col(Image.owner_id) == guest.id).values(owner_id=person.id))
    session.execute(delete(Person).where(col(Person.id) == guest.id))
    session.expire_all()


def _move_others(session: Session, *, guest: Person, person: Person) -> None:
    """Profiles other than the global one move as they are; where the name is taken, a number follows it."""
    taken = set(session.exec(select(Profile.name).where(Profile.person_id == person.id)))
    others = select(Profile).where(Profile.person_id == guest.id, ~col(Profile.is_global))
    for profile in session.exec(others.order_by(col(Profile.id))).all():
        names = chain([profile.name], (f"{profile.name[:90]} {n}" for n in count(2)))
        name = next(name for name in names if name not in taken)
        taken.add(name)
        profile.person_id, profile.name, profile.is_default = person.id or 0, name, False
        session.execute(update(Code).where(col(Code.profile_id) == profile.id).values(person_id=person.id))
    session.flush()


def _merge_profile(session: Session, *, source: Profile, target: Profile) -> None:
    for profile in sorted((source, target), key=lambda p: p.id or 0):  # always in this order: no deadlock
        lock(session, profile)
    ids = {"source": source.id, "target": target.id}
    session.execute(_MOVE_PAIRS, ids)
    session.execute(_MOVE_RATINGS, ids)
    session.execute(_COUNT, {"target": target.id})
    session.execute(_MOVE_CODES, {**ids, "person": target.person_id})
    session.refresh(target)
    space = current_space(session)
    if space is not None:
        refit_taste(session, profile=target, space=space)
