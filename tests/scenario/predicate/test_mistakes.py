"""What each mistake says, where it stands, and what was meant."""

import pytest

from tcplab.scenario.predicate import PredicateError, parse, parse_sum
from tcplab.scenario.predicate.mistakes import nearest
from tests.scenario.predicate.evidence import CONNS, HOSTS, said

HOST_NAMES = (
    "state, timer, expires_ms, send_queue, receive_queue, descriptors, icmp, port, snd_nxt, "
    "rcv_nxt, isn, stalls, buffered_ms, sent, received, retransmitted, read, wrote, call, info, "
    "count, counter"
)


@pytest.mark.parametrize(
    ("text", "column", "word", "what", "remedy"),
    [
        (
            "(seg.len) - -1 > 0",
            12,
            "-",
            "Something is missing before -.",
            "A name or a value belongs there, as in server.state == CLOSED.",
        ),
        (
            "server.sate == CLOSED",
            0,
            "server.sate",
            "There is no name server.sate.",
            "Did you mean server.state?",
        ),
        (
            "sever.state == CLOSED",
            0,
            "sever",
            "There is no host named sever.",
            "Did you mean server?",
        ),
        (
            "server[x].state == CLOSED",
            7,
            "x",
            "There is no connection named x.",
            "The connections are a, b.",
        ),
        (
            "server[b].stat == CLOSED",
            0,
            "server[b].stat",
            "There is no name server[b].stat.",
            "Did you mean server[b].state?",
        ),
        (
            "server.TCPTimeouts > 1",
            0,
            "server.TCPTimeouts",
            "There is no name server.TCPTimeouts.",
            "Did you mean server.counter.TCPTimeouts?",
        ),
        (
            "server.rto > 1",
            0,
            "server.rto",
            "There is no name server.rto.",
            "Did you mean server.info.rto?",
        ),
        (
            "server.counter.TcpExtTCPTimeouts > 1",
            0,
            "server.counter.TcpExtTCPTimeouts",
            "There is no name server.counter.TcpExtTCPTimeouts.",
            "Did you mean server.counter.TCPTimeouts?",
        ),
        (
            "server.counter.tcptimeouts > 1",
            0,
            "server.counter.tcptimeouts",
            "There is no name server.counter.tcptimeouts.",
            "Counters are spelled as nstat does, without Tcp or TcpExt: TCPTimeouts, OutRsts.",
        ),
        (
            "server.call.conect == 0",
            0,
            "server.call.conect",
            "There is no name server.call.conect.",
            "Did you mean server.call.connect?",
        ),
        (
            "server.sent == 2",
            0,
            "server.sent",
            "There is no name server.sent.",
            (
                "server can be asked for sent.segments, sent.syn, sent.fin, sent.rst, sent.data, "
                "sent.ack, sent.octets."
            ),
        ),
        (
            "server.foo.bar.baz",
            0,
            "server.foo.bar.baz",
            "There is no name server.foo.bar.baz.",
            f"server can be asked for {HOST_NAMES}.",
        ),
        ("seg.fni", 0, "seg.fni", "There is no name seg.fni.", "Did you mean seg.fin?"),
        (
            "seg.ack == 1001",
            11,
            "1001",
            "seg.ack is true or false and 1001 is a number: they cannot be compared.",
            "The acknowledgment number is seg.ackno.",
        ),
        (
            "seg[b].fin",
            3,
            "[b]",
            "A segment belongs to one connection: [b] cannot be chosen.",
            "Write seg.conn == b.",
        ),
        (
            "tcp.flags.rst",
            0,
            "tcp.flags.rst",
            "There is no name tcp.flags.rst.",
            "Did you mean tcp.flags.reset?",
        ),
        (
            "client.state == ESTAB",
            16,
            "ESTAB",
            "There is no name ESTAB.",
            "Did you mean ESTABLISHED?",
        ),
        (
            "client.state == FIN_WAIT_1",
            16,
            "FIN_WAIT_1",
            "There is no name FIN_WAIT_1.",
            "Did you mean FIN-WAIT-1?",
        ),
        (
            "client.state == TIME-WIAT",
            16,
            "TIME-WIAT",
            "There is no name TIME-WIAT.",
            "Did you mean TIME-WAIT?",
        ),
        (
            "client.state == closed",
            16,
            "closed",
            "There is no name closed.",
            "Did you mean CLOSED?",
        ),
        (
            "client.state == FIN-WAIT2",
            16,
            "FIN-WAIT2",
            "There is no name FIN-WAIT2.",
            "Did you mean FIN-WAIT-2?",
        ),
        (
            "client.state == 5",
            16,
            "5",
            "client.state is a state and 5 is a number: they cannot be compared.",
            "Compare it with a state, such as ESTABLISHED.",
        ),
        (
            'client.state == "CLOSED"',
            16,
            '"CLOSED"',
            'client.state is a state and "CLOSED" is a word: they cannot be compared.',
            "Did you mean CLOSED?",
        ),
        (
            "seg.from == CLOSED",
            12,
            "CLOSED",
            "seg.from is a host and CLOSED is a state: they cannot be compared.",
            "Compare it with a host, such as client.",
        ),
        (
            "client.call.connect == ECONREFUSED",
            23,
            "ECONREFUSED",
            "There is no errno named ECONREFUSED.",
            "Did you mean ECONNREFUSED?",
        ),
        (
            "client.call.connect == EFOO",
            23,
            "EFOO",
            "There is no errno named EFOO.",
            "Errors are spelled as in errno(3): ECONNRESET.",
        ),
        ('server.timer == "of"', 16, '"of"', "server.timer is never of.", "Did you mean off?"),
        (
            "seg.seq == server.rcv_nxt",
            11,
            "server.rcv_nxt",
            "seg.seq counts from the ISN, unlike what it is compared with.",
            "Did you mean seg.seq_raw?",
        ),
        (
            "client.state",
            0,
            "client.state",
            "client.state is neither true nor false by itself.",
            "Compare it with something, as in client.state == CLOSED.",
        ),
        (
            "client.state == TIME-WAIT or CLOSED",
            29,
            "CLOSED",
            "CLOSED is neither true nor false by itself.",
            "Compare it with something, as in client.state == CLOSED.",
        ),
        ("seg.fin = 1", 8, "=", "= has no meaning here.", "Did you mean ==?"),
        ("seg.fin eq 1", 8, "eq", "eq cannot follow seg.fin.", "Did you mean ==?"),
        ("seg.fin & seg.ack", 8, "&", "& has no meaning here.", "Did you mean and?"),
        (
            "seg.fin seg.ack",
            8,
            "seg.ack",
            "seg.ack cannot follow seg.fin.",
            "Join two conditions with and, or.",
        ),
        ("(seg.fin", 0, "(", "This ( is never closed.", "Write ) where its part ends."),
        ("seg.fin)", 7, ")", "This ) closes nothing.", "Leave it out, or write the ( for it."),
        (
            "seg.fin and",
            11,
            "",
            "Something is missing after and.",
            "A name or a value belongs there, as in server.state == CLOSED.",
        ),
        (
            "",
            0,
            "",
            "The predicate is empty.",
            "A name or a value belongs there, as in server.state == CLOSED.",
        ),
        (
            "()",
            1,
            ")",
            "Something is missing before ).",
            "A name or a value belongs there, as in server.state == CLOSED.",
        ),
        (
            "a == b == c",
            7,
            "==",
            "A comparison cannot be compared once more.",
            "Join two comparisons with and.",
        ),
        (
            "seg.len == 5s",
            11,
            "5s",
            "5s is not a number.",
            "Numbers are whole and have no unit: 1000, 0x3e8.",
        ),
        (
            "seg.len == 1.5",
            11,
            "1.5",
            "1.5 is not a number.",
            "Numbers are whole and have no unit: 1000, 0x3e8.",
        ),
        (
            "(seg.fin and seg.ack) == 1",
            0,
            "(",
            "(seg.fin and seg.ack) has no value.",
            "Only names and values are compared and added up; join conditions with and, or.",
        ),
        (
            "seg.fin < 2",
            10,
            "2",
            "seg.fin is true or false and 2 is a number: they cannot be compared.",
            "Compare it with true, false, 1 or 0.",
        ),
        (
            'seg.conn == "',
            12,
            '"',
            "The text that begins here does not end.",
            "End it with another double quote.",
        ),
        (
            "서버.state == CLOSED",
            0,
            "서버",
            "서버 has no meaning here.",
            "A predicate is made like this: seg.fin and seg.len > 0.",
        ),
        (
            "ip.src == 300.1.1.1",
            10,
            "300.1.1.1",
            "300.1.1.1 is not an IP address.",
            "Addresses are written like 192.0.2.1 or 2001:db8::1.",
        ),
        (
            "ip.src == client",
            10,
            "client",
            "ip.src is an address and client is a host: they cannot be compared.",
            "Compare it with an address, such as 192.0.2.1.",
        ),
        ("state == CLOSED", 0, "state", "There is no name state.", "Did you mean client.state?"),
        ("seg.flags == sa", 13, "sa", "There is no name sa.", "Did you mean SA?"),
        (
            'seg.flags == "XY"',
            13,
            '"XY"',
            "seg.flags is never XY.",
            "Flags are letters out of FSRPAUEC, as in SA or FPA.",
        ),
        (
            'seg.data contains "GET"',
            0,
            "seg.data",
            "seg.data is true or false.",
            "Only words contain words, as in seg.flags contains SA.",
        ),
        (
            "seg",
            0,
            "seg",
            "There is no name seg.",
            (
                "seg can be asked for from, to, conn, flags, syn, ack, fin, rst, psh, urg, ece, "
                "cwr, seq, ackno, seq_raw, ack_raw, len, wnd, data, retransmission, sport, dport, "
                "src, dst."
            ),
        ),
        (
            "server.read",
            0,
            "server.read",
            "There is no name server.read.",
            "server can be asked for read.octets.",
        ),
        ("1 + seg.fin > 2", 4, "seg.fin", "seg.fin is not a number.", "Only numbers are added up."),
        ("attacker.state == CLOSE", 18, "CLOSE", "There is no name CLOSE.", "Did you mean CLOSED?"),
        (
            "client.call.read == EWOULDBLOCK",
            20,
            "EWOULDBLOCK",
            "There is no errno named EWOULDBLOCK.",
            "Did you mean EAGAIN?",
        ),
        (
            "client.state > CLOSED",
            0,
            "client.state",
            "client.state is a state.",
            "Only numbers are less or greater; write == or !=.",
        ),
        (
            "server.count.TIME_WAIT > 1",
            0,
            "server.count.TIME_WAIT",
            "There is no name server.count.TIME_WAIT.",
            "Did you mean server.count.TIME-WAIT?",
        ),
        (
            "client.state == EXPLODED",
            16,
            "EXPLODED",
            "There is no errno named EXPLODED.",
            "Errors are spelled as in errno(3): ECONNRESET.",
        ),
        (
            'seg.from == "client"',
            12,
            '"client"',
            'seg.from is a host and "client" is a word: they cannot be compared.',
            "Did you mean client?",
        ),
        (
            "seg.src == seg.conn",
            11,
            "seg.conn",
            "seg.src is an address and seg.conn is a connection's name: they cannot be compared.",
            "Compare it with an address, such as 192.0.2.1.",
        ),
        (
            "seg.flags == ECONNRESET",
            13,
            "ECONNRESET",
            "seg.flags is never ECONNRESET.",
            "Flags are letters out of FSRPAUEC, as in SA or FPA.",
        ),
        (
            "server.timer == SA",
            16,
            "SA",
            "server.timer is never SA.",
            "It can be off, retransmit, keepalive, timewait, probe.",
        ),
        ("seg.conn == off", 12, "off", "seg.conn is never off.", "It can be a, b."),
        (
            "seg.len + 1",
            0,
            "seg.len + 1",
            "seg.len + 1 is neither true nor false by itself.",
            "Compare it with something, as in client.state == CLOSED.",
        ),
        (
            "server.sent.rsts > 0",
            0,
            "server.sent.rsts",
            "There is no name server.sent.rsts.",
            "Did you mean server.sent.rst?",
        ),
    ],
)
def test_a_mistake_says_what_is_wrong_where_and_what_to_do(text, column, word, what, remedy):
    with pytest.raises(PredicateError) as caught:
        said(text)
    error = caught.value
    assert (str(error.what), str(error.remedy)) == (what, remedy)
    assert (error.column, error.word) == (column, word)
    assert str(error) == f"{what} {remedy}"


@pytest.mark.parametrize("text", ["seg.fin", "tcp.len > 0", "client.state == CLOSED and seg.fin"])
def test_a_segment_cannot_be_asked_where_there_is_none(text):
    with pytest.raises(PredicateError, match="asks a segment, and there is none here") as caught:
        said(text, segment=False)
    assert caught.value.column == text.find(caught.value.word)


def test_a_host_that_the_run_does_not_have_is_a_mistake():
    with pytest.raises(PredicateError) as caught:
        parse("attacker.state == CLOSED", hosts=("client", "server"), conns=("a",), segment=False)
    assert str(caught.value) == "There is no host named attacker. The hosts are client, server."


@pytest.mark.parametrize(
    ("text", "column", "word"),
    [
        ("server.rcv_nxt + client.info.rto", 17, "client.info.rto"),
        ("client.state", 0, "client.state"),
        ("true", 0, "true"),
        ("true and false", 0, "true and false"),
        ("ECONNRESET", 0, "ECONNRESET"),
    ],
)
def test_only_absolute_numbers_can_be_crafted(text, column, word):
    with pytest.raises(PredicateError, match="is not an absolute sequence number") as caught:
        parse_sum(text, hosts=HOSTS, conns=CONNS)
    assert (caught.value.column, caught.value.word) == (column, word)


def test_a_relative_number_cannot_be_crafted():
    with pytest.raises(PredicateError, match="asks a segment, and there is none here"):
        parse_sum("seg.seq + 1", hosts=HOSTS, conns=CONNS)


@pytest.mark.parametrize(
    ("word", "right"),
    [
        ("FIN_WAIT_1", "FIN-WAIT-1"),
        ("established", "ESTABLISHED"),
        ("nothing-like-it", None),
        ("", None),
    ],
)
def test_the_nearest_word_is_found_whatever_the_case_and_the_hyphens(word, right):
    assert nearest(word, ("ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2")) == right


def test_a_long_word_is_quoted_in_part():
    with pytest.raises(PredicateError) as caught:
        said("x" * 200)
    assert str(caught.value.what) == f"There is no name {'x' * 60}…."
    assert caught.value.word == "x" * 200
