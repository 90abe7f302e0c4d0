import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcplab.scenario.predicate import Kind, Name, PredicateError, Sum, parse, parse_sum
from tcplab.scenario.predicate.expression import All, Comparison, Literal, Not, Some, Truth
from tcplab.scenario.predicate.vocabulary import GROUPS, HOST, SEGMENT, STATES, WIRESHARK
from tcplab.tcp.states import State
from tests.scenario.predicate.evidence import CONNS, HOSTS, Answers, said


def flag(word):
    return Truth(
        Name(subject="seg", path=(word,), conn=None, kind=Kind.TRUTH, written=f"seg.{word}")
    )


def number(value):
    return Literal(value, Kind.NUMBER, str(value))


def length(operator, value):
    name = Name(subject="seg", path=("len",), conn=None, kind=Kind.NUMBER, written="seg.len")
    return Comparison(Sum(((1, name),)), operator, Sum(((1, number(value)),)))


@pytest.mark.parametrize(
    "text",
    [
        "seg.from == server and seg.fin",
        "seg.from == client and seg.ack and not seg.fin and server.state == LAST-ACK",
        "tcp.flags.fin",
        "tcp.flags.fin == 1",
        "tcp.flags.fin == true && !(tcp.flags.ack == 0)",
        "ip.src == 192.0.2.1 || ipv6.dst == 2001:db8::2",
    ],
)
def test_what_asks_a_segment_is_read(text):
    predicate = said(text)
    assert predicate.text == text
    assert {name.subject for name in predicate.names()} <= {"seg", "server"}


@pytest.mark.parametrize(
    "text",
    [
        "client.state == TIME-WAIT",
        "client.state == TIME-WAIT or server.retransmitted.fin >= 1",
        "server.counter.TCPChallengeACK > 0",
        "server.retransmitted.fin >= 1",
        "client.state == TIME-WAIT and server.state == CLOSED",
        "server[b].count.CLOSE-WAIT >= 10 and client.call.connect == ETIMEDOUT",
    ],
)
def test_what_asks_hosts_needs_no_segment(text):
    assert "seg" not in {name.subject for name in said(text, segment=False).names()}


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("seg.syn or seg.ack and seg.fin", Some((flag("syn"), All((flag("ack"), flag("fin")))))),
        ("(seg.syn or seg.ack) and seg.fin", All((Some((flag("syn"), flag("ack"))), flag("fin")))),
        ("not seg.syn and seg.ack", All((Not(flag("syn")), flag("ack")))),
        ("not seg.len > 5", Not(length(">", 5))),
        ("not not seg.fin", Not(Not(flag("fin")))),
        (
            "!seg.syn && seg.ack || seg.fin",
            Some((All((Not(flag("syn")), flag("ack"))), flag("fin"))),
        ),
        ("((seg.len)) >= (5)", length(">=", 5)),
        ("seg.syn and seg.ack and seg.fin", All((flag("syn"), flag("ack"), flag("fin")))),
    ],
)
def test_what_binds_tighter_is_further_inside(text, expression):
    assert said(text).expression == expression


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("5", [(1, 5)]),
        ("-5", [(-1, 5)]),
        ("1 + 2 - 3", [(1, 1), (1, 2), (-1, 3)]),
        ("1 - (2 - 3)", [(1, 1), (-1, 2), (1, 3)]),
        ("-(1 + 2)", [(-1, 1), (-1, 2)]),
    ],
)
def test_a_sum_is_its_terms_with_their_signs(text, terms):
    found = parse_sum(text, hosts=HOSTS, conns=CONNS)
    assert found == Sum(tuple((sign, number(value)) for sign, value in terms))


def test_a_crafted_segments_number_is_counted_from_a_name():
    found = parse_sum("server[b].rcv_nxt + 0x10", hosts=HOSTS, conns=CONNS)
    name = Name(
        subject="server", path=("rcv_nxt",), conn="b", kind=Kind.NUMBER, written="server[b].rcv_nxt"
    )
    assert found == Sum(((1, name), (1, Literal(16, Kind.NUMBER, "0x10"))))


def test_flags_and_addresses_are_brought_into_one_spelling():
    for text, value in [
        ("seg.flags == APF", "FPA"),
        ('seg.flags == "AS"', "SA"),
        ('seg.src == "2001:DB8:0::1"', "2001:db8::1"),
        ("seg.src == 2001:db8:0:0::1", "2001:db8::1"),
    ]:
        match said(text).expression:
            case Comparison(right=Sum(((1, literal),))):
                assert literal.value == value
            case other:
                pytest.fail(f"{text}: {other}")


@pytest.mark.parametrize("deep", ["({})", "not {}", "!{}"])
def test_50_levels_are_read_and_51_are_not(deep):
    text = "seg.fin"
    for _level in range(50):
        text = deep.format(text)
    assert said(text).holds(Answers({"seg.fin": True}))
    with pytest.raises(PredicateError, match="nested more than 50 deep") as caught:
        said(deep.format(text))
    assert caught.value.word in ("(", "not", "!")


WORDS = [
    *(f"seg.{word}" for word in SEGMENT),
    *(f"server[b].{word}" for word in HOST),
    *(f"client.{group}.{word}" for group, words in GROUPS.items() for word in words),
    *WIRESHARK,
    *STATES,
    *HOSTS,
    *CONNS,
    *("(", ")", "(", ")", "and", "or", "not", "&&", "||", "!", "contains"),
    *("==", "!=", "<", "<=", ">", ">=", "+", "-", "0", "1", "0xff", "true", "false", "SA"),
    *("ECONNRESET", "off", '"text"', "::1", "192.0.2.1", "", "x", "server[", "].", '"', "="),
    *("server.counter.TCPTimeouts", "server.", "server..x", "sever.state", "seg[b].fin", "가"),
]


def outcome(read):
    """What is read, or the mistake; anything else that is raised ends the test."""
    try:
        return read()
    except PredicateError as error:
        return error


def parses_or_is_a_mistake(text, segment):
    for found in (
        outcome(lambda: parse(text, hosts=HOSTS, conns=CONNS, segment=segment)),
        outcome(lambda: parse_sum(text, hosts=HOSTS, conns=CONNS)),
    ):
        match found:
            case PredicateError(column=column, word=word):
                assert text.startswith(word, column)
                assert 0 <= column <= len(text)
                assert str(found.what)
                assert str(found.remedy)
            case Sum():
                assert found.terms
            case _:
                assert found.holds(Answers({})) in (True, False)


@given(st.text(), st.booleans())
def test_any_text_is_a_predicate_or_a_mistake(text, segment):
    parses_or_is_a_mistake(text, segment)


@given(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join), st.booleans())
def test_any_words_of_the_language_are_a_predicate_or_a_mistake(text, segment):
    parses_or_is_a_mistake(text, segment)


@given(st.text(alphabet='()!-+ a.[]<>=&|"0:x_Eé٣', max_size=60))
def test_any_signs_are_a_predicate_or_a_mistake(text):
    parses_or_is_a_mistake(text, True)


@pytest.mark.parametrize(
    "piece", ["(", "!", "not ", "-", "seg.fin and ", "A-", "server.", "1:", '"']
)
def test_a_text_as_long_as_may_be_is_read_or_a_mistake(piece):
    parses_or_is_a_mistake(piece * (2000 // len(piece)), True)


def test_a_state_is_the_rfcs():
    match said("client.state == FIN-WAIT-1").expression:
        case Comparison(right=Sum(((1, Literal(value=value)),))):
            assert value is State.FIN_WAIT_1
        case other:
            pytest.fail(f"{other}")
