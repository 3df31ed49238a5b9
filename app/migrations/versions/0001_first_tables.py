"""first tables."""

import sqlalchemy as sa
from alembic import op
from pgvector.sqlalchemy import Vector
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create extension if not exists vector")
    op.create_table(
        "people",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(email is null) = (password_hash is null)", name=op.f("ck_people_claimed")),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_people_email_lower")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("email", name=op.f("uq_people_email")),
    )
    op.create_table(
        "spaces",
        sa.Column("encoder", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("encoder", "version", name=op.f("pk_spaces")),
    )
    op.create_table(
        "images",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("visibility", sa.String(length=16), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("thumbnail_key", sa.Text(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("random_key", sa.Double(), server_default=sa.text("random()"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("source in ('gallery', 'job', 'upload')", name=op.f("ck_images_source")),
        sa.CheckConstraint("visibility in ('public', 'private')", name=op.f("ck_images_visibility")),
        sa.CheckConstraint("width > 0 and height > 0", name=op.f("ck_images_size")),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["people.id"], name=op.f("fk_images_owner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_images")),
        sa.UniqueConstraint("key", name=op.f("uq_images_key")),
    )
    op.create_index(
        "ix_images_gallery_random",
        "images",
        ["random_key"],
        unique=False,
        postgresql_where=sa.text("visibility = 'public'"),
    )
    op.create_index(
        "ix_images_owner_newest", "images", ["owner_id", sa.literal_column("id desc")], unique=False
    )
    op.create_index(
        "uq_images_gallery_sha256",
        "images",
        ["sha256"],
        unique=True,
        postgresql_where=sa.text("source = 'gallery'"),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("spec", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("preset", sa.String(length=80), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("worker", sa.String(length=200), nullable=True),
        sa.Column("error_code", sa.String(length=80), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("idempotency_key", sa.String(length=200), nullable=True),
        sa.Column("idempotency_slot", sa.SmallInteger(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'running') = (lease_token is not null)", name=op.f("ck_jobs_lease")),
        sa.CheckConstraint(
            "(state in ('done', 'failed', 'cancelled')) = (finished_at is not null)",
            name=op.f("ck_jobs_finished"),
        ),
        sa.CheckConstraint(
            "state in ('queued', 'running', 'done', 'failed', 'cancelled')", name=op.f("ck_jobs_state")
        ),
        sa.CheckConstraint("attempts between 0 and 3", name=op.f("ck_jobs_attempts")),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["jobs.id"], name=op.f("fk_jobs_parent_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_jobs_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint(
            "person_id",
            "idempotency_key",
            "idempotency_slot",
            name=op.f("uq_jobs_person_id_idempotency_key_idempotency_slot"),
        ),
    )
    op.create_index(
        "ix_jobs_open",
        "jobs",
        ["state", "created_at"],
        unique=False,
        postgresql_where=sa.text("state in ('queued', 'running')"),
    )
    op.create_index(op.f("ix_jobs_parent_id"), "jobs", ["parent_id"], unique=False)
    op.create_index(
        "ix_jobs_person_newest",
        "jobs",
        ["person_id", sa.literal_column("created_at desc"), sa.literal_column("id desc")],
        unique=False,
    )
    op.create_table(
        "profiles",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("is_global", sa.Boolean(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("rating_count", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("rating_count >= 0", name=op.f("ck_profiles_rating_count")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_profiles_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_profiles")),
        sa.UniqueConstraint("person_id", "name", name=op.f("uq_profiles_person_id_name")),
        sa.UniqueConstraint("public_id", name=op.f("uq_profiles_public_id")),
    )
    op.create_index(op.f("ix_profiles_person_id"), "profiles", ["person_id"], unique=False)
    op.create_index(
        "uq_profiles_global", "profiles", ["person_id"], unique=True, postgresql_where=sa.text("is_global")
    )
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_sessions_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_person_id"), "sessions", ["person_id"], unique=False)
    op.create_table(
        "tokens",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_tokens_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_tokens_token_hash")),
    )
    op.create_index(op.f("ix_tokens_person_id"), "tokens", ["person_id"], unique=False)
    op.create_table(
        "codes",
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("profile_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("parent", sa.String(length=16), nullable=True),
        sa.Column("rating_count", sa.Integer(), nullable=False),
        sa.Column("encoder", sa.String(length=80), nullable=False),
        sa.Column("space_version", sa.Integer(), nullable=False),
        sa.Column("checksum", sa.LargeBinary(length=32), nullable=False),
        sa.Column("taste", sa.LargeBinary(), nullable=False),
        sa.Column("liked_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("disliked_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("visibility", sa.String(length=16), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "visibility in ('private', 'unlisted', 'public')", name=op.f("ck_codes_visibility")
        ),
        sa.ForeignKeyConstraint(
            ["parent"], ["codes.code"], name=op.f("fk_codes_parent"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_codes_person_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profiles.id"], name=op.f("fk_codes_profile_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_codes")),
    )
    op.create_index(op.f("ix_codes_person_id"), "codes", ["person_id"], unique=False)
    op.create_index(op.f("ix_codes_profile_id"), "codes", ["profile_id"], unique=False)
    op.create_index(
        "uq_codes_state",
        "codes",
        ["profile_id", "checksum"],
        unique=True,
        postgresql_where=sa.text("revoked_at is null"),
    )
    op.create_table(
        "settings",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("personalize", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("stylize", sa.Integer(), server_default=sa.text("100"), nullable=False),
        sa.Column("model", sa.String(length=80), nullable=True),
        sa.Column("default_code", sa.String(length=16), nullable=True),
        sa.CheckConstraint("stylize between 0 and 1000", name=op.f("ck_settings_stylize")),
        sa.ForeignKeyConstraint(
            ["default_code"], ["codes.code"], name=op.f("fk_settings_default_code"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_settings_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_settings")),
    )
    op.create_index(op.f("ix_settings_default_code"), "settings", ["default_code"], unique=False)
    op.create_table(
        "embeddings",
        sa.Column("image_id", sa.BigInteger(), nullable=False),
        sa.Column("encoder", sa.String(length=80), nullable=False),
        sa.Column("image_vector", Vector(), nullable=False),
        sa.Column("text_vector", Vector(), nullable=True),
        sa.ForeignKeyConstraint(
            ["image_id"], ["images.id"], name=op.f("fk_embeddings_image_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("image_id", "encoder", name=op.f("pk_embeddings")),
    )
    op.create_index("ix_embeddings_encoder", "embeddings", ["encoder", "image_id"], unique=False)
    op.create_table(
        "job_images",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("slot", sa.SmallInteger(), nullable=False),
        sa.Column("image_id", sa.BigInteger(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column(
            "details",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["image_id"], ["images.id"], name=op.f("fk_job_images_image_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_job_images_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", "slot", name=op.f("pk_job_images")),
        sa.UniqueConstraint("image_id", name=op.f("uq_job_images_image_id")),
    )
    op.create_table(
        "pairs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("profile_id", sa.BigInteger(), nullable=False),
        sa.Column("left_id", sa.BigInteger(), nullable=False),
        sa.Column("right_id", sa.BigInteger(), nullable=False),
        sa.Column("selection", sa.String(length=8), nullable=False),
        sa.Column("predicted", sa.Double(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("selection in ('chosen', 'random')", name=op.f("ck_pairs_selection")),
        sa.CheckConstraint("left_id <> right_id", name=op.f("ck_pairs_different")),
        sa.ForeignKeyConstraint(
            ["left_id"], ["images.id"], name=op.f("fk_pairs_left_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profiles.id"], name=op.f("fk_pairs_profile_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["right_id"], ["images.id"], name=op.f("fk_pairs_right_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pairs")),
    )
    op.create_index(op.f("ix_pairs_left_id"), "pairs", ["left_id"], unique=False)
    op.create_index(
        "ix_pairs_profile_newest", "pairs", ["profile_id", sa.literal_column("created_at desc")], unique=False
    )
    op.create_index(op.f("ix_pairs_right_id"), "pairs", ["right_id"], unique=False)
    op.create_index(
        "uq_pairs_once",
        "pairs",
        [
            "profile_id",
            sa.literal_column("least(left_id, right_id)"),
            sa.literal_column("greatest(left_id, right_id)"),
        ],
        unique=True,
    )
    op.create_table(
        "tastes",
        sa.Column("profile_id", sa.BigInteger(), nullable=False),
        sa.Column("encoder", sa.String(length=80), nullable=False),
        sa.Column("space_version", sa.Integer(), nullable=False),
        sa.Column("mean", postgresql.ARRAY(sa.Double()), nullable=False),
        sa.Column("covariance", sa.LargeBinary(), nullable=False),
        sa.Column("comparisons", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["encoder", "space_version"],
            ["spaces.encoder", "spaces.version"],
            name=op.f("fk_tastes_encoder_space_version"),
        ),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profiles.id"], name=op.f("fk_tastes_profile_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("profile_id", "encoder", name=op.f("pk_tastes")),
    )
    op.create_table(
        "ratings",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("profile_id", sa.BigInteger(), nullable=False),
        sa.Column("pair_id", sa.Uuid(), nullable=False),
        sa.Column("answer", sa.String(length=8), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "answer in ('left', 'right', 'tie', 'both_bad', 'skip')", name=op.f("ck_ratings_answer")
        ),
        sa.ForeignKeyConstraint(
            ["pair_id"], ["pairs.id"], name=op.f("fk_ratings_pair_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profiles.id"], name=op.f("fk_ratings_profile_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ratings")),
        sa.UniqueConstraint("pair_id", name=op.f("uq_ratings_pair_id")),
    )
    op.create_index(
        "ix_ratings_profile_newest", "ratings", ["profile_id", sa.literal_column("id desc")], unique=False
    )


def downgrade() -> None:
    op.drop_index("ix_ratings_profile_newest", table_name="ratings")
    op.drop_table("ratings")
    op.drop_table("tastes")
    op.drop_index("uq_pairs_once", table_name="pairs")
    op.drop_index(op.f("ix_pairs_right_id"), table_name="pairs")
    op.drop_index("ix_pairs_profile_newest", table_name="pairs")
    op.drop_index(op.f("ix_pairs_left_id"), table_name="pairs")
    op.drop_table("pairs")
    op.drop_table("job_images")
    op.drop_index("ix_embeddings_encoder", table_name="embeddings")
    op.drop_table("embeddings")
    op.drop_index(op.f("ix_settings_default_code"), table_name="settings")
    op.drop_table("settings")
    op.drop_index("uq_codes_state", table_name="codes", postgresql_where=sa.text("revoked_at is null"))
    op.drop_index(op.f("ix_codes_profile_id"), table_name="codes")
    op.drop_index(op.f("ix_codes_person_id"), table_name="codes")
    op.drop_table("codes")
    op.drop_index(op.f("ix_tokens_person_id"), table_name="tokens")
    op.drop_table("tokens")
    op.drop_index(op.f("ix_sessions_person_id"), table_name="sessions")
    op.drop_table("sessions")
    op.drop_index("uq_profiles_global", table_name="profiles", postgresql_where=sa.text("is_global"))
    op.drop_index(op.f("ix_profiles_person_id"), table_name="profiles")
    op.drop_table("profiles")
    op.drop_index("ix_jobs_person_newest", table_name="jobs")
    op.drop_index(op.f("ix_jobs_parent_id"), table_name="jobs")
    op.drop_index(
        "ix_jobs_open", table_name="jobs", postgresql_where=sa.text("state in ('queued', 'running')")
    )
    op.drop_table("jobs")
    op.drop_index(
        "uq_images_gallery_sha256", table_name="images", postgresql_where=sa.text("source = 'gallery'")
    )
    op.drop_index("ix_images_owner_newest", table_name="images")
    op.drop_index(
        "ix_images_gallery_random", table_name="images", postgresql_where=sa.text("visibility = 'public'")
    )
    op.drop_table("images")
    op.drop_table("spaces")
    op.drop_table("people")
