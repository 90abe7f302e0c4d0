"""What a scenario does to the wire, and to whole hosts."""

from dataclasses import dataclass
from enum import Enum, unique

from tcplab.scenario.predicate import Predicate, Sum
from tcplab.tcp.flags import Flags
from tcplab.tcp.options import Option


@dataclass(frozen=True, slots=True)
class Hold:
    """The wire keeps every frame until `Release`."""


@dataclass(frozen=True, slots=True)
class Release:
    """The wire lets go of what it holds, oldest first."""


@unique
class Harm(Enum):
    """What a rule does to a segment that it matches."""

    DROP = "drop"
    HOLD = "hold"
    DELAY = "delay"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    CORRUPT = "corrupt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Impair:
    """From now on do `harm` to segments for which `when` holds (None: to all), at most `times`
    times (None: without end), each with probability `share` drawn from a generator seeded with
    `seed`.

    `delay_s` belongs to DELAY. `name` is what ladders call the rule, and `Lift` ends it by.
    """

    name: str
    harm: Harm
    when: Predicate | None = None
    times: int | None = None
    share: float = 1.0
    seed: int = 0
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Lift:
    """The rule, firewall or middlebox of that name works no more."""

    name: str


@dataclass(frozen=True, slots=True)
class Cut:
    """The host's cable is pulled at its NIC: it loses carrier, and frames to it are lost."""

    host: str


@dataclass(frozen=True, slots=True)
class Restore:
    """The host's cable is plugged in again, and the host speaks again."""

    host: str


@dataclass(frozen=True, slots=True)
class Silence:
    """The whole host stops answering and sending, as after a crash or behind a dead switch: its
    peer sees nothing but silence, and its own kernel notices nothing.
    """

    host: str


@dataclass(frozen=True, slots=True)
class Reboot:
    """The host comes back at once, with the same address and no memory of any connection."""

    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Readdress:
    """The host loses its address and gets another one of the testbed's network (roaming)."""

    host: str
    number: int  # the host part of the new address: 192.0.2.<number>, 2001:db8::<number>


@unique
class Refusal(Enum):
    """How a firewall refuses."""

    DROP = "drop"
    RST = "rst"
    ICMP = "icmp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Firewall:
    """A firewall before `host` refuses segments to its `port` (None: to every port)."""

    name: str
    host: str
    port: int | None
    refusal: Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetIdle:
    """A NAT or load balancer on the way forgets a flow in which nothing passed for `after_s`
    seconds. Then it drops that flow's segments, or with `resets` answers them with RST.
    """

    name: str
    after_s: float
    resets: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreachable:
    """A router on the way reports with ICMP that `host` is unreachable, to whoever sends to it."""

    name: str
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Craft:
    """A segment made by hand and sent with Scapy, from `host`'s place on the wire, as that end of
    connection `conn` (or, with `as_host`, as another host: a spoofed one). The host's kernel knows
    nothing of it.

    `seq` and `ack` are absolute numbers, in symbols such as `client.snd_nxt`; an `ack` of None
    stands for 0. If the host eavesdrops, they are those that it heard, the segment leaves by its
    NIC, and with `timestamps` it has the option that fits what was heard, so that PAWS lets it in.
    With `shielded` the kernel of the host in whose name it is stays silent on that connection,
    whatever is answered (`tcplab.wire.shield`).
    """

    host: str
    conn: str
    flags: Flags
    seq: Sum
    ack: Sum | None
    data: bytes = b""
    wnd_octets: int = 64240
    urgent: int = 0
    options: tuple[Option, ...] = ()
    as_host: str | None = None
    timestamps: bool = True
    shielded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Steal:
    """A `host` that eavesdrops searches what it has heard of connection `conn` for passwords."""

    host: str
    conn: str = "a"


WireAct = (
    Hold
    | Release
    | Impair
    | Lift
    | Cut
    | Restore
    | Silence
    | Reboot
    | Readdress
    | Firewall
    | ForgetIdle
    | Unreachable
    | Craft
    | Steal
)
