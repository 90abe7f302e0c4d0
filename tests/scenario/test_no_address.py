"""No scenario names an address: nothing in a file can point a run anywhere but into the testbed."""

import pytest

from tcplab.scenario.mistake import ScenarioError
from tcplab.scenario.reader import parse

HEAD = """\
title = { en = "A test", ko = "시험" }
story = { en = "A test.", ko = "시험." }
notice = { en = "Nothing.", ko = "없음." }
"""
CRAFT = '[[step]]\nat = "attacker"\ndo = "craft"\nflags = "R"\nseq = "server.rcv_nxt"\n'
READDRESS = '[[step]]\nat = "server"\ndo = "readdress"\nnumber = {}\n'
ADDRESSES = ['"8.8.8.8"', '"192.0.2.9"', '"2606:4700::1111"', '"attacker"', '"wire"', '""', "8"]


def refused(text: str) -> bool:
    try:
        parse(HEAD + text, name="test", source="test.toml")
    except ScenarioError:
        return True
    return False


@pytest.mark.parametrize("number", [3, 7, 65, 67, 254])
def test_a_host_is_given_a_number_in_the_testbed_s_network(number):
    assert not refused(READDRESS.format(number))


@pytest.mark.parametrize(
    "number",
    ["0", "1", "2", "66", "255", "256", "257", "-1", "3232235777", "7.5", "true", '"7"',
     '"8.8.8.8"', '"7/8"', '"bad::7"', "[7]", "0x100"],
)  # fmt: skip
def test_no_other_number_is_an_address(number):
    assert refused(READDRESS.format(number))


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_crafted_segment_speaks_as_an_end_of_the_connection_only(address):
    assert not refused(CRAFT + 'as = "client"\n')
    assert refused(CRAFT + f"as = {address}\n")


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(
    "text",
    [
        "[[step]]\nat = {}\ndo = \"listen\"\n",
        "[[step]]\nat = {}\ndo = \"craft\"\nflags = \"R\"\nseq = \"0\"\nto = {}\n",
        "[[step]]\nat = \"client\"\ndo = \"connect\"\nto = {}\n",
        "[[step]]\nat = \"client\"\ndo = \"connect\"\nhost = {}\n",
        "[[step]]\nat = \"client\"\ndo = \"connect\"\naddress = {}\n",
        "[[step]]\nat = \"attacker\"\ndo = \"craft\"\nflags = \"R\"\nseq = \"0\"\ndst = {}\n",
        "[[step]]\non = \"wire\"\ndo = \"cut\"\nhost = {}\n",
        "[hosts.client]\naddress = {}\n",
        "[hosts.client]\nip = {}\n",
        "[hosts.client]\nroute = {}\n",
        "[hosts.client]\ninterface = {}\n",
        "[hosts.{}]\nquickack = true\n",
        "target = {}\n",
        "interface = {}\n",
    ],
)  # fmt: skip
def test_no_scenario_names_an_address(text, address):
    if text.startswith("[hosts.{}]") and address == '"attacker"':
        return  # the name of one of the testbed's hosts
    assert refused(text.replace("{}", address))
