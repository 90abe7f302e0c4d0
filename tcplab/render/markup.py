"""Writes XML elements; every text and every attribute is escaped here, once."""

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})


def element(name: str, *children: str, text: str = "", **attributes: str | float) -> str:
    """An element: attributes, then `text`, then `children`, which are elements themselves.

    `text_anchor` becomes `text-anchor` and `class_` becomes `class`; floats keep one decimal.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escaped(_plain(value))}"'
        for key, value in attributes.items()
    )
    content = escaped(text) + "".join(children)
    return f"<{name}{written}>{content}</{name}>" if content else f"<{name}{written}/>"


def escaped(text: str) -> str:
    """Text with the five characters of XML escaped, and without those that XML 1.0 forbids."""
    return "".join(filter(_allowed, text)).translate(_ESCAPES)


def _allowed(character: str) -> bool:
    """Is it a Char of XML 1.0 §2.2?"""
    point = ord(character)
    if point < 0x20:
        return character in "\t\n\r"
    return not (0xD800 <= point <= 0xDFFF or point in (0xFFFE, 0xFFFF))


def _plain(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")
