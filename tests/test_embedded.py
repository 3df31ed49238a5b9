"""The embedded services: the wheels' real programs, killed and mistreated."""

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from app.embedded import AlreadyRunning, Embedded, Endpoints, HomeUnusable, OldDataFolder, launch
from app.embedded.binaries import valkey_binary
from app.embedded.identity import CAP_DAC_READ_SEARCH, NOBODY, Identity, give, identify, may_pass
from app.embedded.state import ServiceState
from app.embedded.supervisor import came_up
from app.embedded.valkey import Valkey
from tests.conftest import memory

REPOSITORY = Path(__file__).parent.parent
ROOT = os.geteuid() == 0

SUPERVISE = """
import json, sys, time
from pathlib import Path
from app.embedded import Embedded, EmbeddedError
try:
    with Embedded(Path(sys.argv[1])) as endpoints:
        print(json.dumps([endpoints.database_url, endpoints.redis_url]), flush=True)
        sys.stdin.read()
except EmbeddedError as error:
    sys.exit(f"{error.code}: {error}")
"""


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A home that only its owner may enter, with the leavings of an interrupted first start."""
    with tempfile.TemporaryDirectory(prefix="penchant-", dir=memory()) as folder:
        half = Path(folder) / "home" / "postgres.new"
        half.mkdir(parents=True)
        half.parent.chmod(0o700)
        (half / "PG_VERSION").write_text("18\n")
        yield half.parent


def supervisor(home: Path, *prefix: str) -> subprocess.Popen[str]:
    """Another process that runs the services until its standard input ends."""
    return subprocess.Popen(
        [*prefix, sys.executable, "-c", SUPERVISE, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1"},
    )


def endpoints_of(process: subprocess.Popen[str]) -> Endpoints:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        pytest.fail(process.communicate()[1])
    return Endpoints(*json.loads(line))


def rows(endpoints: Endpoints) -> list[int]:
    with psycopg.connect(endpoints.database_url) as connection:
        return [value for (value,) in connection.execute("select value from kept order by value")]


def insert(endpoints: Endpoints, value: int) -> None:
    with psycopg.connect(endpoints.database_url) as connection:
        connection.execute("create table if not exists kept (value int)")
        connection.execute("insert into kept values (%s)", [value])


def child_of(pid: int, name: str, *, besides: Collection[psutil.Process] = ()) -> psutil.Process:
    children = [child for child in psutil.Process(pid).children() if child not in besides]
    [found] = [child for child in children if child.name() == name]
    return found


def kept_by_broker(endpoints: Endpoints) -> object:
    with redis.Redis.from_url(endpoints.redis_url) as client:
        return client.get("kept")


def eventually(ask: Callable[[Endpoints], object], endpoints: Endpoints, seconds: float = 20) -> object:
    """The answer, as soon as the service answers again."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return ask(endpoints)
        except (psycopg.OperationalError, redis.ConnectionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def test_vectors_work_and_nothing_is_open_without_password(home: Path) -> None:
    with Embedded(home) as endpoints:
        with psycopg.connect(endpoints.database_url) as connection:
            connection.execute("create extension vector")
            distance = connection.execute("select '[1,2]'::vector <-> '[4,6]'::vector").fetchone()
        assert distance == (5.0,)
        secret = endpoints.database_url.split(":")[2].split("@")[0]
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(endpoints.database_url.replace(secret, "guess"))
        with redis.Redis.from_url(endpoints.redis_url) as client:
            assert client.ping()
        with (
            redis.Redis(port=int(endpoints.redis_url.rsplit(":", 1)[1].split("/")[0])) as stranger,
            pytest.raises(redis.AuthenticationError),
        ):
            stranger.ping()
    for path in (home, home / "embedded.json", home / "postgres", home / "valkey"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert not [*home.glob("*.new"), *home.glob("*.secret")]


def test_stopping_keeps_rows_ports_and_passwords(home: Path) -> None:
    with Embedded(home) as first:
        insert(first, 1)
        with redis.Redis.from_url(first.redis_url) as client:
            client.set("kept", "yes")
    with Embedded(home) as second:
        assert second == first
        assert rows(second) == [1]
        assert kept_by_broker(second) == b"yes"


def test_a_taken_port_is_left_to_its_owner(home: Path) -> None:
    with Embedded(home) as before:
        pass
    port = int(before.database_url.rsplit(":", 1)[1].split("/")[0])
    with socket.create_server(("127.0.0.1", port)), Embedded(home) as after:
        assert after.database_url != before.database_url
        assert rows(after) == [1]


def test_a_port_that_is_taken_after_the_look_for_it_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    binary = valkey_binary()
    with socket.create_server(("127.0.0.1", 0)) as taker:
        port = taker.getsockname()[1]
        valkey = Valkey(
            binary=binary, home=tmp_path, identity=identify(tmp_path, [binary]), state=ServiceState(port=port)
        )
        valkey.prepare()
        valkey.start()
        assert not came_up(valkey)
    valkey.start()
    try:
        assert came_up(valkey)
    finally:
        valkey.stop()


def test_a_killed_service_is_started_again_on_its_port(home: Path) -> None:
    others = psutil.Process().children()  # the services of the other tests
    with Embedded(home) as endpoints, psycopg.connect(endpoints.database_url) as busy:
        insert(endpoints, 2)
        busy.execute("insert into kept values (99)")  # never committed
        child_of(os.getpid(), "postgres", besides=others).kill()
        child_of(os.getpid(), "valkey-server", besides=others).kill()
        assert eventually(rows, endpoints) == [1, 2]
        assert eventually(kept_by_broker, endpoints) == b"yes"
        busy.close()


@pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere the services outlive their supervisor until the next start"
)
def test_a_killed_supervisor_takes_them_along_and_the_next_start_recovers(home: Path) -> None:
    with supervisor(home) as process:
        endpoints = endpoints_of(process)
        insert(endpoints, 3)
        with psycopg.connect(endpoints.database_url) as busy:
            services = psutil.Process(process.pid).children(recursive=True)
            process.kill()
            process.wait()
            with Embedded(home) as again:
                assert again == endpoints
                assert rows(again) == [1, 2, 3]
                assert not any(service.is_running() and service.status() != "zombie" for service in services)
            busy.close()


def test_everything_killed_at_once(home: Path) -> None:
    with supervisor(home) as process:
        insert(endpoints_of(process), 4)
        for victim in [child_of(process.pid, "postgres"), psutil.Process(process.pid)]:
            victim.kill()
        process.wait()
        with Embedded(home) as again:
            assert rows(again) == [1, 2, 3, 4]


def test_two_starts_at_once_are_refused(home: Path) -> None:
    with Embedded(home), pytest.raises(AlreadyRunning, match=f"already running.*process {os.getpid()}"):
        Embedded(home).start()
    with supervisor(home) as process:
        endpoints_of(process)
        with pytest.raises(AlreadyRunning, match=f"process {process.pid}.*PENCHANT_HOME"):
            Embedded(home).start()
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait() == 0
    with Embedded(home) as endpoints:
        assert rows(endpoints) == [1, 2, 3, 4]


def test_a_data_folder_of_another_major_version_is_refused_untouched(home: Path) -> None:
    version = home / "postgres" / "PG_VERSION"
    version.write_text("17\n")
    try:
        with pytest.raises(OldDataFolder, match=r"PostgreSQL 17.*pg_dump.*mv .*postgres\.17"):
            Embedded(home).start()
    finally:
        version.write_text("18\n")
    with Embedded(home) as endpoints:
        assert rows(endpoints) == [1, 2, 3, 4]


def test_a_lost_password_is_explained(home: Path) -> None:
    saved = home / "embedded.json"
    text = saved.read_text()
    saved.unlink()
    try:
        with pytest.raises(HomeUnusable, match=r"another password.*embedded\.json.*backup"):
            Embedded(home).start()
    finally:
        saved.write_text(text)
    with Embedded(home) as endpoints:
        assert rows(endpoints) == [1, 2, 3, 4]


def test_a_failed_start_leaves_nothing_running_and_says_why(home: Path) -> None:
    control = home / "postgres" / "global" / "pg_control"
    saved = control.read_bytes()
    others = psutil.Process().children(recursive=True)
    control.write_bytes(saved[:100])
    try:
        with pytest.raises(
            Exception, match=r"embedded postgres ended while starting.*postgres\.log"
        ) as caught:
            Embedded(home).start()
        assert "pg_control" in str(caught.value)
        left = [child for child in psutil.Process().children(recursive=True) if child not in others]
        assert not [child for child in left if "postgres" in child.name()]
    finally:
        control.write_bytes(saved)
    with Embedded(home) as endpoints:
        assert rows(endpoints) == [1, 2, 3, 4]


def test_damaged_state_is_named(tmp_path: Path) -> None:
    (tmp_path / "embedded.json").write_text("{")
    with pytest.raises(HomeUnusable, match=r"embedded\.json is damaged"):
        Embedded(tmp_path).start()


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HomeUnusable, match="cannot be written"):
        Embedded(tmp_path / "file" / "home").start()


@pytest.mark.skipif(not ROOT, reason="as an ordinary user every other test here shows it")
def test_an_ordinary_user_with_a_private_home() -> None:
    with tempfile.TemporaryDirectory(prefix="penchant-", dir=memory()) as folder:
        os.chown(folder, NOBODY, NOBODY)
        # This Python may itself lie where only root may go.
        reachable = may_pass(Path(sys.executable).resolve(), NOBODY) and may_pass(REPOSITORY, NOBODY)
        capability = None if reachable else CAP_DAC_READ_SEARCH
        options = {"parent": os.getpid(), "folder": "/", "signal": signal.SIGKILL, "alias": None}
        become = {"uid": NOBODY, "gid": NOBODY, "capability": capability}
        prefix = sys.executable, "-I", "-S", launch.__file__, json.dumps(options | become)
        with supervisor(Path(folder) / "home", *prefix) as process:
            endpoints = endpoints_of(process)
            assert psutil.Process(process.pid).uids().effective == NOBODY
            insert(endpoints, 6)
            assert rows(endpoints) == [6]
            process.communicate()
            assert process.returncode == 0
        assert (Path(folder) / "home" / "postgres").stat().st_uid == NOBODY


@pytest.mark.skipif(not ROOT, reason="only root can own another person's folder")
def test_root_in_a_home_of_another_user_is_refused(tmp_path: Path) -> None:
    os.chown(tmp_path, NOBODY, NOBODY)
    with pytest.raises(HomeUnusable, match=f"belongs to another user .uid {NOBODY}"):
        Embedded(tmp_path).start()


@pytest.mark.skipif(not ROOT, reason="only root hands folders over")
def test_data_written_under_another_identity_are_handed_over(tmp_path: Path) -> None:
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    (tmp_path / "deep" / "file").touch()
    give(tmp_path, Identity(uid=NOBODY, gid=NOBODY))
    assert {path.stat().st_uid for path in (tmp_path, *tmp_path.rglob("*"))} == {NOBODY}


@pytest.mark.skipif(not (ROOT and shutil.which("unshare")), reason="a small file system must be mounted")
def test_a_full_disk_is_named(tmp_path: Path) -> None:
    script = 'mount -t tmpfs -o size=8m none "$0" || exit 77; exec "$@"'
    with supervisor(tmp_path / "home", "unshare", "--mount", "sh", "-c", script, str(tmp_path)) as process:
        _, said = process.communicate()
    if process.returncode == 77:
        pytest.skip("mounting is not allowed here")
    assert "Free some disk space" in said
    assert "No space left" in said
