"""From the text of a definition to its plain JSON value.

AWS's API takes JSON only (``load_json_definition``). The command line and the library also take YAML
(``load_definition``), read as if it were JSON: only ``true``, ``false``, ``null`` and JSON's numbers are anything but
strings, so a date stays a string and ``on`` or ``yes`` do too; keys are always strings; of a key given twice the last
value counts. Tags, recursive aliases and aliases that blow a small text up into a large value are refused.
"""

from __future__ import annotations

import math
import re
from typing import Any

import yaml

from stepwell.asl.diagnostics import DefinitionError, Diagnostic
from stepwell.kernel import jsontext
from stepwell.kernel.errors import JsonSyntaxError
from stepwell.kernel.limits import DEFINITION_BYTES

SHOWN_SOURCE = 500  # characters of the text that Jackson repeats in its messages
YAML_NODES = 250_000  # values in a document after its aliases are written out
NOT_AN_OBJECT = Diagnostic(code="SCHEMA_VALIDATION_FAILED", message="Definition must be a valid JSON object")

_LOOKS_LIKE_JSON = re.compile(r'\s*(\{\s*["}]|\[)')


def load_json_definition(text: str) -> dict[str, Any]:
    """The definition in this JSON text. Raises DefinitionError in AWS's words.

    Sources: recorded test_validate_state_machine_definition_not_a_definition (NOT_A_DEF, EMPTY_STRING).
    """
    if not text.strip():
        raise DefinitionError([NOT_AN_OBJECT])
    try:
        value = jsontext.loads(text)
    except JsonSyntaxError as error:
        raise DefinitionError([_syntax_fault(text, error)]) from None
    if not isinstance(value, dict):
        raise DefinitionError([NOT_AN_OBJECT])
    return value


def load_definition(text: str) -> dict[str, Any]:
    """The definition in this JSON or YAML text. Raises DefinitionError."""
    if not text.strip() or _LOOKS_LIKE_JSON.match(text):
        return load_json_definition(text)
    try:
        value = jsontext.loads(text)
    except JsonSyntaxError:
        value = _load_yaml(text)
    if not isinstance(value, dict):
        raise DefinitionError([NOT_AN_OBJECT])
    return value


def _syntax_fault(text: str, error: JsonSyntaxError) -> Diagnostic:
    """Jackson's way to say where: the source as a Java string, line and column."""
    shown = f'"{text[:SHOWN_SOURCE]}"'
    if len(text) > SHOWN_SOURCE:
        shown += f"[truncated {len(text) - SHOWN_SOURCE} chars]"
    where = f"[Source: (String){shown}; line: {error.line}, column: {error.column}]"
    return Diagnostic(code="INVALID_JSON_DESCRIPTION", message=f"{error.message}\n at {where}", location=where)


class _JsonLikeLoader(yaml.SafeLoader):
    """YAML whose plain scalars mean what they mean in JSON."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own shape


_NUMBER = r"-?(?:0|[1-9][0-9]*)"
_JsonLikeLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_JsonLikeLoader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:null|~|)$"), ["n", "~", ""])
_JsonLikeLoader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(rf"^{_NUMBER}$"), list("-0123456789"))
_JsonLikeLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(rf"^{_NUMBER}(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$"),
    list("-0123456789"),
)


def _load_yaml(text: str) -> Any:
    if len(text.encode("utf-8", "surrogatepass")) > DEFINITION_BYTES:
        raise _yaml_fault(f"a definition has at most {DEFINITION_BYTES} bytes")
    try:
        node = yaml.compose(text, Loader=_JsonLikeLoader)
        return None if node is None else _Builder().value(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"[line: {mark.line + 1}, column: {mark.column + 1}]" if mark else None
        raise _yaml_fault(error.problem or "not valid YAML", place) from None
    except (yaml.YAMLError, ValueError) as error:
        raise _yaml_fault(str(error).splitlines()[0]) from None
    except RecursionError:
        raise _yaml_fault("it is nested too deeply") from None


def _yaml_fault(problem: str, location: str | None = None) -> DefinitionError:
    message = f"Not valid YAML: {problem}"
    return DefinitionError([Diagnostic(code="INVALID_JSON_DESCRIPTION", message=message, location=location)])


class _Builder:
    """Values from YAML nodes; counts what it builds, so that an alias bomb ends early."""

    def __init__(self) -> None:
        self._left = YAML_NODES
        self._open: set[int] = set()

    def value(self, node: yaml.Node) -> Any:
        self._left -= 1
        if self._left < 0:
            raise ValueError(f"its aliases expand to more than {YAML_NODES} values")
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if id(node) in self._open:
            raise ValueError("an alias refers to the value that it is part of")
        self._open.add(id(node))
        try:
            return self._mapping(node) if isinstance(node, yaml.MappingNode) else self._sequence(node)
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: yaml.MappingNode) -> dict[str, Any]:
        if node.tag != "tag:yaml.org,2002:map":
            raise ValueError(f"the tag {node.tag} is not supported in a definition")
        result: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise ValueError("a key must be a string")
            result[key.value] = self.value(value)
        return result

    def _sequence(self, node: Any) -> list[Any]:
        if node.tag != "tag:yaml.org,2002:seq":
            raise ValueError(f"the tag {node.tag} is not supported in a definition")
        return [self.value(item) for item in node.value]

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        if kind == "str":
            return node.value
        if kind == "null":
            return None
        if kind == "bool" and node.value in {"true", "false"}:
            return node.value == "true"
        if kind == "int":
            return int(node.value)
        if kind == "float" and math.isfinite(number := float(node.value)):
            return number
        raise ValueError(f"the tag {node.tag} is not supported in a definition")
