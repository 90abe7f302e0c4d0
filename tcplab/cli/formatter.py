"""Pages of help measured in terminal cells: a Korean syllable takes two, where click counts one."""

from collections.abc import Iterable

import click

from tcplab.render.cells import cell_len, wrapped


class CellFormatter(click.HelpFormatter):
    """Breaks lines where the terminal ends."""

    def write_text(self, text: str) -> None:
        """One paragraph."""
        indent = " " * self.current_indent
        for line in wrapped(text, self.width - self.current_indent):
            self.write(f"{indent}{line}\n")

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Terms in a column of at most `col_max` cells; a longer one has a line of its own."""
        rows = list(rows)
        column = min(max(cell_len(term) for term, _ in rows), col_max) + col_spacing
        for term, meaning in rows:
            lines = wrapped(meaning, max(self.width - self.current_indent - column, 10))
            if cell_len(term) + col_spacing > column:
                lines.insert(0, "")
            for n, line in enumerate(lines):
                left = " " * self.current_indent + (term if n == 0 else "")
                gap = " " * (self.current_indent + column - cell_len(left))
                self.write(f"{left}{gap}{line}".rstrip() + "\n")
