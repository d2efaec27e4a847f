"""Function calls, lambdas, partial application, ``~>`` and transforms, compiled."""

from __future__ import annotations

from typing import Any

from stepwell.lang.jsonata.compiling import Closure, compile_node, compiles
from stepwell.lang.jsonata.errors import EvaluationError
from stepwell.lang.jsonata.functions import Lambda, Native, Partial, Thunk, apply, chained
from stepwell.lang.jsonata.regexes import compile_regex
from stepwell.lang.jsonata.runtime import Frame
from stepwell.lang.jsonata.syntax import Node
from stepwell.lang.jsonata.values import UNDEFINED, Function


def _name_of(procedure: Node) -> Any:
    """What an error calls the function."""
    return procedure.steps[0].value if procedure.type == "path" else procedure.value


@compiles("function")
def _function(node: Node) -> Closure:
    call = compile_call(node)
    return lambda value, frame: call(value, frame, ())


def compile_call(node: Node) -> Any:
    """(input, frame, leading arguments) -> result."""
    procedure, token = compile_node(node.procedure), _name_of(node.procedure)
    arguments = [compile_node(argument) for argument in node.arguments]
    by_name = node.procedure.type == "path"

    def call(value: Any, frame: Frame, leading: tuple[Any, ...]) -> Any:
        target = procedure(value, frame)
        if target is UNDEFINED and by_name and frame.lookup(str(token)) is not UNDEFINED:
            raise EvaluationError("T1005", token=token)
        values = [*leading, *(argument(value, frame) for argument in arguments)]
        try:
            return apply(frame.runtime, target, values, value)
        except EvaluationError as error:
            error.values.setdefault("token", token)
            raise

    return call


@compiles("lambda")
def _lambda(node: Node) -> Closure:
    if node.thunk:
        procedure, token = compile_node(node.body.procedure), _name_of(node.body.procedure)
        arguments = [compile_node(argument) for argument in node.body.arguments]
        return lambda value, frame: Thunk(procedure, arguments, token, value, frame)
    body, signature = compile_node(node.body), node.signature
    parameters = [argument.value for argument in node.arguments]
    return lambda value, frame: Lambda(parameters, body, value, frame, signature)


@compiles("regex")
def _regex(node: Node) -> Closure:
    matcher = compile_regex(node.value, node.flags)
    return lambda _value, _frame: matcher


@compiles("partial")
def _partial(node: Node) -> Closure:
    procedure, token = compile_node(node.procedure), _name_of(node.procedure)
    arguments = [None if argument.type == "operator" else compile_node(argument) for argument in node.arguments]
    holes = tuple(at for at, argument in enumerate(arguments) if argument is None)
    by_name = node.procedure.type == "path"

    def evaluate(value: Any, frame: Frame) -> Any:
        given = [UNDEFINED if argument is None else argument(value, frame) for argument in arguments]
        target = procedure(value, frame)
        if target is UNDEFINED and by_name and frame.lookup(str(token)) is not UNDEFINED:
            raise EvaluationError("T1007", token=token)
        if type(target) is Lambda:
            return _fixed(target, given, holes, frame)
        if isinstance(target, Function):
            return Partial(target, tuple(given), holes)
        raise EvaluationError("T1008", token=token)

    return evaluate


def _fixed(target: Lambda, given: list[Any], holes: tuple[int, ...], frame: Frame) -> Lambda:
    bound = Frame(target.frame, {}, frame.runtime)
    open_names = []
    for at, name in enumerate(target.parameters):
        if at in holes:
            open_names.append(name)
        else:
            bound.variables[name] = given[at] if at < len(given) else UNDEFINED
    return Lambda(open_names, target.body, target.context, bound, None)


@compiles("apply")
def _apply(node: Node) -> Closure:
    left = compile_node(node.lhs)
    if node.rhs.type == "function":
        return _invocation(left, node)
    right = compile_node(node.rhs)

    def evaluate(value: Any, frame: Frame) -> Any:
        argument = left(value, frame)
        target = right(value, frame)
        if not isinstance(target, Function):
            raise EvaluationError("T2006", value=target)
        if isinstance(argument, Function):
            return chained(argument, target)
        return apply(frame.runtime, target, [argument], None)

    return evaluate


def _invocation(left: Closure, node: Node) -> Closure:
    """``x ~> $f(y)`` is ``$f(x, y)``."""
    call = compile_call(node.rhs)
    return lambda value, frame: call(value, frame, (left(value, frame),))


@compiles("transform")
def _transform(node: Node) -> Closure:
    pattern, update = compile_node(node.pattern), compile_node(node.update)
    delete = compile_node(node.delete) if node.delete is not None else None

    def evaluate(_value: Any, frame: Frame) -> Any:
        def transform(runtime: Any, subject: Any = UNDEFINED, *_: Any) -> Any:
            if subject is UNDEFINED:
                return UNDEFINED
            clone = frame.lookup("clone")
            if not isinstance(clone, Function):
                raise EvaluationError("T2013")
            copy = apply(runtime, clone, [subject])
            matches = pattern(copy, frame)
            if matches is UNDEFINED:
                return copy
            for match in matches if isinstance(matches, list) else [matches]:
                runtime.tick()
                _change(match, update(match, frame))
                if delete is not None:
                    _remove(match, delete(match, frame))
            return copy

        return Native("transform", "<(oa):o>", 1, transform)

    return evaluate


def _change(match: Any, update: Any) -> None:
    if update is UNDEFINED:
        return
    if type(update) is not dict:
        raise EvaluationError("T2011", value=update)
    if type(match) is dict:
        match.update(update)


def _remove(match: Any, names: Any) -> None:
    if names is UNDEFINED:
        return
    listed = names if isinstance(names, list) else [names]
    if not all(type(name) is str for name in listed):
        raise EvaluationError("T2012", value=names)
    if type(match) is dict:
        for name in listed:
            match.pop(name, None)
