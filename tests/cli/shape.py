"""Does a JSON object have the shape that it was promised? Exact types; a key more is allowed."""

from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any], bool]
Shape = Mapping[str, "type | Check | Shape | list[Any]"]


def one_of(*values: Any) -> Check:
    """Exactly one of these values, and of its type: True is not 1."""
    return lambda found: any(type(found) is type(value) and found == value for value in values)


def either(*shapes: Any) -> Check:
    """Any of these shapes."""
    return lambda found: any(not faults(found, shape) for shape in shapes)


def each(shape: Any) -> Check:
    """An object whose values all have this shape, whatever the keys."""
    return lambda found: (
        isinstance(found, dict) and not any(faults(value, shape) for value in found.values())
    )


def faults(found: Any, shape: Any, at: str = "") -> list[str]:
    """Where `found` is not as promised: nothing if it is. A list of one shape: each is so."""
    match shape:
        case type():
            right = type(found) is shape
        case Mapping() if isinstance(found, dict):
            missing = [f"{at}.{key} is missing" for key in shape if key not in found]
            present = [key for key in shape if key in found]
            return missing + [f for k in present for f in faults(found[k], shape[k], f"{at}.{k}")]
        case [item] if isinstance(found, list):
            return [f for n, each in enumerate(found) for f in faults(each, item, f"{at}[{n}]")]
        case Mapping() | [_]:
            right = False
        case _:
            right = shape(found)
    return [] if right else [f"{at} is {found!r}"]
