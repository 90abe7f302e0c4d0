"""What TLS does in the background: the handshake, and the rest of what did not fit at once."""

from select import POLLIN, POLLOUT
from typing import TYPE_CHECKING

from tcplab.testbed.failures import word
from tcplab.testbed.host import Outcome

if TYPE_CHECKING:
    from tcplab.testbed.tls import TlsSocket


class Handshaking:
    """Goes on with the handshake as the peer's records come."""

    name = "start-tls"
    wants = POLLIN

    def __init__(self, over: "TlsSocket") -> None:
        self.socket = over
        self.ended = False

    def progress(self) -> tuple[int, int, Outcome | None]:
        """Answer what has come; (0, 0, what to tell of it: how it ended)."""
        try:
            self.socket.handshake()
        except BlockingIOError:
            return 0, 0, None
        except OSError as failure:
            told = Outcome(result=word(failure))
        else:
            told = Outcome(result="0", arguments=self.socket.agreed)
        self.ended = True
        return 0, 0, told

    def next_ns(self) -> int | None:
        """Never: it waits for its socket alone."""
        return None

    @property
    def reads(self) -> bool:
        """Is it still under way?"""
        return not self.ended


class Flushing:
    """Sends the end of a record, once the socket has room for it."""

    name = "send"
    wants = POLLOUT

    def __init__(self, over: "TlsSocket") -> None:
        self.socket = over
        self.ended = False

    def progress(self) -> tuple[int, int, Outcome | None]:
        """Send what goes; (0, 0, what to tell of it: nothing but an error)."""
        told: Outcome | None = None
        try:
            self.socket.flush()
        except OSError as failure:
            told = Outcome(result=word(failure))
        self.ended = told is not None or not self.socket.unsent
        return 0, 0, told

    def next_ns(self) -> int | None:
        """Never: it waits for its socket alone."""
        return None
