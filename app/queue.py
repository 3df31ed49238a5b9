"""The Celery instance and the names of queues and tasks. Tasks are sent by name, after the commit."""

import logging
from functools import lru_cache

from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from app.config import get_settings

log = logging.getLogger(__name__)

RENDER_TASK = "penchant.render"
EMBED_TASK = "penchant.embed"
PUBLISH_TIMEOUT_SECONDS = 0.5


def render_queue(preset: str) -> str:
    """The queue that workers of `preset` listen on."""
    return f"render.{preset}"


def embed_queue(encoder: str) -> str:
    """The queue that workers with `encoder` listen on for images to embed."""
    return f"embed.{encoder}"


def make_celery(redis_url: str) -> Celery:
    """A Celery instance on `redis_url`.

    Results are ignored (with a result backend, sending blocks for seconds when the broker is away), and
    messages are acknowledged at once: the job's row, not the message, says what is still to do.
    """
    celery = Celery("penchant", broker=redis_url, set_as_current=False)
    celery.conf.update(
        task_ignore_result=True,
        task_acks_late=False,
        worker_prefetch_multiplier=1,
        broker_connection_retry_on_startup=True,
        broker_transport_options={
            "socket_timeout": 5.0,
            "socket_connect_timeout": PUBLISH_TIMEOUT_SECONDS,
            "retry_on_timeout": False,
            # Without these, kombu tries again for six seconds before a send fails.
            "max_retries": 1,
            "interval_start": 0.0,
            "interval_step": 0.0,
        },
        task_publish_retry=False,
        broker_connection_max_retries=None,
        worker_hijack_root_logger=False,
        task_serializer="json",
        accept_content=["json"],
    )
    return celery


@lru_cache
def get_celery() -> Celery:
    """The process's Celery instance."""
    return make_celery(get_settings().redis)


def send(task: str, *ids: str | int, queue: str) -> bool:
    """Send `task` with ids only. False when the broker is away: the sweep sends it again from Postgres."""
    try:
        get_celery().send_task(task, args=list(ids), queue=queue, ignore_result=True, retry=False)
    except (OperationalError, RedisError, OSError) as error:
        log.warning("could not send %s %s: %s", task, ids, error)
        return False
    return True


def waiting(queue: str) -> int | None:
    """How many messages wait in `queue`. None when the broker is away."""
    try:
        with get_celery().connection_for_read() as connection:
            return int(connection.default_channel.client.llen(queue))
    except (OperationalError, RedisError, OSError) as error:
        log.warning("could not look into %s: %s", queue, error)
        return None
