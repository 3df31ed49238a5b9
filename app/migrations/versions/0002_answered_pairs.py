"""answered pairs: the open ones are found without looking at the others."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "pairs", sa.Column("answered", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.execute("update pairs set answered = true from ratings where ratings.pair_id = pairs.id")
    op.create_index(
        "ix_pairs_open",
        "pairs",
        ["profile_id", "created_at", "id"],
        unique=False,
        postgresql_where=sa.text("not answered"),
    )


def downgrade() -> None:
    op.drop_index("ix_pairs_open", table_name="pairs", postgresql_where=sa.text("not answered"))
    op.drop_column("pairs", "answered")
