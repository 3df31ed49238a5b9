"""population: who lets their ratings teach it, when it was learned again, what more rating would add."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "settings", sa.Column("contribute", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column("profiles", sa.Column("expected_gain", sa.Double(), nullable=True))
    op.create_table(
        "renewals",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("encoder", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("gain", sa.Double(), nullable=False),
        sa.Column("error", sa.Double(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_renewals")),
    )


def downgrade() -> None:
    op.drop_table("renewals")
    op.drop_column("profiles", "expected_gain")
    op.drop_column("settings", "contribute")
