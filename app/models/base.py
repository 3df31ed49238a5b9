"""What every table shares."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, ForeignKey, Identity, MetaData, func
from sqlmodel import SQLModel

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
metadata: MetaData = SQLModel.metadata
metadata.naming_convention = NAMING


class Table(SQLModel):
    """Base of all tables."""


def identity() -> Column[int]:
    """A bigint primary key numbered by the database."""
    return Column(BigInteger, Identity(always=False), primary_key=True)


def reference(
    target: str, *, nullable: bool = False, ondelete: str = "CASCADE", **options: Any
) -> Column[Any]:
    """A foreign key to `target`, indexed, deleted with what it points to unless said otherwise."""
    options.setdefault("index", True)
    return Column(ForeignKey(target, ondelete=ondelete), nullable=nullable, **options)


def created() -> Column[datetime]:
    """When the row was inserted, by the database's clock."""
    return Column(DateTime(timezone=True), nullable=False, server_default=func.now())


def moment() -> Column[datetime]:
    """A point in time that may not have come yet."""
    return Column(DateTime(timezone=True), nullable=True)


def one_of(column: str, *values: str) -> CheckConstraint:
    """`column` holds one of `values`; the database refuses anything else."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} in ({listed})", name=column)
