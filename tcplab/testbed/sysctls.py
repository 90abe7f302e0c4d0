"""A host's kernel settings, written in its namespace before its link comes up."""

import contextlib
import os
from typing import TYPE_CHECKING

from tcplab.errors import RefusedError, UnavailableError
from tcplab.scenario.host_settings import HostSettings, Sysctl
from tcplab.text import Text

if TYPE_CHECKING:
    from tcplab.timeline.timeline import Setting

_ALL = "/proc/sys/"
_OF_A_NAMESPACE = "net."


def apply_sysctls(host: HostSettings) -> "list[Setting]":
    """Write them to the namespace that this thread is in; what each was before.

    Raises UnavailableError for one that this kernel lacks (unless `if_present`) or does not take,
    and RefusedError for one that is not the namespace's own but the machine's.
    """
    if not host.sysctls:
        return []
    from tcplab.timeline.timeline import Setting  # not needed by a testbed without a timeline

    return [
        Setting(host=host.name, name=each.name, value=each.value, default=_apply(host.name, each))
        for each in host.sysctls
    ]


def _apply(host: str, sysctl: Sysctl) -> str | None:
    """What the setting was, None if there is none."""
    if not sysctl.name.startswith(_OF_A_NAMESPACE):
        raise RefusedError(
            Text("{name} is a setting of the whole machine.", name=sysctl.name),
            remedy=Text("A testbed's hosts have settings of their own below net only."),
        )
    # A name holds no slash and no "..", whoever wrote it: its dots are the slashes.
    path = _ALL + sysctl.name.replace("/", ".").replace(".", "/")
    try:
        with open(path) as file:
            default = " ".join(file.read().split())
        with open(path, "w") as file:
            file.write(sysctl.value)
    except FileNotFoundError:
        if sysctl.if_present:
            return None
        raise UnavailableError(
            Text("This kernel has no setting {name} for {host}.", name=sysctl.name, host=host),
            remedy=Text("Do without it where it is missing: if_present = true"),
        ) from None
    except OSError as refusal:
        raise UnavailableError(
            Text(
                "The kernel does not set {name} to {value} for {host}: {why}.",
                name=sysctl.name,
                value=sysctl.value,
                host=host,
                why=os.strerror(refusal.errno or 0),
            ),
            remedy=Text("See what it may be: {command}", command=f"sysctl {sysctl.name}"),
        ) from refusal
    return default


def set_quietly(setting: str, value: str) -> None:
    """Write a setting that the testbed can do without, by its path below /proc/sys."""
    # A container may show /proc/sys read-only. IPv6 then says a few words of its own accord, which
    # pass as frames that are no TCP and are never steps.
    with contextlib.suppress(OSError), open(_ALL + setting, "w") as file:
        file.write(value)
