"""A dict that answers for the names of a predicate, and a short way to parse."""

from tcplab.scenario.predicate import Name, Predicate, Value, parse

HOSTS = ("client", "server", "attacker")
CONNS = ("a", "b")


class Answers:
    """Values by the names as they are written; what is not there is not known."""

    def __init__(self, values: dict[str, Value]) -> None:
        self.values = values

    def value(self, name: Name) -> Value:
        return self.values.get(name.written)


def said(text: str, *, segment: bool = True) -> Predicate:
    return parse(text, hosts=HOSTS, conns=CONNS, segment=segment)


def holds(text: str, values: dict[str, Value]) -> bool:
    return said(text).holds(Answers(values))
