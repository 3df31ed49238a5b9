"""safety: what the classifier says of an image, and people who want more blurred."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("images", sa.Column("safety", sa.String(length=16), nullable=True))
    op.add_column("images", sa.Column("safety_score", sa.Double(), nullable=True))
    op.create_check_constraint(
        op.f("ck_images_safety"), "images", "safety in ('safe', 'questionable', 'unsafe')"
    )
    op.create_check_constraint(
        op.f("ck_images_safety_score"), "images", "(safety is null) = (safety_score is null)"
    )
    op.add_column(
        "settings", sa.Column("cautious", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )


def downgrade() -> None:
    op.drop_column("settings", "cautious")
    op.drop_column("images", "safety_score")
    op.drop_column("images", "safety")
