"""Two endpoints, a wire between them that the test holds in its hand, and a tracker that listens
in.
"""

from tcplab.tcp.endpoint import Endpoint
from tcplab.tcp.segment import Address
from tcplab.tcp.sequence import MODULUS, Seq
from tcplab.tcp.states import State
from tcplab.tcp.tracker import Tracker

CLIENT, SERVER = Address("192.0.2.1", 40000), Address("192.0.2.2", 80)
CLIENT_ISN = Seq(MODULUS - 3)
"""So that every conversation crosses the wrap."""


class Conversation:
    """`wire` holds the segments that have left and not arrived. `story` tells what happened.

    After every step the tracker must know both ends' true states and numbers, as long as
    `trackable`.
    """

    def __init__(self, *, listening=True, **options):
        settings = {"mss_octets": 1460} | options
        self.client = Endpoint(local=CLIENT, remote=SERVER, isn=CLIENT_ISN, **settings)
        self.server = Endpoint(local=SERVER, remote=CLIENT, isn=Seq(7_000), **settings)
        self.tracker = Tracker(listening=SERVER if listening else None)
        self.trackable = True
        self.now_ns = 0
        self.wire = []
        self.story = []
        if listening:
            self.server.listen()

    def end(self, name):
        return self.client if name == "client" else self.server

    def call(self, name, call, *arguments):
        """The user at `name` makes a call that takes the time."""
        getattr(self.end(name), call)(*arguments, self.now_ns)
        self._tell(f"{name} {call}")

    def read(self, name):
        data = self.end(name).read(1 << 20)
        self._tell(f"{name} read {data!r}")
        return data

    def deliver(self, at=0):
        """The segment at that place on the wire arrives."""
        self._arrive(self.wire.pop(at))

    def duplicate(self, at=0):
        """As `deliver`, but it stays on the wire as well."""
        self._arrive(self.wire[at])

    def lose(self, at=0):
        self._tell(f"lost {self._named(self.wire.pop(at))}")

    def run(self):
        """Everything arrives, in order, until the wire is empty."""
        while self.wire:
            self.deliver()

    def tick(self):
        """Time goes on to the next timer."""
        self.now_ns = min(
            end.next_timer_ns for end in self._ends() if end.next_timer_ns is not None
        )
        for end in self._ends():
            end.tick(self.now_ns)
        self._tell("tick")

    @property
    def states(self):
        return self.client.state, self.server.state

    @property
    def waiting(self):
        """Will time alone make something happen?"""
        return any(end.next_timer_ns is not None for end in self._ends())

    def _ends(self):
        return self.client, self.server

    def _arrive(self, segment):
        receiver = self.client if segment.dst == CLIENT else self.server
        receiver.receive(segment, self.now_ns)
        self.tracker.arrived(segment)
        self._tell(self._named(segment))

    def _tell(self, what):
        for end in self._ends():
            for segment in end.take():
                self.tracker.sent(segment)
                self.wire.append(segment)
        self.story.append(f"{what}: {self.client.state} {self.server.state}")
        self.trackable &= not any(_fin_waits(end) for end in self._ends())
        if self.trackable:
            for address, end in ((CLIENT, self.client), (SERVER, self.server)):
                self._agree(address, end)

    def _agree(self, address, end):
        assert self.tracker.state(address) is end.state, self.story
        if end.state not in (State.CLOSED, State.LISTEN):
            assert self.tracker.isn(address) == end.iss
            assert self.tracker.snd_nxt(address) == end.snd_nxt
            assert end.irs is None or self.tracker.rcv_nxt(address) == end.rcv_nxt

    def _named(self, segment):
        name = "client" if segment.src == CLIENT else "server"
        data = f" {segment.payload!r}" if segment.payload else ""
        return f"{name} {segment.flags.letters}{data}"


def _fin_waits(end):
    """Was CLOSE called, while the FIN is still queued behind data? No segment tells of that."""
    sending = end._tcb.sending
    return sending.fin and sending.nxt <= sending.end


def connected(**options):
    """Both ends are ESTABLISHED, and the story begins."""
    talk = Conversation(**options)
    talk.call("client", "open")
    talk.run()
    assert talk.states == (State.ESTABLISHED, State.ESTABLISHED)
    talk.story.clear()
    return talk
