"""Function signatures such as ``<s-n?:s>``: which arguments a function takes, and checking them.

Each argument has a one-letter symbol (``s n b l o a f``, ``m`` for a missing one); a signature is a regular expression
over these letters (https://docs.jsonata.org/embedding-extending#function-signature-syntax).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from stepwell.lang.jsonata.errors import EvaluationError, JsonataSyntaxError
from stepwell.lang.jsonata.values import UNDEFINED, Function

_CLASSES = {"a": "[asnblfom]", "f": "f", "j": "[asnblom]", "x": "[asnblfom]"}
_ELEMENTS = {
    "a": "arrays", "b": "booleans", "f": "functions", "n": "numbers", "o": "objects", "s": "strings",
}  # fmt: skip


@dataclass(slots=True)
class Parameter:
    type: str
    regex: str
    subtype: str = ""
    context: re.Pattern[str] | None = None  # the context value stands in for a missing argument of this type


@dataclass(slots=True)
class Signature:
    parameters: list[Parameter] = field(default_factory=list)
    pattern: re.Pattern[str] = field(default=re.compile(""))

    def check(self, arguments: list[Any], context: Any) -> list[Any]:
        """The arguments as the function takes them. Raises EvaluationError T0410, T0411, T0412."""
        symbols = "".join(map(symbol, arguments))
        match = self.pattern.fullmatch(symbols)
        if match is None:
            raise self._mismatch(arguments, symbols)
        checked: list[Any] = []
        at = 0
        for parameter, matched in zip(self.parameters, match.groups(), strict=True):
            if matched == "":
                if parameter.context is None:
                    checked.append(arguments[at] if at < len(arguments) else UNDEFINED)
                    at += 1
                elif parameter.context.fullmatch(symbol(context)):
                    checked.append(context)
                else:
                    raise EvaluationError("T0411", value=context, index=at + 1)
                continue
            for single in matched:
                value = arguments[at] if at < len(arguments) else UNDEFINED
                if parameter.type == "a":
                    value = _as_array(parameter, value, single, matched, at)
                checked.append(value)
                at += 1
        return checked

    def _mismatch(self, arguments: list[Any], symbols: str) -> EvaluationError:
        good, pattern = 0, ""
        for parameter in self.parameters:
            pattern += parameter.regex
            match = re.match(pattern, symbols)
            if match is None:
                break
            good = match.end()
        value = arguments[good] if good < len(arguments) else UNDEFINED
        return EvaluationError("T0410", value=value, index=good + 1)


def _as_array(parameter: Parameter, value: Any, single: str, matched: str, at: int) -> Any:
    if single == "m":
        return UNDEFINED
    if parameter.subtype:
        if single == "a":
            wanted = parameter.subtype[0]
            fits = all(symbol(item) == wanted for item in value)
        else:
            fits = matched == parameter.subtype
        if not fits:
            element = _ELEMENTS.get(parameter.subtype, UNDEFINED)
            raise EvaluationError("T0412", value=value, index=at + 1, type=element)
    return value if single == "a" else [value]


def symbol(value: Any) -> str:
    kind = type(value)
    if kind is str:
        return "s"
    if kind is int or kind is float:
        return "n"
    if kind is bool:
        return "b"
    if value is None:
        return "l"
    if value is UNDEFINED:
        return "m"
    if isinstance(value, list):
        return "a"
    return "f" if isinstance(value, Function) else "o"


@lru_cache(maxsize=512)
def parse_signature(text: str, position: int = 0) -> Signature:
    """Raises JsonataSyntaxError S0401, S0402."""
    parameters: list[Parameter] = []
    at = 1
    while at < len(text) and text[at] != ":":
        char = text[at]
        if char in "snblo":
            parameters.append(Parameter(char, f"[{char}m]"))
        elif char in _CLASSES:
            parameters.append(Parameter(char, _CLASSES[char]))
        elif char == "-":
            last = parameters[-1]
            last.context = re.compile(last.regex)
            last.regex += "?"
        elif char in "?+":
            parameters[-1].regex += char
        elif char == "(":
            end = _closing(text, at, "(", ")")
            choice = text[at + 1 : end]
            if "<" in choice:
                raise JsonataSyntaxError("S0402", position, value=choice)
            parameters.append(Parameter(f"({choice})", f"[{choice}m]"))
            at = end
        elif char == "<":
            last = parameters[-1]
            if last.type not in {"a", "f"}:
                raise JsonataSyntaxError("S0401", position, value=last.type)
            end = _closing(text, at, "<", ">")
            last.subtype = text[at + 1 : end]
            at = end
        at += 1
    return Signature(parameters, re.compile("".join(f"({p.regex})" for p in parameters)))


def _closing(text: str, start: int, opening: str, closing: str) -> int:
    depth = 0
    for at in range(start, len(text)):
        depth += (text[at] == opening) - (text[at] == closing)
        if depth == 0:
            return at
    return len(text)
