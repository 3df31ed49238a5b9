"""tastes: learned again at their next use, as answers that share an image now count for less."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("delete from tastes")


def downgrade() -> None:
    op.execute("delete from tastes")
