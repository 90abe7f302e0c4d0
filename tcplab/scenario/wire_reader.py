"""The acts of a scenario file on the wire and on whole hosts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tcplab.scenario.call_reader import octets
from tcplab.scenario.conn_reader import LARGEST_PORT, conn_of
from tcplab.scenario.fields import Fields
from tcplab.scenario.host_reader import ENDS, HOSTS
from tcplab.scenario.mistake import MistakeError, quoted
from tcplab.scenario.predicate_reader import Names
from tcplab.scenario.rule_names import Rules
from tcplab.scenario.wire import (
    Craft,
    Cut,
    Firewall,
    ForgetIdle,
    Harm,
    Hold,
    Impair,
    Lift,
    Readdress,
    Reboot,
    Refusal,
    Release,
    Restore,
    Silence,
    Steal,
    Unreachable,
    WireAct,
)
from tcplab.tcp.flags import Flags, from_letters
from tcplab.text import Text

_MOST_TIMES = 1_000_000
_LARGEST_SEED = 2**63 - 1
_LISTENERS = tuple(host for host in HOSTS if host not in ENDS)
_TAKEN_NUMBERS = frozenset({66})
"""The attacker's address; the client's and the server's are 1 and 2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the rest of the file has told so far."""

    names: Names
    crafted: frozenset[str]
    eavesdropping: frozenset[str]
    rules: Rules


_Reader = Callable[[Fields, Known], WireAct]


def _hold(step: Fields, known: Known) -> WireAct:
    if any(key in step for key in _RULE):
        return _impair(step, known)
    return Hold()


def _impair(step: Fields, known: Known) -> WireAct:
    harm = step.member("do", Harm)
    return Impair(
        name=known.rules.named(step),
        harm=harm,
        when=known.names.predicate(step, "when", segment=True) if "when" in step else None,
        times=step.maybe_whole("times", least=1, most=_MOST_TIMES),
        delay_s=step.seconds("seconds") if harm is Harm.DELAY else 0.0,
    )


def _loss(step: Fields, known: Known) -> WireAct:
    return Impair(
        name=known.rules.named(step),
        harm=Harm.DROP,
        when=known.names.predicate(step, "when", segment=True) if "when" in step else None,
        times=step.maybe_whole("times", least=1, most=_MOST_TIMES),
        share=step.number("percent", most=100.0) / 100,
        seed=step.whole("seed", least=0, most=_LARGEST_SEED, default=0),
    )


def _cut(step: Fields, known: Known) -> WireAct:
    host = step.word("host", ENDS)
    known.rules.cut(host)
    return Cut(host)


def _restore(step: Fields, known: Known) -> WireAct:
    host = step.word("host", ENDS)
    known.rules.restored(host, step)
    return Restore(host)


def _forget_idle(step: Fields, known: Known) -> WireAct:
    return ForgetIdle(
        name=known.rules.named(step),
        after_s=step.seconds("after"),
        resets=step.word("then", ("drop", "reset")) == "reset",
    )


def _lift(step: Fields, known: Known) -> WireAct:
    return Lift(known.rules.lifted(step))


def _silence(step: Fields, known: Known) -> WireAct:
    host = step.text("at")
    known.rules.cut(host)
    return Silence(host)


def _reboot(step: Fields, known: Known) -> WireAct:
    host = step.text("at")
    if host in known.crafted:
        raise only_kernel(step, host)
    return Reboot(host)


def _readdress(step: Fields, known: Known) -> WireAct:
    host = step.text("at")
    if host in known.crafted:
        raise only_kernel(step, host)
    number = step.whole("number", least=3, most=254)
    if number in _TAKEN_NUMBERS:
        raise step.mistake(
            Text("{number} is the attacker's address.", number=number),
            remedy=Text("Give another number."),
            key="number",
        )
    return Readdress(host=host, number=number)


def _firewall(step: Fields, known: Known) -> WireAct:
    return Firewall(
        name=known.rules.named(step),
        host=step.text("at"),
        port=step.maybe_whole("port", least=1, most=LARGEST_PORT),
        refusal=step.member("how", Refusal, Refusal.DROP),
    )


def _unreachable(step: Fields, known: Known) -> WireAct:
    return Unreachable(name=known.rules.named(step), host=step.text("at"))


def _craft(step: Fields, known: Known) -> WireAct:
    host = step.text("at")
    conn = conn_of(step, known.names.conns)
    return Craft(
        host=host,
        conn=conn,
        flags=_flags(step),
        seq=known.names.sum(step, "seq"),
        ack=known.names.sum(step, "ack") if "ack" in step else None,
        data=octets(step, "data", least=0),
        wnd_octets=step.whole("wnd", least=0, most=0xFFFF, default=64240),
        urgent=step.whole("urgent", least=0, most=0xFFFF, default=0),
        # The attacker is no end of the connection: it always speaks as one that is.
        as_host=step.word("as", ENDS) if "as" in step or host not in ENDS else None,
        timestamps=step.flag("timestamps", default=True),
    )


def _steal(step: Fields, known: Known) -> WireAct:
    host = step.word("at", _LISTENERS)
    if host not in known.eavesdropping:
        raise step.mistake(
            Text("The attacker hears nothing that is not for it: there is nothing to steal."),
            remedy=Text("Let it listen: eavesdrops = true in [hosts.attacker]."),
            key="do",
        )
    return Steal(host=host, conn=conn_of(step, known.names.conns))


def _flags(step: Fields) -> Flags:
    letters = step.text("flags")
    try:
        return from_letters(letters)
    except ValueError:
        raise step.mistake(
            Text("{letters} are not flags.", letters=quoted(letters)),
            remedy=Text('Write them as letters of FSRPAUEC: "SA" for SYN, ACK.'),
            key="flags",
        ) from None


def only_kernel(step: Fields, host: str) -> MistakeError:
    """The mistake that a crafted host cannot do this."""
    return step.mistake(
        Text("A crafted host cannot do this: {do}.", do=step.text("do")),
        remedy=Text('Give it a kernel: stack = "kernel" in [hosts.{host}].', host=host),
        key="do",
    )


_RULE = ("when", "times", "name")

HOST_ACTS: Mapping[str, tuple[tuple[str, ...], _Reader]] = {
    "silence": ((), _silence),
    "reboot": ((), _reboot),
    "readdress": (("number",), _readdress),
    "firewall": (("port", "how", "name"), _firewall),
    "unreachable": (("name",), _unreachable),
    "craft": (
        ("conn", "flags", "seq", "ack", "data", "wnd", "urgent", "as", "timestamps"),
        _craft,
    ),
    "steal": (("conn",), _steal),
}
"""What befalls a whole host: the keys of such a step, beside `at` and `do`, and its reader."""

WIRE_ACTS: Mapping[str, tuple[tuple[str, ...], _Reader]] = {
    "hold": (_RULE, _hold),
    "release": ((), lambda _step, _known: Release()),
    "drop": (_RULE, _impair),
    "delay": (("seconds", *_RULE), _impair),
    "duplicate": (_RULE, _impair),
    "reorder": (_RULE, _impair),
    "corrupt": (_RULE, _impair),
    "loss": (("percent", "seed", *_RULE), _loss),
    "cut": (("host",), _cut),
    "restore": (("host",), _restore),
    "forget-idle": (("after", "then", "name"), _forget_idle),
    "lift": (("name",), _lift),
}
"""What can be done on the wire: the keys of such a step, beside `on` and `do`, and its reader."""
