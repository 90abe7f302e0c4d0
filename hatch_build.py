"""Compiles the message catalogues when a wheel or an editable install is built."""

from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CatalogueHook(BuildHookInterface):
    """Writes each tcplab.mo beside its tcplab.po, and puts it into the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile every catalogue; `version` is the build's kind (standard, editable)."""
        for source in sorted(Path(self.root, "tcplab", "locale").glob("*/LC_MESSAGES/*.po")):
            target = source.with_suffix(".mo")
            with source.open("rb") as po, target.open("wb") as mo:
                write_mo(mo, read_po(po, locale=source.parts[-3]))
            build_data["artifacts"].append(target.relative_to(self.root).as_posix())
