import pytest

from tcplab.scenario.predicate.mistakes import PredicateError
from tcplab.scenario.predicate.tokens import MOST_CHARACTERS, Sort, tokens
from tcplab.tcp.states import State


def written(text):
    return [token.written for token in tokens(text)[:-1]]


@pytest.mark.parametrize("state", State)
def test_a_state_is_one_token(state):
    (token, end) = tokens(state.value)
    assert (token.sort, token.written, end.sort) == (Sort.WORD, state.value, Sort.END)


@pytest.mark.parametrize("state", State)
def test_a_state_in_a_name_is_part_of_it_and_a_number_can_be_taken_away(state):
    name = f"server[b].count.{state.value}"
    assert written(f"{name}-1>0") == [name, "-", "1", ">", "0"]


@pytest.mark.parametrize("misspelt", ["TIME-WIAT", "FIN-WAIT2", "FIN-WAIT-12", "SYN-RECV"])
def test_a_misspelt_state_is_one_token(misspelt):
    assert written(misspelt) == [misspelt]


def test_a_minus_between_names_is_a_sign():
    assert written("client.isn-server.isn") == ["client.isn", "-", "server.isn"]


def test_columns_count_from_0_and_over_white_space():
    found = tokens('seg.len>=0x10\n  and ! (seg.src == "x y")')
    assert [(token.column, token.written) for token in found] == [
        (0, "seg.len"),
        (7, ">="),
        (9, "0x10"),
        (16, "and"),
        (20, "!"),
        (22, "("),
        (23, "seg.src"),
        (31, "=="),
        (34, '"x y"'),
        (39, ")"),
        (40, ""),
    ]


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1", "::1"])
def test_an_address_is_one_token(address):
    assert [(token.sort, token.written) for token in tokens(address)[:-1]] == [
        (Sort.ADDRESS, address)
    ]


def test_every_character_counts_towards_the_limit():
    assert tokens("1" + " " * (MOST_CHARACTERS - 1))[-1].column == MOST_CHARACTERS
    with pytest.raises(PredicateError, match="longer than 2000 characters"):
        tokens("1" + " " * MOST_CHARACTERS)
