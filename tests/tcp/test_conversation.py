"""Two of tcplab's own ends against each other; the tracker agrees with both after every step."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tcplab.tcp.endpoint import Endpoint
from tcplab.tcp.states import State
from tests.tcp.conversation import CLIENT, CLIENT_ISN, SERVER, Conversation, connected

NAMES = st.sampled_from(["client", "server"])
PLACE = st.integers(0, 3)


def test_three_way_handshake():
    """RFC 9293 §3.5, figure 6."""
    talk = Conversation()
    talk.call("client", "open")
    talk.run()
    assert talk.story == [
        "client open: SYN-SENT LISTEN",
        "client S: SYN-SENT SYN-RECEIVED",
        "server SA: ESTABLISHED SYN-RECEIVED",
        "client A: ESTABLISHED ESTABLISHED",
    ]


def test_normal_close():
    """RFC 9293 §3.6, figure 12."""
    talk = connected()
    talk.call("client", "close")
    talk.run()
    talk.call("server", "close")
    talk.run()
    assert talk.story == [
        "client close: FIN-WAIT-1 ESTABLISHED",
        "client FA: FIN-WAIT-1 CLOSE-WAIT",
        "server A: FIN-WAIT-2 CLOSE-WAIT",
        "server close: FIN-WAIT-2 LAST-ACK",
        "server FA: TIME-WAIT LAST-ACK",
        "client A: TIME-WAIT CLOSED",
    ]


def test_server_closes_first():
    talk = connected()
    talk.call("server", "close")
    talk.run()
    talk.call("client", "close")
    talk.run()
    assert talk.states == (State.CLOSED, State.TIME_WAIT)


def test_three_segment_close():
    """RFC 9293 §3.3.2, note 2: the FIN that acknowledges our FIN."""
    talk = connected()
    talk.call("client", "close")
    talk.deliver()
    talk.lose()
    talk.call("server", "close")
    talk.run()
    assert talk.story == [
        "client close: FIN-WAIT-1 ESTABLISHED",
        "client FA: FIN-WAIT-1 CLOSE-WAIT",
        "lost server A: FIN-WAIT-1 CLOSE-WAIT",
        "server close: FIN-WAIT-1 LAST-ACK",
        "server FA: TIME-WAIT LAST-ACK",
        "client A: TIME-WAIT CLOSED",
    ]


def test_simultaneous_open():
    """RFC 9293 §3.5, figure 7."""
    talk = Conversation(listening=False)
    talk.call("client", "open")
    talk.call("server", "open")
    talk.run()
    assert talk.story == [
        "client open: SYN-SENT CLOSED",
        "server open: SYN-SENT SYN-SENT",
        "client S: SYN-SENT SYN-RECEIVED",
        "server S: SYN-RECEIVED SYN-RECEIVED",
        "server SA: ESTABLISHED SYN-RECEIVED",
        "client SA: ESTABLISHED ESTABLISHED",
    ]


def test_simultaneous_close():
    """RFC 9293 §3.6, figure 13."""
    talk = connected()
    talk.call("client", "close")
    talk.call("server", "close")
    talk.run()
    assert talk.story == [
        "client close: FIN-WAIT-1 ESTABLISHED",
        "server close: FIN-WAIT-1 FIN-WAIT-1",
        "client FA: FIN-WAIT-1 CLOSING",
        "server FA: CLOSING CLOSING",
        "server A: TIME-WAIT CLOSING",
        "client A: TIME-WAIT TIME-WAIT",
    ]


def test_half_close_lets_data_flow_to_the_closed_side():
    talk = connected()
    talk.call("client", "shutdown")
    talk.run()
    talk.call("server", "send", b"still here")
    talk.run()
    assert talk.states == (State.FIN_WAIT_2, State.CLOSE_WAIT)
    assert talk.read("client") == b"still here"
    talk.call("server", "close")
    talk.run()
    assert talk.states == (State.TIME_WAIT, State.CLOSED)
    assert talk.client.eof


def test_abort_resets_the_peer():
    talk = connected()
    talk.call("server", "abort")
    talk.run()
    assert talk.story == ["server abort: ESTABLISHED CLOSED", "server RA: CLOSED CLOSED"]
    assert (talk.client.error, talk.server.error) == ("ECONNRESET", None)


def test_abort_in_syn_received_returns_the_server_to_listen():
    talk = Conversation()
    talk.call("client", "open")
    talk.deliver()
    talk.deliver()
    talk.lose()
    talk.call("client", "abort")
    talk.run()
    assert talk.states == (State.CLOSED, State.LISTEN)


def test_open_of_a_port_at_which_nobody_listens_is_refused():
    talk = Conversation(listening=False)
    talk.call("client", "open")
    talk.run()
    assert talk.story == [
        "client open: SYN-SENT CLOSED",
        "client S: SYN-SENT CLOSED",
        "server RA: CLOSED CLOSED",
    ]
    assert talk.client.error == "ECONNREFUSED"


def test_lost_syn_is_sent_again():
    talk = Conversation()
    talk.call("client", "open")
    talk.lose()
    talk.tick()
    talk.run()
    assert talk.states == (State.ESTABLISHED, State.ESTABLISHED)


def test_lost_syn_ack_is_sent_again():
    talk = Conversation()
    talk.call("client", "open")
    talk.deliver()
    talk.lose()
    talk.tick()  # both ends: the client's SYN and the server's SYN,ACK
    talk.run()
    assert talk.states == (State.ESTABLISHED, State.ESTABLISHED)


def test_lost_ack_of_the_handshake_is_made_up_for_by_data():
    talk = Conversation()
    talk.call("client", "open")
    talk.deliver()
    talk.deliver()
    talk.lose()
    talk.call("client", "send", b"hello")
    talk.run()
    assert talk.states == (State.ESTABLISHED, State.ESTABLISHED)
    assert talk.read("server") == b"hello"


def test_lost_ack_of_the_handshake_is_made_up_for_by_the_repeated_syn_ack():
    talk = Conversation()
    talk.call("client", "open")
    talk.deliver()
    talk.deliver()
    talk.lose()
    talk.tick()
    talk.run()
    assert talk.states == (State.ESTABLISHED, State.ESTABLISHED)


def test_lost_fin_is_sent_again():
    talk = connected()
    talk.call("client", "close")
    talk.lose()
    talk.tick()
    talk.run()
    assert talk.states == (State.FIN_WAIT_2, State.CLOSE_WAIT)


def test_lost_last_ack_is_sent_again_from_time_wait():
    talk = connected()
    talk.call("client", "close")
    talk.run()
    talk.call("server", "close")
    talk.deliver()
    talk.lose()
    assert talk.states == (State.TIME_WAIT, State.LAST_ACK)
    talk.tick()
    talk.run()
    assert talk.states == (State.TIME_WAIT, State.CLOSED)


def test_lost_data_is_sent_again_and_arrives_once():
    talk = connected()
    talk.call("client", "send", b"hello")
    talk.lose()
    talk.tick()
    talk.duplicate()
    talk.run()
    assert talk.read("server") == b"hello"


def test_reordered_data_arrives_in_order():
    talk = connected()
    talk.call("client", "send", b"one ")
    talk.call("client", "send", b"two")
    talk.deliver(1)
    talk.run()
    talk.tick()
    talk.run()
    assert talk.read("server") == b"one two"


def test_both_windows_closed_at_once_does_not_deadlock():
    talk = connected(wnd_octets=10)
    for name in ("client", "server"):
        talk.call(name, "send", b"0123456789abcde")
    talk.run()
    for _ in range(3):
        talk.tick()
        talk.run()
    heard = {"client": b"", "server": b""}
    for _ in range(4):
        for name in heard:
            heard[name] += talk.read(name)
        talk.run()
        if talk.waiting:
            talk.tick()
            talk.run()
    assert heard == {"client": b"0123456789abcde", "server": b"0123456789abcde"}


def test_half_open_connection_is_discovered():
    """RFC 9293 §3.5.1, figure 9: the client has crashed, and opens again from the same port."""
    talk = connected()
    talk.client = Endpoint(local=CLIENT, remote=SERVER, isn=CLIENT_ISN + 9999, mss_octets=1460)
    talk.call("client", "open")
    talk.run()
    assert talk.story == [
        "client open: SYN-SENT ESTABLISHED",
        "client S: SYN-SENT ESTABLISHED",
        "server A: SYN-SENT ESTABLISHED",
        "client R: SYN-SENT CLOSED",
    ]
    assert talk.server.error == "ECONNRESET"


class Chaos(RuleBasedStateMachine):
    """Both users do what they like, and the network loses, duplicates and reorders at will."""

    def __init__(self):
        super().__init__()
        self.talk = Conversation(mss_octets=100, wnd_octets=250)
        self.sent = {"client": b"", "server": b""}
        self.read = {"client": b"", "server": b""}
        self.talk.call("client", "open")

    @rule(at=PLACE)
    def deliver(self, at):
        if self.talk.wire:
            self.talk.deliver(at % len(self.talk.wire))

    @rule(at=PLACE)
    def duplicate(self, at):
        if self.talk.wire:
            self.talk.duplicate(at % len(self.talk.wire))

    @rule(at=PLACE)
    def lose(self, at):
        if self.talk.wire:
            self.talk.lose(at % len(self.talk.wire))

    @rule()
    def tick(self):
        if self.talk.waiting:
            self._tick()

    @rule(name=NAMES, size=st.integers(1, 400))
    def send(self, name, size):
        data = bytes((len(self.sent[name]) + n) % 251 for n in range(size))
        try:
            self.talk.call(name, "send", data)
        except OSError:
            return
        self.sent[name] += data

    @rule(name=NAMES)
    def receive(self, name):
        self.read[name] += self.talk.read(name)

    @rule(name=NAMES)
    def shutdown(self, name):
        if self.talk.end(name).state not in (State.CLOSED, State.LISTEN, State.SYN_SENT):
            self.talk.call(name, "shutdown")

    @invariant()
    def what_was_read_was_sent(self):
        assert self.sent["server"].startswith(self.read["client"])
        assert self.sent["client"].startswith(self.read["server"])

    def _tick(self):
        """What time alone does leaves no segment: from then on the tracker cannot know."""
        before, trackable = self.talk.states, self.talk.trackable
        self.talk.trackable = False
        self.talk.tick()
        self.talk.trackable = trackable and before == self.talk.states

    def teardown(self):
        """The network mends, and everything that can arrive does."""
        for _ in range(60):
            self.talk.run()
            for name in self.read:
                self.receive(name)
            if not self.talk.wire and self.talk.waiting:
                self._tick()
        self.what_was_read_was_sent()
        if self.talk.client.error is None and self.talk.server.error is None:
            assert self.read["client"] == self.sent["server"]
            assert self.read["server"] == self.sent["client"]


TestChaos = Chaos.TestCase
TestChaos.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
