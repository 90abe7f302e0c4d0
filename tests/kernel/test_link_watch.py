"""A watch over the links of a namespace: what may happen to them, and what is said of the rest."""

from contextlib import closing
from select import POLLIN, poll
from struct import pack

import pytest

from tcplab.errors import Exit, RefusedError
from tcplab.kernel import links
from tcplab.kernel.carrier import wait_for
from tcplab.kernel.link_watch import LinkWatch, OwnLink
from tcplab.kernel.netlink import attribute, integer
from tcplab.testbed.netns import Namespace
from tests.links import DEADLINE_S, apart
from tests.testbed.intruding import bridge, moved, pair, renamed, resized, tell

OWN = OwnLink(index=11, name="w-client", peer_index=2)
ROUNDS = 20


class Watched:
    """A namespace with a watch, and another one beside it."""

    def __init__(self) -> None:
        self.here, self.beside, self.outside = Namespace(), Namespace(), Namespace()
        with self.here.entered():
            self.watch = LinkWatch()

    def lay(self) -> None:
        """The cable that is announced."""
        self.watch.expect(OWN)
        self.cable()

    def cable(self) -> None:
        tell(self.here, pair(11, "w-client", self.beside, 2, "eth0"))

    @property
    def stirred(self) -> bool:
        waiting = poll()
        waiting.register(self.watch.fileno(), POLLIN)
        return bool(waiting.poll(0))

    def said(self) -> str:
        """What the watch says; "" if all is well."""
        try:
            self.watch.check()
        except RefusedError as refusal:
            return f"{refusal.what}" if refusal.status is Exit.REFUSED else repr(refusal)
        return ""


def undisturbed() -> list[tuple[bool, str]]:
    watched = Watched()
    found = [(watched.stirred, watched.said())]
    tell(watched.here, links.set_up(1))
    watched.lay()
    with watched.here.entered():  # the kernel has more to say of a cable, in the background
        assert wait_for(11, operational=False, within_s=DEADLINE_S)
    found.append((watched.stirred, watched.said()))
    found.append((watched.stirred, watched.said()))
    for _ in range(ROUNDS):
        tell(watched.here, links.set_up(11, up=False), links.set_up(11), resized(11, 1400))
        tell(watched.beside, links.set_up(2), links.set_up(2, up=False))
        found.append((True, watched.said()))
    return found


def test_what_is_announced_comes_and_changes_its_state_as_it_likes():
    found = apart(undisturbed)

    assert found[:3] == [(False, ""), (True, ""), (False, "")]
    assert {said for _stirred, said in found} == {""}


def replaced_by_its_owner() -> list[str]:
    watched = Watched()
    watched.lay()
    said = []
    for _ in range(ROUNDS):
        watched.watch.release(11)
        tell(watched.here, links.delete(11))
        said.append(watched.said())
        watched.lay()
        said.append(watched.said())
    tell(watched.here, links.delete(11))  # not announced
    said.append(watched.said())
    return said


def test_an_announced_removal_may_happen_once():
    *said, last = apart(replaced_by_its_owner)

    assert said == [""] * (2 * ROUNDS)
    assert last == "Somebody has taken away w-client of the testbed."


def move_out(watched: Watched) -> None:
    tell(watched.here, moved(11, watched.outside.fd))


def move_out_and_back(watched: Watched) -> None:
    move_out(watched)
    tell(watched.outside, moved(11, watched.here.fd, to=11, name="w-client", up=True))


def replace(watched: Watched) -> None:
    tell(watched.here, links.delete(11))
    watched.cable()


def move_peer(watched: Watched) -> None:
    """Both ends have new words for their peer only when they are told of; a change does that."""
    tell(watched.beside, moved(2, watched.outside.fd))
    tell(watched.here, resized(11, 1400))


def rename_peer_index(watched: Watched) -> None:
    tell(watched.beside, moved(2, watched.outside.fd))
    tell(watched.outside, moved(2, watched.beside.fd, to=9))
    tell(watched.here, resized(11, 1400))


def move_peer_in(watched: Watched) -> None:
    tell(watched.beside, moved(2, watched.here.fd))


def other_cable(watched: Watched) -> None:
    """By the right index, to a wrong place."""
    tell(watched.here, links.delete(11))
    tell(watched.here, pair(11, "w-client", watched.outside, 2, "eth0"))


def storm(watched: Watched) -> None:
    for _ in range(30):
        tell(watched.here, *(resized(11, 1400 + at) for at in range(100)))


TAKEN = "Somebody has taken away w-client of the testbed."
ELSEWHERE = "The other end of w-client of the testbed is elsewhere now."
MEDDLING = {
    "a stranger comes": (
        lambda w: tell(w.here, bridge(30, "br0")),
        "br0 is in the testbed, and is none of its interfaces.",
    ),
    "a stranger comes and goes": (
        lambda w: tell(w.here, bridge(30, "br0"), links.delete(30)),
        "br0 is in the testbed, and is none of its interfaces.",
    ),
    "renamed": (
        lambda w: tell(w.here, renamed(11, "eth7")),
        "Somebody has renamed w-client of the testbed to eth7.",
    ),
    "renamed and back": (
        lambda w: tell(w.here, renamed(11, "eth7"), renamed(11, "w-client")),
        "Somebody has renamed w-client of the testbed to eth7.",
    ),
    "removed": (lambda w: tell(w.here, links.delete(11)), TAKEN),
    "its other end removed": (lambda w: tell(w.beside, links.delete(2)), TAKEN),
    "moved out": (move_out, TAKEN),
    "moved out and back": (move_out_and_back, TAKEN),
    "replaced": (replace, TAKEN),
    "replaced by another cable": (other_cable, TAKEN),
    "its other end moved out": (move_peer, ELSEWHERE),
    "its other end has another index": (rename_peer_index, ELSEWHERE),
    "its other end moved in": (
        move_peer_in,
        "eth0 is in the testbed, and is none of its interfaces.",
    ),
    "too much": (storm, "The links of the testbed change faster than tcplab can watch them."),
}


def meddled(name: str) -> tuple[str, list[str]]:
    watched = Watched()
    watched.lay()
    before = watched.said()
    MEDDLING[name][0](watched)
    return before, [watched.said() for _ in range(3)]


@pytest.mark.parametrize("name", MEDDLING)
def test_whatever_else_happens_is_refused_for_good(name):
    assert apart(meddled, name) == ("", [MEDDLING[name][1]] * 3)


def told(**changes) -> str:
    """What the watch makes of one word of the kernel's, that its link is as these say."""
    watched = Watched()
    watched.lay()
    watched.watch.check()
    how = {"kind": "veth", "master": 0, "peer": 2} | changes
    body = pack("=BxHiII", 0, 1, 11, 1, 0) + attribute(3, "w-client")
    body += attribute(5, integer(how["peer"])) + attribute(37, integer(0))
    body += attribute(10, integer(how["master"])) if how["master"] else b""
    body += attribute(18, attribute(1, how["kind"]))
    watched.watch._read(pack("=IHHII", 16 + len(body), 16, 0, 0, 0) + body)
    return watched.said()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ""),
        ({"master": 30}, "Somebody has made w-client of the testbed a part of another interface."),
        ({"kind": "macvlan"}, "Something else has come in the place of w-client of the testbed."),
        ({"peer": 3}, ELSEWHERE),
    ],
    ids=str,
)
def test_what_the_kernel_says_of_an_own_link_is_compared(changes, said):
    def ask() -> str:
        return told(**changes)

    assert apart(ask) == said


def crowded() -> str:
    """In a namespace that somebody else had before."""
    namespace = Namespace()
    tell(namespace, bridge(30, "br0"))
    with namespace.entered(), closing(LinkWatch()) as watch:
        try:
            watch.check()
        except RefusedError as refusal:
            return str(refusal.what)
    return ""


def test_a_namespace_that_has_strangers_from_the_beginning_is_refused():
    assert apart(crowded) == "br0 is in the testbed, and is none of its interfaces."
