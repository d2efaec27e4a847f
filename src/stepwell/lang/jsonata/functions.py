"""Functions as values, and calling them: natives, lambdas, partial application, and tail calls without nesting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stepwell.lang.jsonata.errors import EvaluationError
from stepwell.lang.jsonata.runtime import Frame, Runtime
from stepwell.lang.jsonata.signatures import Signature, parse_signature
from stepwell.lang.jsonata.values import UNDEFINED, Function


class Native(Function):
    """A function of the library: ``body(runtime, *arguments)``; missing arguments are UNDEFINED."""

    __slots__ = ("arity", "body", "name", "signature", "size")

    def __init__(self, name: str, signature: str | None, arity: int, body: Callable[..., Any]) -> None:
        self.name = name
        self.signature = parse_signature(signature) if signature is not None else None
        self.arity = arity
        self.size = len(self.signature.parameters) if self.signature else -1
        self.body = body


class Lambda(Function):
    """A function written in the expression, with the frame and the context it was written in."""

    __slots__ = ("arity", "body", "context", "frame", "parameters", "signature")

    def __init__(
        self, parameters: list[str], body: Callable[[Any, Frame], Any], context: Any, frame: Frame,
        signature: Signature | None,
    ) -> None:  # fmt: skip
        self.parameters = parameters
        self.arity = len(parameters)
        self.body = body
        self.context = context
        self.frame = frame
        self.signature = signature


class Thunk:
    """A call in last place, to be made by whoever called the function it stands in."""

    __slots__ = ("arguments", "context", "frame", "procedure", "token")

    def __init__(self, procedure: Any, arguments: list[Any], token: Any, context: Any, frame: Frame) -> None:
        self.procedure, self.arguments, self.token = procedure, arguments, token
        self.context, self.frame = context, frame


@dataclass(frozen=True, slots=True)
class Partial(Function):
    """A native with some arguments fixed; ``holes`` are the places of the others."""

    native: Function
    arguments: tuple[Any, ...]
    holes: tuple[int, ...]

    @property
    def arity(self) -> int:  # type: ignore[override]
        return len(self.holes)


def apply(runtime: Runtime, function: Any, arguments: list[Any], context: Any = UNDEFINED) -> Any:
    """Call a function value. Raises EvaluationError T1006 for anything else."""
    result = _apply_once(runtime, function, arguments, context)
    while type(result) is Thunk:
        target = result.procedure(result.context, result.frame)
        values = [argument(result.context, result.frame) for argument in result.arguments]
        token = result.token
        try:
            result = _apply_once(runtime, target, values, context)
        except EvaluationError as error:
            error.values.setdefault("token", token)
            raise
    return result


def _apply_once(runtime: Runtime, function: Any, arguments: list[Any], context: Any) -> Any:
    if type(function) is Lambda:
        runtime.tick()
        if function.signature is not None:
            arguments = function.signature.check(arguments, context)
        names = function.parameters
        variables = dict(zip(names, arguments, strict=False))
        if len(arguments) < len(names):
            for name in names[len(arguments) :]:
                variables[name] = UNDEFINED
        return function.body(function.context, Frame(function.frame, variables, runtime))
    if isinstance(function, Native):
        if function.signature is not None:
            arguments = function.signature.check(arguments, context)
        runtime.check_time()
        return function.body(runtime, *arguments)
    if type(function) is Partial:
        filled = list(function.arguments)
        for hole, argument in zip(function.holes, arguments, strict=False):
            filled[hole] = argument
        return _apply_once(runtime, function.native, filled, context)
    raise EvaluationError("T1006")


def chained(first: Function, second: Function) -> Function:
    """``first ~> second``: a function that calls one after the other."""
    return Native("chain", None, 1, lambda rt, value=UNDEFINED, *_: apply(rt, second, [apply(rt, first, [value])]))


def call_with_position(runtime: Runtime, function: Function, value: Any, position: Any, whole: Any) -> Any:
    """Higher-order functions pass the value, then its position or key, then the whole, as many as are taken."""
    arity = function.arity
    if arity >= 3:
        return apply(runtime, function, [value, position, whole])
    return apply(runtime, function, [value, position] if arity == 2 else [value])
