"""How a predicate is broken into lines, and whether it says which connection it is about."""

import re

from tcplab.render.cells import cell_len

_OF_A_CONNECTION = re.compile(r"\b(?:client|server)\.(?!counter\.|count\.|descriptors\b)")
"""A name of one end's connection that does not say which; counters are those of a whole host."""


def names_no_connection(predicate: str) -> bool:
    """Does it ask something of a connection without saying of which?"""
    return _OF_A_CONNECTION.search(predicate) is not None


def parts(predicate: str, cells: int) -> list[str]:
    """The parts that stay together in lines of `cells`: clauses, or else comparisons, or names.

    A line begins with the operator, as in a formula.
    """
    pieces: list[str] = []
    for clause in re.split(r" (?=(?:and|or) )", predicate):
        pieces += _split(clause, cells)
    return pieces


def _split(clause: str, cells: int) -> list[str]:
    if cell_len(clause) <= cells:
        return [clause]
    pieces: list[str] = []
    for operand in re.split(r" (?=(?:[=!<>]=|[<>+-]) )", clause):
        dots = [at for at, sign in enumerate(operand, start=1) if sign == "." and at <= cells]
        cut = dots[-1] if dots and cell_len(operand) > cells else len(operand)
        pieces += filter(None, (operand[:cut], operand[cut:]))
    return pieces
