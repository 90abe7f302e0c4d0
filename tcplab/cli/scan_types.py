"""What may be typed for ports, rates and slots."""

from typing import Any, Final

import click

from tcplab.cli.services import port_of
from tcplab.errors import UsageError
from tcplab.scenario.ports import parse_ports
from tcplab.text import Text

MAX: Final = "max"
_MOST_DIGITS = 9
_FEWEST_SLOTS, _MOST_SLOTS = 16, 1 << 18


class PortsType(click.ParamType[tuple[range, ...]]):
    """A list of ports, as nmap's."""

    name = "ports"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[range, ...]:
        """The ports in order. Raises UsageError, with the place of what is wrong."""
        return value if isinstance(value, tuple) else parse_ports(value, service=port_of)


class RateType(click.ParamType[int | str]):
    """Packets a second."""

    name = "rate"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | str:
        """1 and more, or MAX. Raises UsageError for anything else."""
        number = _number(value)
        if value == MAX or (number is not None and number >= 1):
            return MAX if number is None else number
        raise UsageError(
            Text("{rate} is no rate.", rate=repr(value)),
            remedy=Text(
                "Give --rate the packets a second, 1 or more; or max: as fast as the path answers."
            ),
        )


class SlotsType(click.ParamType[int]):
    """Places in the receive ring."""

    name = "slots"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Raises UsageError for what no ring can have."""
        number = _number(value)
        if number is not None and _FEWEST_SLOTS <= number <= _MOST_SLOTS:
            return number
        raise UsageError(
            Text("A receive ring cannot have {slots} slots.", slots=repr(value)),
            remedy=Text(
                "Give --ring-slots a number, {least} to {most}.",
                least=_FEWEST_SLOTS,
                most=_MOST_SLOTS,
            ),
        )


def _number(value: Any) -> int | None:
    if isinstance(value, int):
        return value
    plain = value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS
    return int(value) if plain else None
