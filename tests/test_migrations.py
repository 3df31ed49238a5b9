"""The schema: what the migrations build is what the models say, and they can be taken back."""

import psycopg
from alembic import command

from app.db import alembic_config, upgrade


def test_up_down_and_up_again_gives_what_the_models_say(empty_database_url: str) -> None:
    config = alembic_config(empty_database_url)
    upgrade(empty_database_url)
    command.check(config)
    command.downgrade(config, "base")
    with psycopg.connect(empty_database_url) as connection:
        left = connection.execute("select tablename from pg_tables where schemaname = 'public'").fetchall()
    assert left == [("alembic_version",)]
    upgrade(empty_database_url)
    command.check(config)


def test_pairs_that_were_rated_before_count_as_answered(empty_database_url: str) -> None:
    upgrade(empty_database_url, "0001")
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("insert into people default values")
        connection.execute(
            "insert into profiles (public_id, person_id, name, is_global, is_default, rating_count)"
            " values ('p', 1, 'Global', true, true, 1)"
        )
        connection.execute(
            "insert into images (source, visibility, key, thumbnail_key, sha256, width, height, prompt)"
            " select 'upload', 'public', n, n, '', 1, 1, '' from generate_series(1, 3) n"
        )
        connection.execute(
            "insert into pairs (id, profile_id, left_id, right_id, selection)"
            " select gen_random_uuid(), 1, 1, n, 'chosen' from generate_series(2, 3) n"
        )
        connection.execute(
            "insert into ratings (profile_id, pair_id, answer)"
            " select 1, id, 'left' from pairs where right_id = 2"
        )
    upgrade(empty_database_url)
    with psycopg.connect(empty_database_url) as connection:
        rows = connection.execute("select right_id, answered from pairs order by right_id").fetchall()
    assert rows == [(2, True), (3, False)]


def test_tastes_of_an_earlier_rule_are_left_to_be_learned_again(empty_database_url: str) -> None:
    upgrade(empty_database_url, "0004")
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("insert into people default values")
        connection.execute(
            "insert into profiles (public_id, person_id, name, is_global, is_default, rating_count)"
            " values ('p', 1, 'Global', true, true, 1)"
        )
        connection.execute("insert into spaces (encoder, version, data) values ('starter', 1, '')")
        connection.execute(
            "insert into tastes (profile_id, encoder, space_version, mean, covariance, comparisons)"
            " values (1, 'starter', 1, '{0, 0}', '', 1)"
        )
    upgrade(empty_database_url)
    with psycopg.connect(empty_database_url) as connection:
        assert connection.execute("select count(*) from tastes").fetchone() == (0,)
        assert connection.execute("select rating_count from profiles").fetchone() == (1,)
