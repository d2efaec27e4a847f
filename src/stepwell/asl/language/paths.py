"""JSONPath expressions where a field may hold them: ``$``, ``$.a``, ``$$.Execution.Id`` or an intrinsic function.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/amazon-states-language-paths.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepwell.asl.step import Scope
from stepwell.kernel.errors import FatalStateError, StateError
from stepwell.kernel.jsontext import Json, dumps
from stepwell.lang.intrinsics import (
    IntrinsicFailure,
    Reference,
    compile_intrinsic,
    compile_reference,
    is_intrinsic,
    missing_argument,
)
from stepwell.lang.jsonpath import PathNotFound

Expression = Callable[[Any, Scope], Any]
Missing = Callable[[str, Any, PathNotFound], StateError]

INTRINSIC_FAILURE = "States.IntrinsicFailure"
RUNTIME = "States.Runtime"


def root(reference: Reference, value: Any, scope: Scope) -> Any:
    """What a reference's path is applied to."""
    if reference.kind == "input":
        return value
    if reference.kind == "context":
        return scope.context
    name = reference.name or ""
    try:
        return scope.variables[name]
    except KeyError:
        raise FatalStateError(RUNTIME, f"The variable '{name}' has not been assigned a value.") from None


def invalid_path(text: str, _value: Any, error: PathNotFound) -> StateError:
    """A path field (InputPath, OutputPath, ItemsPath) that finds nothing."""
    return FatalStateError(RUNTIME, f"Invalid path '{text}' : {error}")


def compile_path_field(text: str, missing: Missing = invalid_path) -> Expression:
    """A path that must find something; ``missing`` words the failure."""
    reference = compile_reference(text)
    read = reference.path.read

    def from_input(value: Any, _scope: Scope) -> Any:
        try:
            return read(value)
        except PathNotFound as error:
            raise missing(text, value, error) from None

    def expression(value: Any, scope: Scope) -> Any:
        base = root(reference, value, scope)
        try:
            return read(base)
        except PathNotFound as error:
            raise missing(text, base, error) from None

    return from_input if reference.kind == "input" else expression


def compile_expression(text: str, field: str) -> Expression:
    """The value of a ``name.$`` field of a template: a path or an intrinsic function. ``field`` is for messages."""
    if not is_intrinsic(text):
        return compile_path_field(text, _not_in_input(field))
    intrinsic = compile_intrinsic(text)

    def expression(value: Any, scope: Scope) -> Any:
        def resolve(reference: Reference) -> Any:
            base = value if reference.kind == "input" else root(reference, value, scope)
            try:
                return reference.path.read(base)
            except PathNotFound:
                raise missing_argument(reference_text(reference), dumps(base)) from None

        try:
            return intrinsic.evaluate(resolve, scope.ids)
        except IntrinsicFailure as error:
            # Seen on AWS as States.Runtime; its documentation has it caught as States.IntrinsicFailure.
            raise StateError(RUNTIME, error.message, only_as=INTRINSIC_FAILURE) from None

    return expression


def reference_text(reference: Reference) -> str:
    """The reference as it was written."""
    sigil = {"input": "", "context": "$", "variable": f"${reference.name}"}[reference.kind]
    return sigil + (reference.path.text[1:] if reference.kind == "variable" else reference.path.text)


def _not_in_input(field: str) -> Missing:
    def missing(text: str, value: Any, _error: PathNotFound) -> StateError:
        cause = (
            f"The JSONPath '{text}' specified for the field '{field}' could not be found in the input '{dumps(value)}'"
        )
        return FatalStateError(RUNTIME, cause)

    return missing


def apply_to_json(text: str | None, missing: Missing = invalid_path) -> Callable[[Json, Scope], Json] | None:
    """InputPath or OutputPath over documents; None stands for ``$``, which hands the same document on, text and all."""
    if text is None or text.strip() == "$":
        return None
    expression = compile_path_field(text, missing)
    return lambda document, scope: Json(expression(document.value, scope))
