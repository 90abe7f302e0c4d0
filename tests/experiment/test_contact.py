"""What is made of a neighbour of whom the kernel knows this, then that."""

from types import SimpleNamespace

import pytest

from tcplab.analysis.scanning.census import Census
from tcplab.analysis.scanning.report import Silence
from tcplab.experiment import contact
from tcplab.kernel.neighbours import Neighbour, NeighbourState

ON_LINK = SimpleNamespace(
    address="192.0.2.77",
    route=SimpleNamespace(gateway=None),
    path=SimpleNamespace(local=False, source="192.0.2.1"),
)


@pytest.fixture
def told(monkeypatch):
    """`told(state, …)`: what the kernel says, look by look; what it was asked to do meanwhile."""

    def tell(*states: NeighbourState) -> list[str]:
        looks, asked = iter(states), []
        monkeypatch.setattr(contact, "next_hop", lambda *_: Neighbour(state=next(looks)))
        monkeypatch.setattr(contact, "ask", lambda *_: asked.append("ask"))
        monkeypatch.setattr(contact, "ask_again", lambda *_: asked.append("ask again"))
        return asked

    return tell


def why(*, over: bool = True) -> Silence | None:
    return contact.why_silent(Census(((80,),)), ON_LINK, (), began_ns=0, over=over)


S = NeighbourState


def test_who_was_remembered_and_does_not_answer_is_down(told):
    asked = told(S.REACHABLE, S.PROBE, S.FAILED)
    assert why() is Silence.DOWN
    assert asked == ["ask again"]


def test_who_was_forgotten_because_nobody_answered_is_asked_for(told):
    """Linux tidies up what has failed, between two looks as well."""
    asked = told(S.REACHABLE, S.PROBE, S.NONE, S.INCOMPLETE, S.FAILED)
    assert why() is Silence.DOWN
    assert asked == ["ask again", "ask"]


def test_of_whom_nothing_is_known_at_the_end_is_asked_for(told):
    asked = told(S.NONE, S.INCOMPLETE, S.FAILED)
    assert why() is Silence.DOWN
    assert asked == ["ask"]


def test_where_nobody_is_to_answer_nothing_is_made_of_it(told):
    told(S.NONE, S.NOARP)
    assert why() is Silence.DOWN_OR_FILTERED


def test_before_the_end_nobody_is_asked_for(told):
    asked = told(S.NONE)
    assert why(over=False) is Silence.DOWN_OR_FILTERED
    assert asked == []
