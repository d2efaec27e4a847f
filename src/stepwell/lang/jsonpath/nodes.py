"""A parsed path: frozen records, made by ``syntax`` and ``filtersyntax``, compiled by ``steps`` and ``filters``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Names:
    """``.a``, ``['a']``, ``['a','b']``."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Indices:
    """``[0]``, ``[-1]``, ``[0,2]``."""

    indices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Slice:
    """``[1:3]``, ``[1:]``, ``[:3]``; there is no step."""

    start: int | None
    stop: int | None


@dataclass(frozen=True, slots=True)
class Wildcard:
    """``.*``, ``[*]``."""


@dataclass(frozen=True, slots=True)
class Scan:
    """``..``; the next step is sought at every depth."""


@dataclass(frozen=True, slots=True)
class Filter:
    """``[?(...)]``."""

    test: Test


@dataclass(frozen=True, slots=True)
class Call:
    """``.length()``; arguments are paths or JSON values."""

    function: str
    arguments: tuple[ParsedPath | Literal, ...]


Step = Names | Indices | Slice | Wildcard | Scan | Filter | Call


@dataclass(frozen=True, slots=True)
class ParsedPath:
    """``root`` is ``$`` (the document) or ``@`` (the item a filter looks at)."""

    root: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Literal:
    """A JSON value written in a filter or as an argument."""

    value: Any


@dataclass(frozen=True, slots=True)
class Pattern:
    """``/.../i``: a test for whole texts."""

    matches: Callable[[str], bool]


Operand = ParsedPath | Literal | Pattern


@dataclass(frozen=True, slots=True)
class Compare:
    """``left operator right``."""

    left: Operand
    operator: str
    right: Operand


@dataclass(frozen=True, slots=True)
class Exists:
    """``@.a`` or, with ``wanted`` false, ``!@.a``."""

    path: ParsedPath
    wanted: bool


@dataclass(frozen=True, slots=True)
class Not:
    """``!(...)``."""

    test: Test


@dataclass(frozen=True, slots=True)
class Both:
    """Tests joined by ``&&``."""

    tests: tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """Tests joined by ``||``."""

    tests: tuple[Test, ...]


Test = Compare | Exists | Not | Both | Either


def step_is_definite(step: Step, is_last: bool) -> bool:
    """Whether the step leads to at most one value. Several names at the end make one object (Jayway README)."""
    match step:
        case Names(names):
            return is_last or len(names) == 1
        case Indices(indices):
            return len(indices) == 1
        case Call():
            return True
        case _:
            return False


def step_text(step: Step) -> str:
    """The step as Jayway writes it in its messages."""
    match step:
        case Names(names):
            escaped = (name.replace("\\", "\\\\").replace("'", "\\'") for name in names)
            return "[" + ",".join(f"'{name}'" for name in escaped) + "]"
        case Indices(indices):
            return "[" + ",".join(map(str, indices)) + "]"
        case Slice(start, stop):
            return f"[{'' if start is None else start}:{'' if stop is None else stop}]"
        case Wildcard():
            return "[*]"
        case Scan():
            return ".."
        case Filter():
            return "[?]"
        case Call(function, arguments):
            return f".{function}({'...' if arguments else ''})"


def path_text(path: ParsedPath) -> str:
    """The path in Jayway's normal form, ``$['a'][0]``."""
    return path.root + "".join(map(step_text, path.steps))
