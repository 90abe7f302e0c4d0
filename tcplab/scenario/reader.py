"""Reads scenarios from their files.

A file can only say what the values of `tcplab.scenario.steps` can hold. A mistake in it is a
ScenarioError, which names the line, the wrong word and the nearest right one.
"""

import os

from tcplab.scenario import document, repeat
from tcplab.scenario.conn_reader import conns
from tcplab.scenario.fields import Fields
from tcplab.scenario.host_reader import hosts
from tcplab.scenario.location import line_of
from tcplab.scenario.mistake import MistakeError, ScenarioError
from tcplab.scenario.predicate_reader import Names
from tcplab.scenario.rule_names import Rules
from tcplab.scenario.step_reader import step_of
from tcplab.scenario.steps import Scenario
from tcplab.scenario.wire_reader import Known
from tcplab.text import Text, in_both

_KEYS = ("title", "story", "notice", "timed", "unhurried", "quickack", "hosts", "conn", "step")


def read(path: str) -> Scenario:
    """The scenario in a user's file, named after it.

    Raises UsageError for a file that cannot be read, and ScenarioError for what is wrong in it.
    """
    name = os.path.basename(path).removesuffix(".toml")
    return parse(document.text_of(path), name=name, source=path)


def parse(text: str, *, name: str, source: str, group: str | None = None) -> Scenario:
    """The scenario that `text` describes; mistakes name `source` as the file.

    Raises ScenarioError.
    """
    values = document.parsed(text, source=source)
    try:
        return _scenario(Fields(values, (), known=_KEYS), name=name, group=group)
    except MistakeError as mistake:
        raise ScenarioError(
            mistake.what,
            remedy=mistake.remedy,
            source=source,
            line=line_of(text, mistake.path),
        ) from mistake


def _scenario(top: Fields, *, name: str, group: str | None) -> Scenario:
    title, story, notice = (_in_both(top, key) for key in ("title", "story", "notice"))
    steps = repeat.steps(top)
    settings = hosts(top, steps)
    connections = conns(top, steps)
    known = Known(
        names=Names(
            hosts=tuple(host.name for host in settings),
            conns=tuple(conn.name for conn in connections),
        ),
        crafted=frozenset(host.name for host in settings if host.crafted),
        eavesdropping=frozenset(host.name for host in settings if host.eavesdrops),
        rules=Rules(steps),
    )
    return Scenario(
        name=name,
        title=title,
        story=story,
        notice=notice,
        steps=tuple(step_of(step, known) for step in steps),
        group=group,
        hosts=settings,
        conns=connections,
        timed=top.flag("timed"),
    )


def _in_both(top: Fields, key: str) -> Text:
    """A text in English and in Korean."""
    if not isinstance(top.require(key), dict):
        raise top.mistake(
            Text("{key} must be said in English and in Korean.", key=key),
            remedy=Text(
                "Write it as in: {example}", example=f'{key} = {{ en = "...", ko = "..." }}'
            ),
            key=key,
        )
    texts = top.table(key, known=("en", "ko"))
    for language in ("en", "ko"):
        said = texts.text(language)
        if not said.strip():
            raise texts.mistake(
                Text("{key} says nothing in {language}.", key=key, language=language),
                remedy=Text("Write a sentence."),
                key=language,
            )
        # Not isprintable(): a space that does not break is no control character.
        if any(ord(each) < 32 or 127 <= ord(each) < 160 for each in said):
            raise texts.mistake(
                Text("{key} has a control character.", key=key),
                remedy=Text("Write it in one line, or end lines with a backslash."),
                key=language,
            )
    return in_both(en=texts.text("en"), ko=texts.text("ko"))
