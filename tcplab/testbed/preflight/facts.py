"""What was found out about a machine, before anything is concluded from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, unique

from tcplab.errors import TcplabError


@unique
class Step(Enum):
    """What a testbed of namespaces is made of, in the order in which it is made."""

    USER_NAMESPACE = "user-namespaces"
    NETWORK_NAMESPACE = "network-namespaces"
    VETH = "veth"
    OFFLOADS = "offload-control"
    PACKET_SOCKET = "packet-sockets"
    SOCK_DIAG = "sock-diag"
    IPV6 = "ipv6"


Rehearsal = Mapping[Step, str]
"""How far a rehearsal came: "" for a step that worked, else the errno's name. A step that could not
be tried because of an earlier one is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One machine, and this process's place on it.

    `rootless` is the rehearsal inside a fresh user namespace, `direct` the one without. The four
    sysctls are None where the kernel does not have them. `seccomp`: a filter of system calls is on
    this process. `raw_socket` and `shield` are what came of making one: "", else the errno's name.
    `tracefs` is what it raised, `leftovers` are dead runs' tracing instances (None if they cannot
    be seen). `programs` are paths of programs that were found. `distributions` are ID
    and ID_LIKE of os-release. `ascii_only`: the terminal shows no other characters.
    """

    platform: str
    kernel: str = ""
    rootless: Rehearsal = field(default_factory=dict)
    direct: Rehearsal = field(default_factory=dict)
    unprivileged_userns_clone: int | None = None
    max_user_namespaces: int | None = None
    max_net_namespaces: int | None = None
    apparmor_restrict_unprivileged_userns: int | None = None
    container: bool = False
    seccomp: bool = False
    raw_socket: str = ""
    shield: str = ""
    tracefs: TcplabError | None = None
    leftovers: tuple[str, ...] | None = None
    scapy: str | None = None
    programs: Mapping[str, str] = field(default_factory=dict)
    distributions: tuple[str, ...] = ()
    ascii_only: bool = False

    @property
    def testbed(self) -> Rehearsal:
        """The rehearsal of the way that a testbed takes: without a user namespace if it can."""
        return self.direct if self.direct.get(Step.NETWORK_NAMESPACE) == "" else self.rootless

    @property
    def testbed_runs(self) -> bool:
        """Can `tcplab handshake` run its testbed here?"""
        return all(self.testbed.get(step) == "" for step in Step if step is not Step.IPV6)
