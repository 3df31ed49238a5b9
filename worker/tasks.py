"""The Celery tasks: ids in, call the runner."""

from celery import Celery

from app.queue import EMBED_TASK, RENDER_TASK
from worker.runner import Runner


def register(celery: Celery, runner: Runner) -> None:
    """Make `celery` answer the two messages with `runner`."""

    @celery.task(name=RENDER_TASK)
    def render(job_id: str) -> None:
        # The message wakes; the row that has waited longest is taken, which need not be the one named.
        runner.render()

    @celery.task(name=EMBED_TASK)
    def embed(after: int) -> None:
        runner.embed(after)
