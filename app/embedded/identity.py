"""Which user the services run as.

PostgreSQL refuses to run as root. As root we therefore become `nobody`. The home and the binaries may stand
below folders which that user may not enter (/root is 0700); it then keeps a single capability that lets it
pass them, and no folder's mode is changed.
"""

import os
import pwd
import stat
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app.embedded.errors import HomeUnusable, Unsupported

NOBODY = 65534
ADVICE = "Start Penchant as an ordinary user, or set PENCHANT_DATABASE_URL and PENCHANT_REDIS_URL."
CAP_CHOWN = 0
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
CAP_SETGID = 6
CAP_SETUID = 7


@dataclass(frozen=True)
class Identity:
    """`uid` None means: stay who we are. `alias` is the uid to be seen as in a user namespace."""

    uid: int | None = None
    gid: int = 0
    capability: int | None = None
    alias: int | None = None


def identify(home: Path, binaries: Iterable[Path]) -> Identity:
    """The identity for services whose data lie in `home`. Raises `EmbeddedError` where there is none."""
    if os.geteuid() != 0:
        # initdb looks its user up, and stops when there is no such entry.
        return Identity(alias=None if in_passwd(os.geteuid()) else NOBODY)
    if home.stat().st_uid != 0:
        raise HomeUnusable(
            f"{home} belongs to another user (uid {home.stat().st_uid}): start Penchant as that user, or set "
            "PENCHANT_HOME to a folder that belongs to root."
        )
    held = effective_capabilities() if sys.platform == "linux" else set()
    if not {CAP_SETUID, CAP_SETGID, CAP_CHOWN} <= held:
        raise Unsupported(
            f"PostgreSQL does not run as root, and this root may not become another user. {ADVICE}"
        )
    programs = list(binaries)
    if all(may_pass(path, NOBODY) for path in (home, *programs)):
        return Identity(uid=NOBODY, gid=NOBODY)
    executable = all(path.stat().st_mode & stat.S_IXOTH for path in programs)
    wanted = CAP_DAC_READ_SEARCH if executable and CAP_DAC_READ_SEARCH in held else CAP_DAC_OVERRIDE
    if wanted not in held:
        raise Unsupported(f"PostgreSQL does not run as root, and other users may not enter {home}. {ADVICE}")
    return Identity(uid=NOBODY, gid=NOBODY, capability=wanted)


def in_passwd(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def may_pass(path: Path, uid: int) -> bool:
    """Whether `uid`, member of no group, may walk to `path` and enter or execute it."""
    for part in (path, *path.parents):
        status = part.stat()
        if not status.st_mode & (stat.S_IXUSR if status.st_uid == uid else stat.S_IXOTH):
            return False
    return True


def effective_capabilities() -> set[int]:
    for line in Path("/proc/self/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "CapEff":
            mask = int(value, 16)
            return {number for number in range(64) if mask >> number & 1}
    return set()


def give(folder: Path, identity: Identity) -> None:
    """Makes everything in `folder` belong to the identity; does nothing when it already does."""
    uid = os.geteuid() if identity.uid is None else identity.uid
    gid = os.getegid() if identity.uid is None else identity.gid
    if os.geteuid() != 0 or folder.stat().st_uid == uid:
        return
    for path in folder.rglob("*"):
        os.chown(path, uid, gid, follow_symlinks=False)
    os.chown(folder, uid, gid)  # last: it says that all of it is done
