"""Becomes another program: with fewer rights, and bound to the life of the process that started it.

Run as a script (`python -I -S launch.py OPTIONS PROGRAM ARGUMENT...`, OPTIONS being a JSON object with the
fields of `Options`), so that none of this happens between fork and exec of a process that has threads.
"""

import ctypes
import json
import os
import sys
from typing import TypedDict

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAPABILITY_VERSION_3 = 0x20080522
CLONE_NEWUSER = 0x10000000


class Options(TypedDict):
    parent: int  # pid of the starter
    folder: str  # to work in
    signal: int  # sent to the program when the starter dies (Linux)
    uid: int | None  # become this user and group
    gid: int
    capability: int | None  # number of the one capability to keep
    alias: int | None  # be seen as this uid, in a user namespace of one's own


def main() -> None:
    options: Options = json.loads(sys.argv[1])
    program = sys.argv[2:]
    os.umask(0o077)
    os.chdir(options["folder"])
    if options["uid"] is not None:
        become(options["uid"], options["gid"], options["capability"])
    if options["alias"] is not None:
        enter_namespace(options["alias"])
    if sys.platform == "linux":
        # Last, because the kernel forgets it whenever the credentials change.
        call("prctl", PR_SET_PDEATHSIG, options["signal"], 0, 0, 0)
        if os.getppid() != options["parent"]:
            sys.exit("the starter died")
    os.execv(program[0], program)


def become(uid: int, gid: int, capability: int | None) -> None:
    if capability is not None:
        call("prctl", PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if capability is not None:
        # Permitted, inheritable and ambient alike, or exec would treat the program as set-user-id.
        word, bit = divmod(capability, 32)
        kept = [(1 << bit) if index == word else 0 for index in range(2)]
        header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
        data = (ctypes.c_uint32 * 6)(*(kept[index] for index in range(2) for _ in range(3)))
        call("capset", header, data)
        call("prctl", PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0)


def enter_namespace(alias: int) -> None:
    uid, gid = os.getuid(), os.getgid()
    call("unshare", CLONE_NEWUSER)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{alias} {uid} 1"),
        ("gid_map", f"{alias} {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def call(name: str, *arguments: object) -> None:
    """Calls a C library function that answers 0 for success; prctl takes unsigned longs."""
    words = [ctypes.c_ulong(value) if isinstance(value, int) else value for value in arguments]
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*words) != 0:
        number = ctypes.get_errno()
        sys.exit(f"{name}: {os.strerror(number)}")


if __name__ == "__main__":
    main()
