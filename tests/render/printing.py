"""Prints a renderable as a terminal of a given width would show it."""

from io import StringIO

from rich.console import Console, RenderableType


def printed(*renderables: RenderableType, width: int, color: bool = False) -> str:
    out = StringIO()
    console = Console(
        file=out,
        width=width,
        force_terminal=True,
        color_system="standard" if color else None,
        highlight=False,
        legacy_windows=False,
        _environ={},
    )
    for each in renderables:
        console.print(each)
    return out.getvalue()
