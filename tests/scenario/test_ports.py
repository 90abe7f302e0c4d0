"""Lists of ports: what may be written, and where a mistake stands."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcplab.errors import Exit, UsageError
from tcplab.scenario.ports import PortsError, joined, parse_ports, spelled, written

SERVICES = {"ssh": 22, "http": 80, "http-alt": 8080, "3com-tsmux": 106}
PORTS = st.sets(st.integers(1, 65535), min_size=1, max_size=60)


def parse(text: str) -> tuple[range, ...]:
    return parse_ports(text, service=SERVICES.get)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("80", "80"),
        ("22,80,1-1024", "1-1024"),
        ("-", "1-65535"),
        ("-100", "1-100"),
        ("443,-100,80", "1-100,443"),
        ("65535,1", "1,65535"),
        ("1-3,4-6", "1-6"),
        ("5-9,1-7", "1-9"),
        ("1-100,20-30", "1-100"),
        ("80,80,80-80", "80"),
        ("ssh,http", "22,80"),
        ("http-alt", "8080"),
        ("3com-tsmux", "106"),
        (" 22 ,\t80 , 1 - 10\n", "1-10,22,80"),
        ("0080", "80"),
    ],
)
def test_a_list_is_read(text, same):
    assert spelled(parse(text)) == same


EXISTS = "Ports are 1 to 65535."
NAMES = "Give a port as a number, 1 to 65535, or a name from /etc/services."
HOW = "Write ports as 22,80,1-1024, or - for all."


@pytest.mark.parametrize(
    ("text", "at", "what", "remedy"),
    [
        (
            *("80-", 1, "the range '80-' has no end."),
            "Write 80-65535 for all ports from there on, or 80 for that one.",
        ),
        (
            *("22, 80 - ,443", 5, "the range '80 -' has no end."),
            "Write 80-65535 for all ports from there on, or 80 for that one.",
        ),
        ("70000", 1, "port 70000 does not exist.", EXISTS),
        ("22,65536", 4, "port 65536 does not exist.", EXISTS),
        ("1-70000", 3, "port 70000 does not exist.", EXISTS),
        ("1 -  70000", 6, "port 70000 does not exist.", EXISTS),
        ("70000-", 1, "port 70000 does not exist.", EXISTS),
        ("0", 1, "port 0 does not exist.", EXISTS),
        ("0-10", 1, "port 0 does not exist.", EXISTS),
        ("-0", 2, "port 0 does not exist.", EXISTS),
        ("9" * 5000, 1, f"port {'9' * 39}… does not exist.", EXISTS),
        ("100-1", 1, "the range '100-1' ends before it begins.", "Write 1-100."),
        ("abc", 1, "there is no TCP service named 'abc'.", NAMES),
        ("22,  abc", 6, "there is no TCP service named 'abc'.", NAMES),
        ("22-ssh", 1, "there is no TCP service named '22-ssh'.", NAMES),
        ("1-2-3", 1, "'1-2-3' is no range.", HOW),
        ("22, 1 - 2 -3", 5, "'1 - 2 -3' is no range.", HOW),
        ("--", 1, "'--' is no range.", HOW),
        ("1-2 3-4", 1, "'1-2 3-4' is more than one port.", "Put a comma between ports: 1-2,3-4"),
        ("+80", 1, "there is no TCP service named '+80'.", NAMES),
        ("٨٠", 1, "there is no TCP service named '٨٠'.", NAMES),
        ("\x1b[31m", 1, r"there is no TCP service named '\x1b[31m'.", NAMES),
        ("22 80", 1, "'22 80' is more than one port.", "Put a comma between ports: 22,80"),
        ("1,,2", 3, "a port is missing before the comma.", HOW),
        (",1", 1, "a port is missing before the comma.", HOW),
        ("1, ,2", 3, "a port is missing before the comma.", HOW),
        ("1,", 3, "a port is missing after the comma.", HOW),
        ("1, ", 3, "a port is missing after the comma.", HOW),
        (",", 1, "a port is missing before the comma.", HOW),
    ],
)
def test_a_mistake_is_told_with_its_place(text, at, what, remedy):
    with pytest.raises(PortsError) as told:
        parse(text)
    assert str(told.value.what) == f"Character {at} of the list of ports: {what}"
    assert (told.value.at, str(told.value.remedy), told.value.status) == (at, remedy, Exit.USAGE)


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_an_empty_list_is_a_mistake(text):
    with pytest.raises(UsageError, match=r"The list of ports is empty\.") as told:
        parse(text)
    assert str(told.value.remedy) == HOW


@given(PORTS)
def test_what_is_written_is_read_again(ports):
    ranges = parse(written(ports))
    assert {port for each in ranges for port in each} == ports


@given(st.lists(st.tuples(st.integers(1, 65535), st.integers(1, 65535)).map(sorted), min_size=1))
def test_ranges_are_sorted_and_do_not_touch(pairs):
    ranges = parse(",".join(f"{first}-{last}" for first, last in pairs))
    assert all(one.stop < other.start for one, other in pairwise(ranges))
    assert {p for each in ranges for p in each} == {
        p for first, last in pairs for p in range(first, last + 1)
    }
    assert parse(spelled(ranges)) == ranges == joined(reversed(ranges))


@given(st.text(alphabet="0123456789-,, sh\t٨", max_size=12) | st.text(max_size=8))
def test_any_text_is_a_list_or_a_mistake_within_it(text):
    mistake = None
    try:
        ranges = parse(text)
    except UsageError as told:
        mistake, ranges = told, (range(1, 2),)
    assert all(1 <= each.start < each.stop <= 65536 for each in ranges)
    assert ranges
    if isinstance(mistake, PortsError):
        assert 1 <= mistake.at <= len(text) + 1
    elif mistake is not None:
        assert not text.strip()


def test_no_ports_are_written_as_nothing():
    assert written(()) == ""
