"""The REST API as the command line uses it."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import httpx

from app.cli import instance
from app.errors import NotSignedIn, OperatorError, PenchantError

RECONNECT_SECONDS = 0.5
FINAL = ("done", "failed", "cancelled")


class ApiError(PenchantError):
    """The server's refusal, in its own words."""


class Client:
    """A client of `/api/v1` at `url`, signing in with `token`."""

    def __init__(self, url: str, token: str | None, *, timeout: float = 30.0) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.url = url.rstrip("/")
        self._http = httpx.Client(base_url=f"{self.url}/api/v1/", headers=headers, timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def call(self, method: str, path: str, **options: Any) -> Any:
        """The decoded answer. Raises ApiError with the server's sentence, OperatorError when out of reach."""
        response = self._send(method, path, **options)
        return response.json() if response.content else None

    def download(self, path: str) -> bytes:
        """The bytes of an image file."""
        return self._send("GET", path).content

    def imagine(self, prompt: str) -> list[dict[str, Any]]:
        """Submit `prompt`; the accepted jobs. Sent once however often the connection breaks."""
        headers = {"Idempotency-Key": str(uuid4())}
        for attempt in range(3):
            try:
                answer = self.call("POST", "jobs", json={"prompt": prompt}, headers=headers)
            except OperatorError:
                if attempt == 2:
                    raise
                time.sleep(0.5)
            else:
                return list(answer["jobs"])
        raise AssertionError("unreachable")

    def follow(self, job_id: str) -> Iterator[dict[str, Any]]:
        """The job's events (state, step, steps) as they come, until it has ended."""
        state = ""
        while state not in FINAL:
            try:
                for event in self._events(job_id):
                    state = str(event["state"])
                    yield event
            except httpx.HTTPError:
                time.sleep(RECONNECT_SECONDS)

    def _events(self, job_id: str) -> Iterator[dict[str, Any]]:
        with self._http.stream("GET", f"jobs/{job_id}/events", timeout=60.0) as response:
            if not response.is_success:
                response.read()
                raise ApiError(f"The job {job_id} cannot be followed: {response.status_code}.")
            for line in response.iter_lines():
                if line.startswith("data:"):
                    yield json.loads(line.removeprefix("data:"))

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **options)
        except httpx.HTTPError as error:
            raise OperatorError(
                f"{self.url} does not answer ({error}). Is Penchant running there?"
            ) from error
        if response.is_success:
            return response
        try:
            detail = str(response.json()["detail"])
        except (ValueError, KeyError, TypeError):
            detail = f"{self.url} answered {response.status_code} to {method} {path}"
        raise (NotSignedIn if response.status_code == 401 else ApiError)(detail)


def connect(home: Path, url: str | None, token: str | None) -> Client:
    """A client of the instance at `url`, or of the one running in `home`.

    Without a token, the one kept from last time is used; the first time, this machine's user becomes a guest.
    """
    address = (url or str(instance.running_or_error(home)["url"])).rstrip("/")
    if token:
        return Client(address, token)
    kept = instance.saved_token(home, address)
    if kept is not None:
        client = Client(address, kept)
        try:
            client.call("GET", "info")
        except NotSignedIn:
            instance.save_token(home, address, None)
        else:
            return client
    with Client(address, None) as stranger:
        secret = stranger.call("POST", "guests")["token"]
    instance.save_token(home, address, secret)
    print(
        "The command line is a guest of its own here, with ratings and images of its own. To be who you are "
        "in the browser, make a token in /settings and give it by --token or PENCHANT_TOKEN.",
        file=sys.stderr,
    )
    return Client(address, secret)
