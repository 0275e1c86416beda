"""Python source as ``ruff format`` would leave it: literals and calls, on one line where they fit."""

from __future__ import annotations

from collections.abc import Iterable

LONGEST = 88


def quoted(text: str) -> str:
    """A string literal, whatever is in the text: in double quotes, unless single ones need fewer escapes.

    >>> print(quoted('iris.csv'), quoted('5" pipe'), quoted("it's"))
    "iris.csv" '5" pipe' "it's"
    """
    mark = "'" if text.count('"') > text.count("'") else '"'
    # repr escapes backslashes and all that cannot be printed; which quotes need it depends on the mark.
    plain = "".join(letter if letter in "'\"" else repr(letter)[1:-1] for letter in text)
    return mark + plain.replace(mark, "\\" + mark) + mark


def assigned(name: str, value: str) -> str:
    """A statement that gives a name to a literal.

    >>> print(assigned("FILE", '"iris.csv"'))
    FILE = "iris.csv"
    """
    line = f"{name} = {value}"
    fits_alone = len(value) + 4 <= LONGEST
    return f"{name} = (\n    {value}\n)" if len(line) > LONGEST and fits_alone else line


def listed(items: Iterable[str], indent: int = 0, before: int = 0, after: int = 0) -> str:
    """A list; ``before`` and ``after`` are how many characters stand on its line around it.

    >>> print(listed(["1", "2"]))
    [1, 2]
    """
    return _bracketed("[", items, "]", indent, before, after)


def call(function: str, items: Iterable[str], indent: int = 0, before: int = 0, after: int = 0) -> str:
    """A call, with arguments as in :func:`listed`.

    >>> print(call("drawn", ['"spiral"', "rows=500"]))
    drawn("spiral", rows=500)
    """
    return _bracketed(f"{function}(", items, ")", indent, before, after)


def _bracketed(opening: str, items: Iterable[str], closing: str, indent: int, before: int, after: int) -> str:
    found = list(items)
    line = f"{opening}{', '.join(found)}{closing}"
    if "\n" not in line and indent + before + len(line) + after <= LONGEST:
        return line
    # The comma after the last one tells the formatter to leave each on its line.
    inner = " " * (indent + 4)
    return "".join([f"{opening}\n", *(f"{inner}{item},\n" for item in found), " " * indent, closing])


def number(value: float) -> str:
    """A number as a person writes it.

    >>> number(50.0), number(0.03)
    ('50', '0.03')
    """
    return repr(int(value)) if value == int(value) else repr(value)
