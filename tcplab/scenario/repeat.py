"""The steps of a scenario file one by one, its repeated blocks played out."""

from collections.abc import Iterator

from tcplab.scenario.fields import Fields, found
from tcplab.scenario.mistake import MistakeError, Path
from tcplab.text import Text

MOST_STEPS = 5000
_MOST_TIMES = 1000


def steps(document: Fields) -> tuple[Fields, ...]:
    """Every step as it is to be played. Each knows where in the file it stands."""
    written = document.raw("step")
    if written is None:
        raise document.mistake(
            Text("The scenario has no steps."), remedy=Text("Add a step: [[step]]")
        )
    played: list[Fields] = []
    for values, path in _played(written, document.at("step"), header=True):
        if len(played) == MOST_STEPS:
            raise MistakeError(
                Text("The scenario has more than {most} steps.", most=MOST_STEPS),
                remedy=Text("Repeat less, or split it into several scenarios."),
                path=path,
            )
        played.append(Fields(values, path))
    return tuple(played)


def _played(written: object, path: Path, *, header: bool) -> Iterator[tuple[object, Path]]:
    if not isinstance(written, list):
        raise MistakeError(
            Text(
                "{key} must be an array of steps, not {found}.", key=path[-1], found=found(written)
            ),
            remedy=Text("Write [[step]] before each step.")
            if header
            else Text('Write it as in: steps = [{ at = "client", do = "close" }]'),
            path=path,
        )
    for index, values in enumerate(written):
        here = (*path, index)
        if not isinstance(values, dict) or "repeat" not in values:
            yield values, here
        elif header:
            yield from _block(Fields(values, here, known=("repeat", "every", "steps")))
        else:
            raise MistakeError(
                Text("A repeated block cannot hold another one."),
                remedy=Text("Put it into a step of its own."),
                path=(*here, "repeat"),
            )


def _block(block: Fields) -> Iterator[tuple[object, Path]]:
    times = block.whole("repeat", least=1, most=_MOST_TIMES)
    every_s = block.seconds("every") if "every" in block else None
    once = tuple(_played(block.require("steps"), block.at("steps"), header=False))
    for number in range(1, times + 1):
        if every_s is not None and number > 1:
            yield {"wait": every_s}, block.at("every")
        for values, path in once:
            yield _numbered(values, str(number)), path


def _numbered(value: object, number: str) -> object:
    """The value with each "{n}" in its texts replaced by the `number` of the repetition."""
    if isinstance(value, str):
        return value.replace("{n}", number)
    if isinstance(value, dict):
        return {key: _numbered(each, number) for key, each in value.items()}
    if isinstance(value, list):
        return [_numbered(each, number) for each in value]
    return value
