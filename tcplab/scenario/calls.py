"""What an application at a host can do with a connection: socket calls, and what befalls them."""

from dataclasses import dataclass

_ALPHABET = b"abcdefghijklmnopqrstuvwxyz"


def alphabet(length: int) -> bytes:
    """So many octets: the alphabet, again and again."""
    return (_ALPHABET * (length // len(_ALPHABET) + 1))[:length]


@dataclass(frozen=True, slots=True)
class Listen:
    """socket, bind, listen: accept connections on the connection's server port."""

    backlog: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect:
    """socket, bind, connect (without blocking): an active OPEN.

    Without `bind` the kernel chooses the local port. With `within_s` the application waits so long
    at most for the outcome, and the call's result is that one (EINPROGRESS if none came). With
    `isn` the connection's numbers begin there (1 to 2^32 - 1); else nobody can tell where.
    """

    bind: bool = True
    within_s: float | None = None
    isn: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accept:
    """Take the connection from the accept queue, waiting at most `within_s` for it."""

    within_s: float | None = None


@dataclass(frozen=True, slots=True)
class Send:
    """Write these octets. `urgent` sends the last one as urgent data (MSG_OOB)."""

    data: bytes
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Read:
    """Read at most so many octets; 0 as the result means end of file.

    With `within_s` the application waits so long at most; then EAGAIN, as SO_RCVTIMEO gives.
    """

    octets: int = 65536
    within_s: float | None = None


@dataclass(frozen=True, slots=True)
class Shutdown:
    """shutdown(SHUT_WR): no more to send, still willing to read."""


@dataclass(frozen=True, slots=True)
class Close:
    """close(): done with both directions."""


@dataclass(frozen=True, slots=True)
class Abort:
    """SO_LINGER 0, then close(): an ABORT, which sends RST instead of FIN."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetOption:
    """setsockopt, by the option's name (`tcplab.scenario.options`). Values are ints; SO_LINGER has
    two, on and seconds; TCP_CONGESTION a name. Set on a connection, or before `Connect` and
    `Listen` on the socket that they will make.
    """

    option: str
    values: tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Error:
    """getsockopt(SO_ERROR): the error that waits at the socket, "0" if none; reading clears it."""


@dataclass(frozen=True, slots=True)
class Kill:
    """`ss -K`: the administrator aborts the socket (SOCK_DESTROY)."""


@dataclass(frozen=True, slots=True)
class Forget:
    """The socket is gone and nobody is told, its kernel lives on (TCP_REPAIR, then close)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """From now on write the alphabet until `octets` are written, whenever the socket takes more."""

    octets: int


@dataclass(frozen=True, slots=True)
class Drain:
    """From now on read whatever comes, until the end of the data or an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """From now on read whatever comes into a buffer, and play from it like a video player: begin
    once it holds `buffer_s` seconds, play `rate_octets` a second, stall when it is empty.
    """

    rate_octets: int
    buffer_s: float


@dataclass(frozen=True, slots=True)
class StartTls:
    """From now on the connection carries TLS: `Send` encrypts what it is given, `Read` decrypts.

    Both ends call it, in any order; the client is who opened the connection, and checks the
    server's certificate. The handshake goes on in the background.
    """


Background = Stream | Drain | Play | StartTls
"""What an application goes on with while the scenario goes on."""

Call = (
    Listen
    | Connect
    | Accept
    | Send
    | Read
    | Shutdown
    | Close
    | Abort
    | SetOption
    | Error
    | Kill
    | Forget
    | Stream
    | Drain
    | Play
    | StartTls
)
