"""``Path``: what the rest of the house holds of a path, and how it reads and writes.

Most paths of a definition are ``$.a.b``, so a chain of names and numbers is read by indexing alone; only when that
fails do the compiled steps run, to find the words for what is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from stepwell.kernel.jsontext import dumps
from stepwell.lang.jsonpath.errors import PathConflict, PathMismatch, PathNotFound
from stepwell.lang.jsonpath.filters import compile_filter
from stepwell.lang.jsonpath.filtersyntax import parse
from stepwell.lang.jsonpath.nodes import Indices, Names, ParsedPath, path_text
from stepwell.lang.jsonpath.steps import Program, compile_steps

Reader = Callable[[Any], Any]


class Path:
    """A compiled path.

    ``read(root)`` gives the value at a definite path (raises PathNotFound) and the list of values at another one;
    where a name on the way to it is missing that list is empty (recorded:
    test_json_path_array_wildcard_or_slice_with_no_input). Raises PathMismatch where a step does not fit the value
    it meets. ``is_reference``: only names and numbers from 0 on, so that the path can be written to
    (https://states-language.net/spec.html#ref-paths). ``steps`` are those, else empty.
    """

    __slots__ = ("definite", "is_reference", "read", "steps", "text")

    def __init__(self, text: str) -> None:
        parsed = parse(text)
        program = compile_steps(parsed, compile_filter)
        chain = _chain(parsed)
        self.text = text
        self.definite = program.definite
        self.is_reference = chain is not None and not any(isinstance(step, int) and step < 0 for step in chain)
        self.steps: tuple[str | int, ...] = chain if chain is not None and self.is_reference else ()
        slow = _definite_reader(program, path_text(parsed)) if program.definite else _list_reader(program)
        self.read: Reader = slow if chain is None else _chain_reader(chain, slow)

    def __repr__(self) -> str:
        return f"Path({self.text!r})"


@lru_cache(maxsize=4096)
def compile_path(text: str) -> Path:
    """The path with this text, which begins with ``$``. Raises PathSyntaxError."""
    return Path(text)


def write(root: Any, path: Path, value: Any) -> Any:
    """A new root with ``value`` at the reference path; what is not on the way to it is shared.

    Missing objects are made. Raises PathConflict where the way leads through a value that is no object, or to an
    element that an array does not have.
    """
    if not path.is_reference:
        raise PathConflict(f"{path.text} is not a reference path")
    steps = path.steps
    if len(steps) == 1 and type(root) is dict and type(steps[0]) is str:  # $.name, the form nearly all have
        return {**root, steps[0]: value}
    return _write_along(root, path, value)


def _write_along(root: Any, path: Path, value: Any) -> Any:
    parents: list[Any] = []
    here: Any = root
    missing = False
    for step in path.steps:
        if missing:
            here = {}
        if isinstance(step, int):
            if not isinstance(here, list) or step >= len(here):
                raise _conflict(path, root)
        elif not isinstance(here, dict):
            raise _conflict(path, root)
        parents.append(here)
        missing = step not in here if isinstance(here, dict) else False
        here = None if missing else here[step]
    for parent, step in zip(reversed(parents), reversed(path.steps), strict=True):
        changed = parent.copy()
        changed[step] = value
        value = changed
    return value


def _conflict(path: Path, root: Any) -> PathConflict:
    return PathConflict(f"Unable to apply ReferencePath {path.text} to input {dumps(root)}")


def _chain(parsed: ParsedPath) -> tuple[str | int, ...] | None:
    """The steps of a path of single names and numbers."""
    chain: list[str | int] = []
    for step in parsed.steps:
        match step:
            case Names((name,)):
                chain.append(name)
            case Indices((index,)):
                chain.append(index)
            case _:
                return None
    return tuple(chain) if parsed.root == "$" else None


def _chain_reader(chain: tuple[str | int, ...], slow: Reader) -> Reader:
    match chain:
        case ():
            return lambda root: root
        case (str(first),):
            return _one_name(first, slow)
        case (str(first), str(second)):
            return _two_names(first, second, slow)
    if all(isinstance(step, str) for step in chain):
        return _names(chain, slow)
    return _mixed(chain, slow)


def _one_name(first: str, slow: Reader) -> Reader:
    def read(root: Any) -> Any:
        try:
            return root[first]
        except (KeyError, TypeError):
            return slow(root)

    return read


def _two_names(first: str, second: str, slow: Reader) -> Reader:
    def read(root: Any) -> Any:
        try:
            return root[first][second]
        except (KeyError, TypeError):
            return slow(root)

    return read


def _names(chain: tuple[str | int, ...], slow: Reader) -> Reader:
    def read(root: Any) -> Any:
        value = root
        try:
            for step in chain:
                value = value[step]
        except (KeyError, TypeError):
            return slow(root)
        return value

    return read


def _mixed(chain: tuple[str | int, ...], slow: Reader) -> Reader:
    kinds: list[tuple[Any, type[Any]]] = [(step, list if isinstance(step, int) else dict) for step in chain]

    def read(root: Any) -> Any:
        value = root
        try:
            for step, kind in kinds:
                if not isinstance(value, kind):
                    return slow(root)
                value = value[step]
        except (KeyError, IndexError):
            return slow(root)
        return value

    return read


def _definite_reader(program: Program, normal: str) -> Reader:
    def read(root: Any) -> Any:
        values = program.values(root, root)
        if not values:
            raise PathNotFound(f"No results for path: {normal}")
        return values[0]

    return read


def _list_reader(program: Program) -> Reader:
    def read(root: Any) -> Any:
        try:
            return program.values(root, root)
        except PathMismatch:
            raise
        except PathNotFound:
            return []

    return read
