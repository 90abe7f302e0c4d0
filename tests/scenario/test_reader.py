"""Every construct of the language, read into its value."""

import pytest

from tcplab.scenario.calls import (
    Abort,
    Accept,
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
from tcplab.scenario.host_settings import HostSettings, Sysctl
from tcplab.scenario.options import OPTIONS, Shape
from tcplab.scenario.predicate import parse as parse_predicate
from tcplab.scenario.predicate import parse_sum
from tcplab.scenario.reader import parse
from tcplab.scenario.steps import At, Await, Connection, Expect, On, Pause, Quiet, Scenario
from tcplab.scenario.wire import (
    Craft,
    Cut,
    Firewall,
    ForgetIdle,
    Harm,
    Hold,
    Impair,
    Lift,
    Readdress,
    Reboot,
    Refusal,
    Release,
    Restore,
    Silence,
    Unreachable,
)
from tcplab.tcp.flags import NONE, Flags
from tcplab.text import in_both

HEAD = """\
title = { en = "A test", ko = "시험" }
story = { en = "The client connects.", ko = "클라이언트가 연결합니다." }
notice = { en = "Nothing.", ko = "없음." }
"""
OPENING = """
[[step]]
at = "server"
do = "listen"

[[step]]
at = "client"
do = "connect"

"""
HOSTS = ("client", "server")


def read(*steps: str, top: str = "") -> Scenario:
    """A scenario that opens connection a, and then these steps."""
    body = "".join(f"[[step]]\n{step}\n" for step in steps)
    return parse(HEAD + top + OPENING + body, name="x", source="x.toml")


def last(*steps: str, top: str = ""):
    return read(*steps, top=top).steps[-1]


def when(text: str, hosts=HOSTS, conns=("a",)):
    return parse_predicate(text, hosts=hosts, conns=conns, segment=True)


def asks(text: str, conns=("a",)):
    return parse_predicate(text, hosts=HOSTS, conns=conns, segment=False)


def sequence(text: str, hosts=HOSTS):
    return parse_sum(text, hosts=hosts, conns=("a",))


# --- the scenario as a whole --------------------------------------------------------------------


def test_the_least_scenario():
    assert parse(HEAD + OPENING, name="mine", source="mine.toml", group="opening") == Scenario(
        name="mine",
        group="opening",
        title=in_both(en="A test", ko="시험"),
        story=in_both(en="The client connects.", ko="클라이언트가 연결합니다."),
        notice=in_both(en="Nothing.", ko="없음."),
        steps=(At(host="server", call=Listen()), At(host="client", call=Connect())),
    )


def test_timed():
    assert read(top="timed = true\n").timed


def test_unhurried_and_quickack_are_for_both_hosts():
    assert read(top="unhurried = true\nquickack = true\n").hosts == tuple(
        HostSettings(name=name, quickack=True, rto_min_ms=10_000) for name in HOSTS
    )


def test_a_host_s_own_route_goes_before():
    top = (
        "unhurried = true\nquickack = true\n"
        "[hosts.server]\nroute = { quickack = false, rto_min_ms = 200 }\n"
    )
    assert read(top=top).host("server") == HostSettings(name="server", rto_min_ms=200)
    assert read(top=top).host("client").quickack


def test_a_crafted_host():
    assert read(top='[hosts.client]\nstack = "crafted"\n').host("client").crafted
    assert not read(top='[hosts.client]\nstack = "kernel"\n').host("client").crafted


def test_the_attacker_is_there_if_the_file_has_a_use_for_it():
    assert [host.name for host in read().hosts] == ["client", "server"]
    attacker = read(top="[hosts.attacker.route]\nquickack = true\n").host("attacker")
    assert attacker == HostSettings(name="attacker", quickack=True)


def test_sysctls():
    top = """
[hosts.server.sysctl]
"net.ipv4.tcp_early_retrans" = 0
"net.ipv4.tcp_sack" = true
"net.ipv4.tcp_ecn" = false
"net.ipv4.ip_local_port_range" = "40000 40009"
"net.ipv4.tcp_syn_linear_timeouts" = { value = 0, if_present = true }
"""
    assert read(top=top).host("server").sysctls == (
        Sysctl(name="net.ipv4.tcp_early_retrans", value="0"),
        Sysctl(name="net.ipv4.tcp_sack", value="1"),
        Sysctl(name="net.ipv4.tcp_ecn", value="0"),
        Sysctl(name="net.ipv4.ip_local_port_range", value="40000 40009"),
        Sysctl(name="net.ipv4.tcp_syn_linear_timeouts", value="0", if_present=True),
    )


def test_descriptors_of_a_host():
    top = "[hosts.server]\ndescriptors = 4\n"
    assert read(top=top).host("server").descriptors == 4
    assert read(top=top).host("client").descriptors is None


def test_connections_stand_in_the_order_in_which_they_are_opened():
    connect_c, connect_b = ('at = "client"\ndo = "connect"\nconn = "c"', _on_b("connect"))
    top = '[conn.b]\nserver_port = 81\nclient_port = 40000\n[conn.c]\nclient_port = "b"\n'
    assert read(connect_c, connect_b, top=top).conns == (
        Connection(name="a"),
        Connection(name="c", server_port=81, client_port="b"),
        Connection(name="b", server_port=81, client_port=40000),
    )


def _on_b(call: str) -> str:
    return f'at = "client"\ndo = "{call}"\nconn = "b"'


def test_the_port_of_listen_is_the_connection_s():
    text = HEAD + OPENING.replace('"listen"\n', '"listen"\nport = 8080\n')
    again = f"[[step]]\n{_on_b('connect')}\n"
    scenario = parse(text + '[conn.b]\nclient_port = "a"\n' + again, name="x", source="x.toml")
    assert scenario.conns == (
        Connection(name="a", server_port=8080),
        Connection(name="b", server_port=8080, client_port="a"),
    )


# --- calls --------------------------------------------------------------------------------------

CALLS = {
    'do = "listen"': Listen(),
    'do = "listen"\nbacklog = 0': Listen(0),
    'do = "connect"': Connect(),
    'do = "connect"\nbind = false\nwithin = 3': Connect(bind=False, within_s=3.0),
    'do = "connect"\nisn = 0xFFFFFFFA': Connect(isn=2**32 - 6),
    'do = "accept"': Accept(),
    'do = "accept"\nwithin = 0.5': Accept(within_s=0.5),
    'do = "send"\ndata = "안녕\\n"': Send("안녕\n".encode()),
    'do = "send"\ndata = "x"\nurgent = true': Send(b"x", urgent=True),
    'do = "send"\noctets = 28': Send(b"abcdefghijklmnopqrstuvwxyzab"),
    'do = "read"': Read(),
    'do = "read"\noctets = 10\nwithin = 1.5': Read(10, within_s=1.5),
    'do = "shutdown"': Shutdown(),
    'do = "close"': Close(),
    'do = "abort"': Abort(),
    'do = "set"\noption = "TCP_NODELAY"\nvalue = 1': SetOption(option="TCP_NODELAY", values=(1,)),
    'do = "set"\noption = "TCP_CORK"\nvalue = true': SetOption(option="TCP_CORK", values=(1,)),
    'do = "set"\noption = "SO_LINGER"\nvalue = [1, 5]': SetOption(
        option="SO_LINGER", values=(1, 5)
    ),
    'do = "set"\noption = "SO_LINGER"\nvalue = [true, 5]': SetOption(
        option="SO_LINGER", values=(1, 5)
    ),
    'do = "set"\noption = "TCP_CONGESTION"\nvalue = "reno"': SetOption(
        option="TCP_CONGESTION", values=("reno",)
    ),
    'do = "error"': Error(),
    'do = "kill-socket"': Kill(),
    'do = "forget"': Forget(),
    'do = "stream"\noctets = 1000000': Stream(octets=1_000_000),
    'do = "drain"': Drain(),
    'do = "play"\nrate = 1000\nbuffer = 2': Play(rate_octets=1000, buffer_s=2.0),
    'do = "start-tls"': StartTls(),
}


@pytest.mark.parametrize(("step", "call"), CALLS.items())
@pytest.mark.parametrize("host", HOSTS)
def test_call(step, call, host):
    assert last(f'at = "{host}"\n{step}') == At(host=host, call=call)


def test_call_on_another_connection():
    assert last(_on_b("connect"), _on_b("close")) == At(host="client", call=Close(), conn="b")


@pytest.mark.parametrize(
    ("written", "result"),
    [('"ECONNREFUSED"', "ECONNREFUSED"), ("5", "5"), ('"0"', "0"), ("0", "0")],
)
def test_what_a_call_must_return(written, result):
    step = f'at = "server"\ndo = "read"\nresult = {written}'
    assert last(step) == At(host="server", call=Read(), result=result)


def test_every_socket_option_is_one_of_the_machine_s_and_has_a_shape():
    import socket

    unknown_to_python = {"TCP_USER_TIMEOUT"}  # since 3.6 where the headers have it
    assert {name for name in OPTIONS if not hasattr(socket, name)} <= unknown_to_python
    assert OPTIONS["SO_LINGER"] is Shape.LINGER


# --- whole hosts --------------------------------------------------------------------------------

HOST_ACTS = {
    'do = "silence"': Silence("server"),
    'do = "reboot"': Reboot("server"),
    'do = "readdress"\nnumber = 7': Readdress(host="server", number=7),
    'do = "firewall"': Firewall(name="firewall 1", host="server", port=None, refusal=Refusal.DROP),
    'do = "firewall"\nport = 80\nhow = "icmp"\nname = "gate"': Firewall(
        name="gate", host="server", port=80, refusal=Refusal.ICMP
    ),
    'do = "unreachable"': Unreachable(name="unreachable 1", host="server"),
    'do = "unreachable"\nname = "router"': Unreachable(name="router", host="server"),
    'do = "craft"\nflags = ""\nseq = 1000': Craft(
        host="server", conn="a", flags=NONE, seq=sequence("1000"), ack=None
    ),
    'do = "craft"\nconn = "a"\nflags = "SA"\nseq = "server.snd_nxt"\n'
    'ack = "client.snd_nxt + 1000"\ndata = "x"\nwnd = 0\nurgent = 1\nas = "client"': Craft(
        host="server",
        conn="a",
        flags=Flags.SYN | Flags.ACK,
        seq=sequence("server.snd_nxt"),
        ack=sequence("client.snd_nxt + 1000"),
        data=b"x",
        wnd_octets=0,
        urgent=1,
        as_host="client",
    ),
}


@pytest.mark.parametrize(("step", "act"), HOST_ACTS.items())
def test_act_on_a_host(step, act):
    assert last(f'at = "server"\n{step}') == On(act)


def test_the_attacker_crafts():
    step = 'at = "attacker"\ndo = "craft"\nflags = "R"\nseq = "client.snd_nxt"\nas = "client"'
    scenario = read(step)
    assert [host.name for host in scenario.hosts] == ["client", "server", "attacker"]
    assert scenario.steps[-1] == On(
        Craft(
            host="attacker",
            conn="a",
            flags=Flags.RST,
            seq=sequence("client.snd_nxt"),
            ack=None,
            as_host="client",
        )
    )


# --- the wire -----------------------------------------------------------------------------------

WIRE_ACTS = {
    'do = "hold"': Hold(),
    'do = "release"': Release(),
    'do = "drop"': Impair(name="drop 1", harm=Harm.DROP),
    'do = "drop"\nwhen = "seg.fin"\ntimes = 2\nname = "no FIN"': Impair(
        name="no FIN", harm=Harm.DROP, when=when("seg.fin"), times=2
    ),
    'do = "hold"\nwhen = "seg.syn"': Impair(name="hold 1", harm=Harm.HOLD, when=when("seg.syn")),
    'do = "hold"\ntimes = 1': Impair(name="hold 1", harm=Harm.HOLD, times=1),
    'do = "delay"\nseconds = 0.2': Impair(name="delay 1", harm=Harm.DELAY, delay_s=0.2),
    'do = "duplicate"\ntimes = 1': Impair(name="duplicate 1", harm=Harm.DUPLICATE, times=1),
    'do = "reorder"\ntimes = 1': Impair(name="reorder 1", harm=Harm.REORDER, times=1),
    'do = "corrupt"\ntimes = 1': Impair(name="corrupt 1", harm=Harm.CORRUPT, times=1),
    'do = "loss"\npercent = 25': Impair(name="loss 1", harm=Harm.DROP, share=0.25),
    'do = "loss"\npercent = 50.0\nseed = 7\nwhen = "seg.data"\ntimes = 3\nname = "bad"': Impair(
        name="bad", harm=Harm.DROP, share=0.5, seed=7, when=when("seg.data"), times=3
    ),
    'do = "cut"\nhost = "server"': Cut("server"),
    'do = "forget-idle"\nafter = 2\nthen = "drop"': ForgetIdle(
        name="forget-idle 1", after_s=2.0, resets=False
    ),
    'do = "forget-idle"\nafter = 2\nthen = "reset"\nname = "NAT"': ForgetIdle(
        name="NAT", after_s=2.0, resets=True
    ),
}


@pytest.mark.parametrize(("step", "act"), WIRE_ACTS.items())
def test_act_on_the_wire(step, act):
    assert last(f'on = "wire"\n{step}') == On(act)


CUT = 'on = "wire"\ndo = "cut"\nhost = "server"'
SILENCE = 'at = "server"\ndo = "silence"'


@pytest.mark.parametrize("before", [CUT, SILENCE])
def test_restore(before):
    assert last(before, 'on = "wire"\ndo = "restore"\nhost = "server"') == On(Restore("server"))


@pytest.mark.parametrize(
    "rule", ['do = "drop"\nname = "x"', 'do = "forget-idle"\nafter = 1\nthen = "drop"\nname = "x"']
)
def test_lift(rule):
    assert last(f'on = "wire"\n{rule}', 'on = "wire"\ndo = "lift"\nname = "x"') == On(Lift("x"))


def test_rules_without_a_name_get_one_that_no_other_rule_has():
    steps = read(
        'on = "wire"\ndo = "drop"',
        'on = "wire"\ndo = "drop"\nname = "drop 2"',
        'on = "wire"\ndo = "drop"',
        'on = "wire"\ndo = "corrupt"',
        'on = "wire"\ndo = "lift"\nname = "drop 3"',
    ).steps[2:]
    assert [step.act.name for step in steps] == [
        "drop 1",
        "drop 2",
        "drop 3",
        "corrupt 1",
        "drop 3",
    ]


# --- waits, expectations and blocks -------------------------------------------------------------

STATE = "client.state == ESTABLISHED"
OTHER = "server[b].state == ESTABLISHED"


def test_waits():
    scenario = read(
        "wait = 1.5",
        "wait = 2",
        f'wait = "{STATE}"\nwithin = 3',
        f'wait = "{STATE}"\nwithin = 3\nconn = "a"',
        'wait = "quiet"\nwithin = 5',
        'wait = "quiet"\nfor = 0.5\nwithin = 5.0',
    )
    assert scenario.steps[2:] == (
        Pause(1.5),
        Pause(2.0),
        Await(predicate=asks(STATE), within_s=3.0),
        Await(predicate=asks(STATE), within_s=3.0),
        Quiet(seconds=0.1, within_s=5.0),
        Quiet(seconds=0.5, within_s=5.0),
    )


def test_expectations():
    scenario = read(
        f'expect = "{STATE}"',
        f'expect = "{OTHER}"\nwithin = 2',
        f'expect = "{STATE}"\nconn = "b"\nwithin = 0',
        _on_b("connect"),
    )
    assert scenario.steps[2:5] == (
        Expect(predicate=asks(STATE)),
        Expect(predicate=asks(OTHER, conns=("a", "b")), within_s=2.0),
        Expect(predicate=asks(STATE), conn="b"),
    )


BLOCK = """\
repeat = 2
every = 0.2
steps = [
  { at = "client", do = "connect", conn = "c{n}" },
  { at = "client", do = "send", conn = "c{n}", data = "{n} of {m}" },
]"""


def test_a_block_is_played_so_many_times_with_a_pause_between():
    scenario = read(BLOCK)
    assert scenario.steps[2:] == (
        At(host="client", call=Connect(), conn="c1"),
        At(host="client", call=Send(b"1 of {m}"), conn="c1"),
        Pause(0.2),
        At(host="client", call=Connect(), conn="c2"),
        At(host="client", call=Send(b"2 of {m}"), conn="c2"),
    )
    assert [conn.name for conn in scenario.conns] == ["a", "c1", "c2"]


def test_a_block_may_name_its_rules_and_ask_for_its_connections():
    scenario = read(
        'repeat = 2\nsteps = [{ at = "client", do = "connect", conn = "c{n}" }, '
        '{ on = "wire", do = "drop", name = "no {n}", when = "seg.len == {n}" }, '
        '{ expect = "client[c{n}].state == SYN-SENT" }]'
    )
    assert [step.act.name for step in scenario.steps if isinstance(step, On)] == ["no 1", "no 2"]
    assert scenario.steps[-1].predicate.text == "client[c2].state == SYN-SENT"


def test_where_no_connection_is_named_a_the_first_is_asked():
    text = HEAD + f'[[step]]\n{_on_b("connect")}\n[[step]]\nexpect = "{STATE}"\n'
    assert parse(text, name="x", source="x.toml").steps[-1].conn == "b"


def test_five_thousand_steps_read():
    waits = ", ".join(["{ wait = 0.1 }"] * 4)
    assert len(read(f"repeat = 1000\nsteps = [{waits}]").steps) == 4002
