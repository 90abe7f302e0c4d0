"""TLS over a connection's socket: Python's ssl, in this thread, without blocking.

OpenSSL never sees the socket. It reads and writes memory, and what it wrote goes out at once: so
the same calls make the same segments in every run. For the same reason all that could vary is
fixed: TLS 1.3, one group, no session tickets, and a certificate whose signatures have one length.

This module is imported only where a scenario starts TLS: ssl takes 10 ms.
"""

import errno
import os
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from typing import Final, TypeVar

from tcplab.errors import UnavailableError
from tcplab.testbed.failures import TlsError
from tcplab.text import Text

T = TypeVar("T")

SERVER_NAME: Final = "server.example"
_TOY_SERVER: Final = os.path.join(os.path.dirname(__file__), "toy_server.pem")
_GROUP: Final = "prime256v1"
"""OpenSSL 3.5 would offer a second share, of 1.2 KB, and the ClientHello take two segments."""
_CHUNK_OCTETS: Final = 1 << 16
_RECORD_OCTETS: Final = 1 << 14


class TlsSocket:
    """One end of a connection under TLS, with the face of a socket: send and recv plaintext.

    A failure of TLS is raised as `TlsError`, after its alert has been sent (RFC 8446 §6.2), and by
    every later call: the session is dead. Errors of the socket below are raised as they are.
    """

    def __init__(self, over: socket.socket, *, server: bool) -> None:
        self._socket = over
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._unsent = b""
        self._failure: TlsError | None = None
        self._secure = False
        context = _context(server=server)
        self._tls = context.wrap_bio(
            self._incoming,
            self._outgoing,
            server_side=server,
            server_hostname=None if server else SERVER_NAME,
        )

    def handshake(self) -> None:
        """Go on with the handshake; BlockingIOError until it is done."""
        self._do(self._tls.do_handshake)
        self._secure = True

    @property
    def agreed(self) -> str:
        """What both ends have agreed on: the version and the cipher suite."""
        cipher = self._tls.cipher()
        return f"{self._tls.version()}, {cipher[0]}" if cipher else ""

    def send(self, data: bytes | memoryview, flags: int = 0, /) -> int:
        """Encrypt and send as many octets as the socket below has room for; how many these are.

        The last record may still be in part `unsent`.
        """
        if flags & socket.MSG_OOB:
            raise OSError(errno.EOPNOTSUPP, "TLS has no urgent data")
        sent = 0
        while sent < len(data):
            self.flush()
            if self._unsent:
                break
            sent += self._do(partial(self._tls.write, data[sent : sent + _RECORD_OCTETS]))
        if not sent and data:
            raise BlockingIOError(errno.EAGAIN, "the socket has no room")
        return sent

    def recv(self, most: int, /) -> bytes:
        """Octets of plaintext, of one record; none once the peer has said that it ends."""
        try:
            return self._do(partial(self._tls.read, most))
        except ssl.SSLZeroReturnError:  # close_notify
            return b""

    def finish(self) -> None:
        """Tell the peer that no more will come (close_notify), if the session is whole."""
        if not self._secure or self._failure is not None:
            return
        with suppress(ssl.SSLError):  # it would also wait for the peer's own
            self._tls.unwrap()
        with suppress(OSError):
            self.flush()

    def flush(self) -> None:
        """Send what the socket below had no room for, as far as it has now."""
        self._unsent += self._outgoing.read()
        with suppress(BlockingIOError):
            while self._unsent:
                self._unsent = self._unsent[self._socket.send(self._unsent) :]

    @property
    def unsent(self) -> bool:
        """Are there encrypted octets that the socket has not taken?"""
        return bool(self._unsent)

    def fileno(self) -> int:
        """The descriptor of the socket below."""
        return self._socket.fileno()

    def _do(self, act: Callable[[], T]) -> T:
        """Let OpenSSL act, as far as what has come allows, and send what it wrote."""
        if self._failure is not None:
            raise self._failure
        while True:
            try:
                done = act()
            except ssl.SSLWantReadError:
                self.flush()
                self._receive()
            except ssl.SSLZeroReturnError:
                raise
            except ssl.SSLError as refusal:
                with suppress(OSError):  # why TLS failed matters more than whether the alert leaves
                    self.flush()
                self._failure = TlsError(_reason(refusal))
                raise self._failure from refusal
            else:
                self.flush()
                return done

    def _receive(self) -> None:
        """Give OpenSSL what has come. Raises BlockingIOError if nothing has."""
        received = self._socket.recv(_CHUNK_OCTETS)
        if received:
            self._incoming.write(received)
        else:
            self._incoming.write_eof()


def _reason(refusal: ssl.SSLError) -> str:
    if isinstance(refusal, ssl.SSLEOFError):  # to OpenSSL 1.1.1 it was a system call's error
        return "UNEXPECTED_EOF_WHILE_READING"
    return refusal.reason or "SSL_ERROR"


@cache
def _context(*, server: bool) -> ssl.SSLContext:
    """How an end of the testbed speaks TLS. Raises UnavailableError if this OpenSSL will not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_3
        # Some builds of Python take an end without close_notify for a proper one (RFC 8446 §6.1).
        context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
        context.set_ecdh_curve(_GROUP)
        if server:
            context.load_cert_chain(_TOY_SERVER)
            context.num_tickets = 0
        else:
            context.load_verify_locations(_TOY_SERVER)
    except (ssl.SSLError, ValueError) as refusal:
        raise UnavailableError(
            Text("This machine's OpenSSL refuses TLS 1.3 with Ed25519: {why}.", why=str(refusal)),
            remedy=Text("Allow both in its configuration (openssl.cnf), or leave TLS out."),
        ) from refusal
    return context
