"""On which line of a document something stands."""

import pytest

from tcplab.scenario.location import line_of

DOCUMENT = '''\
# A comment

title = "one"
story = """
two
three = 3
"""

[hosts.client]
# Another comment
stack = "kernel"

[[step]]
at = "client"
[[step]]

value = [
  1,
  # two is missing
  3,
]
[[step]]
steps = [
  { do = "close" },

  { do = "send", data = "x" },
]
inline = { one = { two = 2 } }
a.dotted.key = 1
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 1),
        (("title",), 3),
        (("story",), 4),
        (("hosts",), 9),
        (("hosts", "client"), 9),
        (("hosts", "client", "stack"), 11),
        (("step",), 13),
        (("step", 0), 13),
        (("step", 0, "at"), 14),
        (("step", 1), 15),
        (("step", 1, "value"), 17),
        (("step", 1, "value", 0), 18),
        (("step", 1, "value", 1), 20),
        (("step", 2), 22),
        (("step", 2, "steps"), 23),
        (("step", 2, "steps", 0, "do"), 24),
        (("step", 2, "steps", 1), 26),
        (("step", 2, "steps", 1, "data"), 26),
        (("step", 2, "inline", "one", "two"), 28),
        (("step", 2, "a", "dotted", "key"), 29),
    ],
)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_line(path, line, ends):
    assert line_of(DOCUMENT.replace("\n", ends), path) == line


@pytest.mark.parametrize(
    ("path", "line"),
    [(("nothing",), 1), (("step", 0, "do"), 13), (("step", 9), 13), (("hosts", "server"), 9)],
)
def test_what_is_missing_counts_as_what_it_is_missing_from(path, line):
    assert line_of(DOCUMENT, path) == line
