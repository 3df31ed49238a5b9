"""Settings, read from PENCHANT_* environment variables."""

import secrets
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

REPOSITORY = Path(__file__).resolve().parent.parent
DEVELOPMENT_SECRET = "development-only-secret-change-me"


class Settings(BaseSettings):
    """What an operator can set. Each field is the variable PENCHANT_<NAME>; an empty one is unset."""

    model_config = SettingsConfigDict(env_prefix="PENCHANT_", env_ignore_empty=True, extra="ignore")

    environment: Literal["development", "production"] = Field(
        "development", description="production refuses the default secret and marks cookies Secure"
    )
    home: Path = Field(
        Path("~/.local/share/penchant"), description="folder of the embedded services, images and logs"
    )
    database_url: str | None = Field(None, description="PostgreSQL with pgvector; unset: the embedded one")
    redis_url: str | None = Field(None, description="Redis or Valkey; unset: the embedded one")
    storage_url: str | None = Field(
        None, description="s3://bucket/prefix for image bytes; unset: a folder under PENCHANT_HOME"
    )
    host: str = Field("127.0.0.1", description="address the web server listens on")
    port: int = Field(8000, ge=0, le=65535, description="port of the web server; 0 takes a free one")
    public_url: str | None = Field(None, description="address people reach the server at, for shared links")
    secret_key: str = Field(DEVELOPMENT_SECRET, description="signs cookies and CSRF tokens")
    presets: Path | None = Field(
        None, description="a file with presets of one's own, beside the shipped ones"
    )
    models: Path | None = Field(
        None, description="folder of added models; unset: a folder under PENCHANT_HOME"
    )
    model: str = Field("starter", description="preset used when a prompt names none")
    unlock_ratings: int = Field(200, ge=1, description="ratings that unlock --p")
    max_upload_bytes: int = Field(25_000_000, ge=1, description="largest request body accepted")
    max_queued_jobs: int = Field(200, ge=1, description="jobs one person may have waiting or running")
    lease_seconds: float = Field(12.0, gt=0, description="a worker silent for so long loses its job")
    sweep_seconds: float = Field(3.0, gt=0, description="how often lost messages and leases are looked for")
    renew_hours: float = Field(
        24.0, ge=0, description="how often is learned again what people like on the whole; 0: never"
    )
    safety: Literal["allow", "blur", "block"] = Field(
        "blur", description="what becomes of unsafe images: allow shows them, block does not keep them"
    )
    safety_threshold: float = Field(
        0.8, ge=0, le=1, description="the classifier's score from which an image counts as unsafe"
    )
    batch_window_seconds: float = Field(
        0.0, ge=0, description="how long a job waits for others to be painted in the room left in its batch"
    )
    switch_seconds: float = Field(
        60.0, ge=0, description="how long a worker keeps its model while jobs wait for it and for others"
    )
    memory_growth_bytes: int = Field(
        2_000_000_000, gt=0, description="a worker that comes to hold so much more is started anew"
    )
    torch_threads: int = Field(0, ge=0, description="CPU threads a worker uses; 0 leaves torch's default")
    device: str = Field("auto", description="torch device of a worker: auto, cpu, cuda, cuda:1 or mps")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")

    @field_validator("home", "presets", "models")
    @classmethod
    def _expand_user(cls, value: Path | None) -> Path | None:
        return value.expanduser() if value is not None else None

    @model_validator(mode="after")
    def _refuse_default_secret(self) -> "Settings":
        if self.environment == "production" and self.secret_key == DEVELOPMENT_SECRET:
            raise ValueError(f"set PENCHANT_SECRET_KEY, for example to {secrets.token_urlsafe(32)}")
        return self

    @property
    def database(self) -> str:
        """The database address, required by everything but `penchant up`."""
        return _required(self.database_url, "PENCHANT_DATABASE_URL")

    @property
    def redis(self) -> str:
        """The broker's address, required by everything but `penchant up`."""
        return _required(self.redis_url, "PENCHANT_REDIS_URL")


def _required(value: str | None, name: str) -> str:
    if value is None:
        raise RuntimeError(f"{name} is not set: start with `penchant up`, or set it to your own server")
    return value


@lru_cache
def get_settings() -> Settings:
    """The process's settings, read once."""
    return Settings()
