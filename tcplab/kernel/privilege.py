"""What this process may do, and how its user could start it with more.

Capabilities decide, not uid 0: root in a container lacks some, and in a user namespace uid 0 is
another name for somebody else (man 7 capabilities, man 7 user_namespaces).
"""

import sys
from enum import IntEnum, unique


@unique
class Capability(IntEnum):
    """Bit numbers in CapEff (linux/capability.h)."""

    NET_ADMIN = 12
    NET_RAW = 13
    SYS_ADMIN = 21


def holds(*capabilities: Capability) -> bool:
    """Does this process hold all of them, in the user namespace that it is in?"""
    with open("/proc/self/status", encoding="utf-8") as status:
        for line in status:
            name, _, value = line.partition(":")
            if name == "CapEff":
                effective = int(value, 16)
                return all(effective >> capability & 1 for capability in capabilities)
    return False


def in_first_user_namespace() -> bool:
    """Is every uid here the one that the machine knows it by?"""
    with open("/proc/self/uid_map", encoding="utf-8") as uids:
        return uids.read().split() == ["0", "0", "4294967295"]


def sudo(*arguments: str) -> str:
    """A command line that runs this tcplab as root, ready to be copied.

    Without `arguments` with those that it was started with. The path is absolute because sudo does
    not search a virtual environment.
    """
    import shlex  # 4 ms with pathlib, and hardly ever is there anything to say
    from pathlib import Path

    program = Path(sys.argv[0]).absolute()
    start = [str(program)]
    if program.name == "__main__.py":
        start = [sys.executable, "-m", program.parent.name]
    return shlex.join(["sudo", *start, *(arguments or sys.argv[1:])])
