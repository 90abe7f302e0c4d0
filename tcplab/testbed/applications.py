"""The applications on a kernel host: ordinary sockets that never block, one set a connection."""

import errno
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from select import POLLIN, POLLOUT
from typing import assert_never

from tcplab.kernel import repair
from tcplab.kernel.socket_options import Values, option_of, set_option, written
from tcplab.scenario.calls import (
    Abort,
    Accept,
    Call,
    Close,
    Connect,
    Drain,
    Error,
    Forget,
    Kill,
    Listen,
    Play,
    Read,
    Send,
    SetOption,
    Shutdown,
    StartTls,
    Stream,
)
from tcplab.tcp.segment import Address
from tcplab.testbed.activities import Activities, Activity, Draining, Streaming
from tcplab.testbed.descriptor_limit import DescriptorLimit
from tcplab.testbed.failures import word
from tcplab.testbed.host import Flow, Outcome
from tcplab.testbed.lingering import Lingering, linger_s
from tcplab.testbed.netns import Namespace
from tcplab.testbed.player import Player
from tcplab.testbed.secured import Secured
from tcplab.testbed.sockets import Sockets, abort, address_of, os_error

_SYN_SENT, _SYN_RECEIVED, _CLOSE = 2, 3, 7  # the first octet of tcp_info
_UNDER_WAY = frozenset({errno.EAGAIN, errno.EINPROGRESS})


class Applications:
    """Makes socket calls inside one namespace, on behalf of the host named `host`.

    They run in this thread: with applications in processes of their own, the order of calls and
    segments would be the scheduler's, and no run like another. Only a close() that lingers has one
    of its own, since it waits (`tcplab.testbed.lingering`). With so many `descriptors` open
    accept() gets no further one.
    """

    def __init__(self, host: str, namespace: Namespace, *, descriptors: int | None = None) -> None:
        self._host = host
        self._limit = DescriptorLimit(descriptors)
        self._sockets = Sockets(namespace)
        self._waiting: dict[str, tuple[socket.socket, int]] = {}
        self._opened: dict[str, str] = {}
        self._secured = Secured(server=host != "client")
        self._read: Counter[str] = Counter()
        self._written: Counter[str] = Counter()
        self.activities = Activities()

    def call(self, conn: str, flow: Flow, call: Call) -> Outcome:
        """Make the call; an errno becomes the outcome's result, by name."""
        self._waiting.pop(conn, None)
        try:
            return self._call(conn, flow, call)
        except OSError as refusal:
            if refusal.errno in _UNDER_WAY:
                self._wait(conn, flow, call)
            return Outcome(result=word(refusal))

    def _call(self, conn: str, flow: Flow, call: Call) -> Outcome:
        local, remote = flow.seen_from(self._host)
        match call:
            case Listen(backlog):
                self._sockets.listen(conn, local, backlog)
            case Connect(bind=bind, isn=isn):
                return self._connect(conn, local if bind else None, remote, isn)
            case Accept():
                with self._limit.with_open(self.descriptors()):
                    self._sockets.accept(conn, local, remote)
                self._leave(conn)  # of an earlier incarnation
            case SetOption(option=option, values=values):
                return self._set(conn, local.ip, option, values)
            case Error():
                return Outcome(result=_error(self._sockets.of(conn)))
            case Send() | Read():
                return self._move(conn, call)
            case Shutdown() | Close() | Abort() | Forget():
                return self._end(conn, call)
            case Stream() | Drain() | Play() | StartTls():
                return self._begin(conn, call)
            case Kill():
                raise TypeError("no application kills a socket: it is the administrator who does")
            case _:
                assert_never(call)
        return Outcome(result="0")

    def _move(self, conn: str, call: Send | Read) -> Outcome:
        over = self._secured.channel(conn, self._sockets.open(conn))
        match call:
            case Send(data, urgent):
                octets = over.send(data, socket.MSG_OOB if urgent else 0)
                self._written[conn] += octets
                self._secured.flush_later(conn, self.activities)
                return Outcome(result=str(octets))
            case Read(most):
                data = over.recv(most)
                self._read[conn] += len(data)
                return Outcome(result=str(len(data)), data=data)

    def _end(self, conn: str, call: Shutdown | Close | Abort | Forget) -> Outcome:
        match call:
            case Shutdown():
                self._secured.finish(conn)
                self._sockets.open(conn).shutdown(socket.SHUT_WR)
            case Close():
                return self._close(conn)
            case Abort():
                abort(self._take(conn))
            case Forget():
                repair.forget(self._sockets.open(conn))
                self._take(conn).close()
        return Outcome(result="0")

    def _close(self, conn: str) -> Outcome:
        self._secured.finish(conn)
        closing = self._take(conn)
        if not linger_s(closing):
            closing.close()
            return Outcome(result="0")
        lingering = Lingering(closing)
        self.activities.begin(conn, lingering)
        return lingering.begun

    def _take(self, conn: str) -> socket.socket:
        """The socket that is to be closed. Nothing in the background goes on with it."""
        taken = self._sockets.take(conn)
        self._leave(conn)
        return taken

    def _leave(self, conn: str) -> None:
        self.activities.cancel(conn)
        self._secured.forget(conn)

    def _connect(
        self, conn: str, local: Address | None, remote: Address, isn: int | None
    ) -> Outcome:
        former = self._sockets.connections.get(conn)
        if former is not None and _state(former) != _CLOSE:
            raise os_error(errno.EALREADY if _state(former) == _SYN_SENT else errno.EISCONN)
        if former is not None:
            self._take(conn).close()
        made = self._sockets.make(conn, remote.ip, local)
        try:
            if isn is not None:
                repair.begin_at(made, isn)
            result = made.connect_ex((remote.ip, remote.port))
            if result not in (0, errno.EINPROGRESS):
                raise os_error(result)
        except OSError:
            made.close()
            raise
        self._sockets.options.pop(conn, None)
        self._opened.pop(conn, None)
        self._sockets.connections[conn] = made
        if result:
            self._waiting[conn] = made, POLLOUT
        chosen = None if local is not None else address_of(made.getsockname())
        return Outcome(result=errno.errorcode[result] if result else "0", local=chosen)

    def pending(self, conn: str) -> str | None:
        """How connect() ended, however often it is asked; None while it is under way."""
        if conn in self._opened:
            return self._opened[conn]
        opening = self._sockets.connections.get(conn)
        if opening is None:
            return errno.errorcode[errno.EBADF]
        if _state(opening) in (_SYN_SENT, _SYN_RECEIVED):
            self._waiting[conn] = opening, POLLOUT
            return None
        self._waiting.pop(conn, None)
        self._opened[conn] = _error(opening)
        return self._opened[conn]

    def _set(self, conn: str, ip: str, option: str, values: Values) -> Outcome:
        """Set an option, or remember it for the socket to come; tell what a new socket has."""
        arguments = f"{option} = {written(values)}"
        result = "0"
        with self._sockets.bare(ip) as fresh, suppress(OSError):
            arguments += f", default {written(option_of(fresh, option, values))}"
        try:
            target = self._sockets.of(conn)
        except OSError:
            self._sockets.options.setdefault(conn, {})[option] = values
            return Outcome(result=result, arguments=arguments)
        try:
            set_option(target, option, values)
        except OSError as refusal:
            result = word(refusal)
        return Outcome(result=result, arguments=arguments)

    # --- in the background ------------------------------------------------------------------

    def _begin(self, conn: str, call: Stream | Drain | Play | StartTls) -> Outcome:
        if isinstance(call, StartTls):
            return self._secured.start(conn, self._sockets.open(conn), self.activities)
        self.activities.begin(conn, self._activity(conn, call))
        return Outcome(result="0")

    def _activity(self, conn: str, call: Stream | Drain | Play) -> Activity:
        over = self._secured.channel(conn, self._sockets.open(conn))
        match call:
            case Stream(octets=octets):
                return Streaming(over, octets)
            case Drain():
                return Draining(over)
            case Play(rate_octets=rate, buffer_s=buffer_s):
                player = Player(rate_octets=rate, buffer_octets=int(rate * buffer_s))
                self.activities.players[conn] = player
                return Draining(over, player)

    def progress(self) -> list[tuple[str, str, Outcome]]:
        """Let the background activities do what they can; what is worth telling of it."""
        told: list[tuple[str, str, Outcome]] = []
        for conn, name, read, sent, outcome in self.activities.progress():
            self._read[conn] += read
            self._written[conn] += sent
            self._secured.flush_later(conn, self.activities)
            if outcome is not None:
                told.append((conn, name, outcome))
        return told

    def _wait(self, conn: str, flow: Flow, call: Call) -> None:
        """The caller may want to call again, once the socket is ready."""
        match call:
            case Accept():
                local, _remote = flow.seen_from(self._host)
                self._waiting[conn] = self._sockets.listeners[local].socket, POLLIN
            case Read():
                self._waiting[conn] = self._sockets.open(conn), POLLIN
            case Send():
                self._waiting[conn] = self._sockets.open(conn), POLLOUT

    def watched(self) -> Iterator[tuple[int, int]]:
        """(descriptor, poll events) for which an application waits."""
        yield from self.activities.watched()
        for waiting, events in self._waiting.values():
            if waiting.fileno() >= 0:
                yield waiting.fileno(), events

    def stop_waiting(self, descriptors: set[int]) -> None:
        """The waits for these have been told of; a caller that still waits calls again."""
        for conn, (waiting, _events) in list(self._waiting.items()):
            if waiting.fileno() in descriptors or waiting.fileno() < 0:
                del self._waiting[conn]

    # --- bookkeeping ------------------------------------------------------------------------

    def octets(self, conn: str) -> tuple[int, int]:
        """(read, written) on that connection."""
        return self._read[conn], self._written[conn]

    def descriptors(self) -> int:
        """How many sockets are open."""
        return self._sockets.descriptors()

    def close(self) -> None:
        """Abort whatever is still open."""
        self._sockets.close()
        self._waiting.clear()
        self.activities = Activities()


def _state(of: socket.socket) -> int:
    return of.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]


def _error(of: socket.socket) -> str:
    number = of.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    return errno.errorcode.get(number, str(number))
