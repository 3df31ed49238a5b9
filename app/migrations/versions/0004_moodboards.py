"""moodboards: profiles made of collected images, and codes that know how many."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "profiles", sa.Column("is_moodboard", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column(
        "codes", sa.Column("image_count", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
    op.create_table(
        "moodboard_images",
        sa.Column("profile_id", sa.BigInteger(), nullable=False),
        sa.Column("image_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["image_id"], ["images.id"], name=op.f("fk_moodboard_images_image_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profiles.id"], name=op.f("fk_moodboard_images_profile_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("profile_id", "image_id", name=op.f("pk_moodboard_images")),
    )
    op.create_index(op.f("ix_moodboard_images_image_id"), "moodboard_images", ["image_id"], unique=False)


def downgrade() -> None:
    op.drop_table("moodboard_images")
    op.drop_column("codes", "image_count")
    op.drop_column("profiles", "is_moodboard")
