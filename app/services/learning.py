"""One answer, taken in with two statements: what is known of the pair, then everything it changes."""

from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ARRAY, Double, LargeBinary, Uuid, bindparam, text
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Session

from app.models import Profile, Rating
from app.services.tastes import decode, encoder_in_use, load_space, stored_taste, taste_from_row
from app.taste.comparisons import Answer, compare, newest
from app.taste.posterior import Posterior, predict, update
from app.taste.space import Space, project

Array = NDArray[np.float64]

_FACTS = text("""
    select pairs.left_id, pairs.right_id, ratings.id, ratings.answer, ratings.created_at,
        vector_send(lefts.image_vector) as left_vector, vector_send(rights.image_vector) as right_vector,
        tastes.space_version, tastes.mean, tastes.covariance, tastes.comparisons, left_met, right_met,
        (select max(version) from spaces where spaces.encoder = :encoder) as newest
    from pairs
    left join ratings on ratings.pair_id = pairs.id
    left join embeddings lefts on lefts.image_id = pairs.left_id and lefts.encoder = :encoder
    left join embeddings rights on rights.image_id = pairs.right_id and rights.encoder = :encoder
    left join tastes on tastes.profile_id = pairs.profile_id and tastes.encoder = :encoder
    cross join lateral (
        select count(*) filter (where pairs.left_id in (met.left_id, met.right_id)) as left_met,
            count(*) filter (where pairs.right_id in (met.left_id, met.right_id)) as right_met
        from pairs met join ratings said on said.pair_id = met.id and said.answer <> 'skip'
        where met.profile_id = pairs.profile_id
            and array[met.left_id, met.right_id] && array[pairs.left_id, pairs.right_id]
    ) known
    where pairs.id = :pair and pairs.profile_id = :profile
""").bindparams(bindparam("pair", type_=Uuid))

_LEARN = text("""
    with rated as (
        insert into ratings (profile_id, pair_id, answer) values (:profile, :pair, :answer)
        returning id, created_at
    ), foreseen as (
        update pairs set predicted = :predicted, answered = true where id = :pair
    ), counted as (
        update profiles set rating_count = rating_count + :points where id = :profile returning rating_count
    ), learned as (
        insert into tastes (profile_id, encoder, space_version, mean, covariance, comparisons)
        select cast(:profile as bigint), cast(:encoder as text), cast(:version as int),
            cast(:mean as double precision[]), cast(:covariance as bytea), cast(:comparisons as int)
        where cast(:version as int) is not null
        on conflict (profile_id, encoder) do update set space_version = excluded.space_version,
            mean = excluded.mean, covariance = excluded.covariance, comparisons = excluded.comparisons
    ), outdated as (
        delete from tastes where profile_id = :profile and encoder <> :encoder
    )
    select rated.id, rated.created_at, counted.rating_count from rated, counted
""").bindparams(
    bindparam("pair", type_=Uuid),
    bindparam("mean", type_=ARRAY(Double)),
    bindparam("covariance", type_=LargeBinary),
    bindparam("predicted", type_=Double),
)


@dataclass(frozen=True)
class Facts:
    """A pair that was offered: its rating if it has one, its images' places (k,) if they are known, in how
    many comparisons each stood, left before right, and the profile's taste before it."""

    rating: Rating | None
    left: Array | None
    right: Array | None
    met: dict[int, int]
    taste: Posterior
    space: Space


def facts(session: Session, *, profile: Profile, pair_id: UUID) -> Facts | None:
    """What is known of a pair; None when it was not offered to this profile."""
    encoder = encoder_in_use()
    row = session.execute(_FACTS, {"encoder": encoder, "pair": pair_id, "profile": profile.id}).first()
    if row is None:
        return None
    space = load_space(session, encoder=encoder, version=row.newest)
    rating = None
    if row.id is not None:
        rating = session.get_one(Rating, row.id, populate_existing=True)
    if row.space_version == space.version:
        taste = taste_from_row(row.mean, row.covariance, row.comparisons)
    else:
        taste = stored_taste(session, profile=profile, space=space)
    left = None if row.left_vector is None else project(space, decode(row.left_vector)[None])
    right = None if row.right_vector is None else project(space, decode(row.right_vector)[None])
    met = {row.left_id: row.left_met, row.right_id: row.right_met}
    return Facts(rating=rating, left=left, right=right, met=met, taste=taste, space=space)


def learn(session: Session, *, profile: Profile, pair_id: UUID, known: Facts, answer: str) -> Rating:
    """Store the answer, count it, and move the taste by it; note how the taste had foreseen it."""
    values: dict[str, object] = dict.fromkeys(("predicted", "version", "mean", "covariance", "comparisons"))
    if known.left is not None and known.right is not None:
        values["predicted"] = float(predict(known.taste, known.left - known.right)[0])
        if answer != Answer.SKIP:
            numbers = np.array([list(known.met)], dtype=np.int64)
            said = compare([Answer(answer)], known.left, known.right, images=numbers)
            taste = update(known.taste, newest(said, known.met))
            values |= {
                "version": known.space.version,
                "mean": taste.mean.tolist(),
                "covariance": taste.cov.tobytes(),
                "comparisons": taste.count,
            }
    values |= {"profile": profile.id, "pair": pair_id, "answer": answer, "encoder": known.space.encoder}
    row = session.execute(_LEARN, {**values, "points": points(answer)}).one()
    set_committed_value(profile, "rating_count", row.rating_count)
    rating = Rating(profile_id=profile.id or 0, pair_id=pair_id, answer=answer)
    rating.id, rating.created_at = row.id, row.created_at
    return rating


def points(answer: str) -> int:
    """What an answer counts toward unlocking: a skip nothing, all others one."""
    return 0 if answer == Answer.SKIP else 1
