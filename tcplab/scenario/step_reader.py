"""One step of a scenario file: at a host, on the wire, a wait, an expectation."""

from collections.abc import Container

from tcplab.scenario.call_reader import CALLS, needs_kernel, result
from tcplab.scenario.conn_reader import DEFAULT, conn_of
from tcplab.scenario.fields import LONGEST_WAIT_S, Fields, found
from tcplab.scenario.host_reader import ENDS, HOSTS
from tcplab.scenario.mistake import instead_of, nearest, quoted
from tcplab.scenario.steps import At, Await, Expect, On, Pause, Quiet, Step
from tcplab.scenario.wire_reader import HOST_ACTS, WIRE_ACTS, Known, only_kernel
from tcplab.text import Text, verbatim

_KINDS = ("at", "on", "wait", "expect", "repeat")
_QUIET_S = 0.1
_ATTACKS = ("craft", "steal")
"""What is done at the attacker."""


def step_of(step: Fields, known: Known) -> Step:
    """The step; a block has been played out before."""
    match _kind(step):
        case "at":
            return _at(step, known)
        case "on":
            return _on(step, known)
        case "wait":
            return _wait(step, known)
        case _:
            return _expect(step, known)


def _kind(step: Fields) -> str:
    kinds = [key for key in step.names() if key in _KINDS]
    match kinds:
        case [kind]:
            return kind
        case [one, other, *_]:
            raise step.mistake(
                Text("{one} and {other} cannot be in one step.", one=one, other=other),
                remedy=Text("Make two steps of it."),
                key=other,
            )
    for key in step.names():
        if key != "do" and nearest(key, _KINDS):
            raise step.mistake(
                Text("There is no key {key} here.", key=quoted(key)),
                remedy=instead_of(key, _KINDS),
                key=key,
            )
    raise step.mistake(
        Text("This step does not say what it is."),
        remedy=Text("Every step has one of these keys: {keys}.", keys=", ".join(_KINDS)),
    )


def _at(step: Fields, known: Known) -> Step:
    host = step.word("at", HOSTS)
    do = _do(step, (*CALLS, *HOST_ACTS), elsewhere=WIRE_ACTS)
    if host not in ENDS and do not in _ATTACKS:
        raise step.mistake(
            Text("The attacker cannot do this: {do}.", do=do),
            remedy=Text('The attacker crafts segments and steals: do = "craft", do = "steal".'),
            key="do",
        )
    if do in HOST_ACTS:
        keys, act = HOST_ACTS[do]
        return On(act(step.only("at", "do", *keys), known))
    keys, read = CALLS[do]
    call = read(step.only("at", "do", "conn", "result", *keys))
    if host in known.crafted and needs_kernel(call):
        raise only_kernel(step, host)
    return At(host=host, call=call, conn=conn_of(step, known.names.conns), result=result(step))


def _on(step: Fields, known: Known) -> Step:
    step.word("on", ("wire",))
    keys, act = WIRE_ACTS[_do(step, tuple(WIRE_ACTS), elsewhere={**CALLS, **HOST_ACTS})]
    return On(act(step.only("on", "do", *keys), known))


def _do(step: Fields, right: tuple[str, ...], *, elsewhere: Container[str]) -> str:
    """What is done; one that would be right `elsewhere` is told so."""
    do = step.text("do")
    if do in right or do not in elsewhere:
        return step.word("do", right)
    if "at" in step:
        what = Text("This is done on the wire, not at a host: {do}.", do=do)
        remedy = Text("Write {one} instead of {other}.", one='on = "wire"', other="at")
    else:
        what = Text("This is done at a host, not on the wire: {do}.", do=do)
        remedy = Text("Write {one} instead of {other}.", one='at = "server"', other="on")
    raise step.mistake(what, remedy=remedy, key="do")


def _wait(step: Fields, known: Known) -> Step:
    match step.raw("wait"):
        case "quiet":
            step.only("wait", "for", "within")
            return Quiet(
                seconds=step.seconds("for", default=_QUIET_S), within_s=step.seconds("within")
            )
        case str():
            step.only("wait", "within", "conn")
            return Await(
                predicate=known.names.predicate(step, "wait"),
                within_s=step.seconds("within"),
                conn=_asked(step, known),
            )
        case bool() | dict() | list() as other:
            raise step.mistake(
                Text(
                    "{key} must be {kind}, not {found}.",
                    key="wait",
                    kind=_A_WAIT,
                    found=found(other),
                ),
                remedy=Text("Write it as in: {example}", example=_WAIT_EXAMPLE),
                key="wait",
            )
    return Pause(step.only("wait").seconds("wait"))


def _expect(step: Fields, known: Known) -> Step:
    step.only("expect", "within", "conn")
    return Expect(
        predicate=known.names.predicate(step, "expect"),
        within_s=step.number("within", most=LONGEST_WAIT_S, zero=True, default=0.0),
        conn=_asked(step, known),
    )


def _asked(step: Fields, known: Known) -> str:
    """The connection that is meant where the predicate names none."""
    conns = known.names.conns
    return conns[0] if "conn" not in step and DEFAULT not in conns else conn_of(step, conns)


_A_WAIT = Text('seconds, a predicate or "quiet"')
_WAIT_EXAMPLE = verbatim('wait = "client.state == TIME-WAIT"')
