"""May a host's TCP be tcplab's own in a scenario? Not where only a kernel can play its part."""

from collections.abc import Iterator

from tcplab.scenario.call_reader import needs_kernel
from tcplab.scenario.calls import Call
from tcplab.scenario.predicate import Predicate
from tcplab.scenario.steps import At, Await, Expect, On, Scenario, Step
from tcplab.scenario.wire import Impair, Readdress, Reboot
from tcplab.text import Text

_KERNEL_S_OWN = frozenset(
    {"counter", "descriptors", "expires_ms", "info", "receive_queue", "send_queue", "timer"}
)
"""What a predicate may ask of a host and only a kernel can answer."""
_WRITTEN = {"SetOption": "set", "Kill": "kill-socket"}


def why_kernel(scenario: Scenario, host: str) -> Text | None:
    """What in the scenario needs a kernel's TCP at `host`; None if crafted segments will do."""
    return next(_reasons(scenario, host), None)


def _reasons(scenario: Scenario, host: str) -> Iterator[Text]:
    settings = scenario.host(host)
    if settings.sysctls:
        setting = settings.sysctls[0].name
        yield Text("it sets {name} there", name=setting)
    for step in scenario.steps:
        match step:
            case At(host=actor, call=call) if actor == host and needs_kernel(call):
                yield Text("a crafted one cannot do this: {do}", do=_written(call))
            case On(Reboot(host=actor) | Readdress(host=actor)) if actor == host:
                yield Text("its host is not the same all the time")
        for predicate in _predicates(step):
            for name in predicate.names():
                if name.subject == host and name.path[0] in _KERNEL_S_OWN:
                    yield Text("it asks for {name}", name=name.written)


def _predicates(step: Step) -> Iterator[Predicate]:
    match step:
        case Expect(predicate=predicate) | Await(predicate=predicate):
            yield predicate
        case On(Impair(when=Predicate() as when)):
            yield when


def _written(call: Call) -> str:
    """As files spell it."""
    name = type(call).__name__
    return _WRITTEN.get(name, name.lower())
