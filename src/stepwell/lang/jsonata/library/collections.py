"""Functions on arrays and objects, and higher-order ones (https://docs.jsonata.org/array-functions and following)."""

from __future__ import annotations

from typing import Any

from stepwell.lang.jsonata.errors import EvaluationError
from stepwell.lang.jsonata.functions import apply, call_with_position
from stepwell.lang.jsonata.library.registry import native
from stepwell.lang.jsonata.runtime import Runtime
from stepwell.lang.jsonata.values import UNDEFINED, Function, Sequence, append, lookup, stringify, truth

# ----------------------------------------------------------------------------------------------------- higher order


@native("map", "<af>", 2)
def map_items(runtime: Runtime, items: Any, function: Any) -> Any:
    if items is UNDEFINED:
        return UNDEFINED
    results = Sequence()
    for position, item in enumerate(items):
        runtime.tick()
        result = call_with_position(runtime, function, item, position, items)
        if result is not UNDEFINED:
            results.append(result)
    return results


@native("filter", "<af>", 2)
def filter_items(runtime: Runtime, items: Any, function: Any) -> Any:
    if items is UNDEFINED:
        return UNDEFINED
    results = Sequence()
    for position, item in enumerate(items):
        runtime.tick()
        if truth(call_with_position(runtime, function, item, position, items)):
            results.append(item)
    return results


@native("single", "<af?>", 2)
def single(runtime: Runtime, items: Any, function: Any = UNDEFINED) -> Any:
    if items is UNDEFINED:
        return UNDEFINED
    found: Any = UNDEFINED
    matched = False
    for position, item in enumerate(items):
        runtime.tick()
        if function is UNDEFINED or truth(call_with_position(runtime, function, item, position, items)):
            if matched:
                raise EvaluationError("D3138", index=position)
            found, matched = item, True
    if not matched:
        raise EvaluationError("D3139")
    return found


@native("reduce", "<afj?:j>", 3)
def reduce_items(runtime: Runtime, items: Any, function: Any, initial: Any = UNDEFINED) -> Any:
    if items is UNDEFINED:
        return UNDEFINED
    arity = function.arity
    if arity < 2:
        raise EvaluationError("D3050", index=1)
    start = 1 if initial is UNDEFINED and items else 0
    result = items[0] if start else initial
    for position in range(start, len(items)):
        runtime.tick()
        arguments = [result, items[position]]
        if arity >= 3:
            arguments.append(position)
        if arity >= 4:
            arguments.append(items)
        result = apply(runtime, function, arguments)
    return result


@native("each", "<o-f:a>", 2)
def each(runtime: Runtime, subject: Any, function: Any = UNDEFINED) -> Any:
    results = Sequence()
    for key, value in subject.items() if type(subject) is dict else ():
        runtime.tick()
        result = call_with_position(runtime, function, value, key, subject)
        if result is not UNDEFINED:
            results.append(result)
    return results


@native("sift", "<o-f?:o>", 2)
def sift(runtime: Runtime, subject: Any, function: Any = UNDEFINED) -> Any:
    kept = {}
    for key, value in subject.items() if type(subject) is dict else ():
        runtime.tick()
        if truth(call_with_position(runtime, function, value, key, subject)):
            kept[key] = value
    return kept or UNDEFINED


@native("sort", "<af?:a>", 2)
def sort_items(runtime: Runtime, items: Any, function: Any = UNDEFINED) -> Any:
    if items is UNDEFINED or len(items) <= 1:
        return items
    if function is UNDEFINED:
        kinds = {float if type(item) is int else type(item) for item in items}
        if kinds not in ({float}, {str}):
            raise EvaluationError("D3070", index=1)
        return sorted(items)
    return _merge_sorted(runtime, function, list(items))


def _merge_sorted(runtime: Runtime, function: Any, items: list[Any]) -> list[Any]:
    """Merging as the reference implementation does, since the function need not be a consistent order."""
    if len(items) <= 1:
        return items
    middle = len(items) // 2
    left, right = _merge_sorted(runtime, function, items[:middle]), _merge_sorted(runtime, function, items[middle:])
    merged = []
    i = j = 0
    while i < len(left) and j < len(right):
        runtime.tick()
        if truth(apply(runtime, function, [left[i], right[j]])):
            merged.append(right[j])
            j += 1
        else:
            merged.append(left[i])
            i += 1
    return merged + left[i:] + right[j:]


# ----------------------------------------------------------------------------------------------------------- arrays


@native("append", "<xx:a>", 2)
def append_items(runtime: Runtime, left: Any, right: Any = UNDEFINED) -> Any:
    if isinstance(left, list) or isinstance(right, list):
        runtime.reserve(members=sum(len(side) if isinstance(side, list) else 1 for side in (left, right)))
    return append(left, right)


@native("reverse", "<a:a>", 1)
def reverse(_runtime: Runtime, items: Any) -> Any:
    return items if items is UNDEFINED or len(items) <= 1 else items[::-1]


@native("shuffle", "<a:a>", 1)
def shuffle(runtime: Runtime, items: Any) -> Any:
    if items is UNDEFINED or len(items) <= 1:
        return items
    mixed: list[Any] = list(items)
    for last in range(len(mixed) - 1, 0, -1):
        runtime.tick()
        other = int(runtime.ids.random() * (last + 1))
        mixed[last], mixed[other] = mixed[other], mixed[last]
    return mixed


@native("distinct", "<x:x>", 1)
def distinct(runtime: Runtime, items: Any) -> Any:
    if not isinstance(items, list) or len(items) <= 1:
        return items
    seen: set[Any] = set()
    kept: list[Any] = Sequence() if type(items) is Sequence else []
    for item in items:
        runtime.tick()
        kind = type(item)
        key = item if kind is str else (float(item),) if kind in {int, float} else _canonical(item)
        if key not in seen:
            seen.add(key)
            kept.append(item)
    return kept


def _canonical(value: Any) -> Any:
    """Equal for deeply equal values; never equal to a text or to a number's one-tuple."""
    if isinstance(value, Function):
        return (id(value), "function")
    return (stringify(_sorted_keys(value)), "json")


def _sorted_keys(value: Any) -> Any:
    if type(value) is dict:
        return {key: _sorted_keys(value[key]) for key in sorted(value)}
    return [_sorted_keys(item) for item in value] if isinstance(value, list) else value


@native("zip", "<a+>", 0)
def zip_arrays(runtime: Runtime, *arrays: Any) -> Any:
    if any(array is UNDEFINED for array in arrays):
        return []
    runtime.reserve(members=min(map(len, arrays), default=0), each=80 + 8 * len(arrays))
    return [list(group) for group in zip(*arrays, strict=False)]


@native("exists", "<x:b>", 1)
def exists(_runtime: Runtime, value: Any) -> Any:
    return value is not UNDEFINED


# ---------------------------------------------------------------------------------------------------------- objects


@native("keys", "<x-:a<s>>", 1)
def keys(runtime: Runtime, subject: Any) -> Any:
    found = Sequence()
    if isinstance(subject, list):
        merged: dict[str, None] = {}
        for item in subject:
            runtime.tick()
            merged.update(dict.fromkeys(keys(runtime, item)))
        found.extend(merged)
    elif type(subject) is dict:
        found.extend(subject)
    return found


@native("lookup", "<x-s:x>", 2)
def look_up(runtime: Runtime, subject: Any, key: Any = UNDEFINED) -> Any:
    runtime.tick()
    return lookup(subject, key)


@native("spread", "<x-:a<o>>", 1)
def spread(runtime: Runtime, subject: Any) -> Any:
    if isinstance(subject, list):
        found = Sequence()
        for item in subject:
            runtime.tick()
            parts = spread(runtime, item)
            found.extend(parts) if isinstance(parts, list) else found.append(parts)
        return found
    if type(subject) is dict:
        return Sequence({key: value} for key, value in subject.items())
    return subject


@native("merge", "<a<o>:o>", 1)
def merge(_runtime: Runtime, objects: Any) -> Any:
    if objects is UNDEFINED:
        return UNDEFINED
    merged: dict[str, Any] = {}
    for item in objects:
        merged.update(item)
    return merged


@native("clone", "<(oa)-:o>", 1)
def clone(_runtime: Runtime, subject: Any) -> Any:
    """A copy that a transform may change."""
    if type(subject) is dict:
        return {key: clone(_runtime, value) for key, value in subject.items()}
    return [clone(_runtime, item) for item in subject] if isinstance(subject, list) else subject


@native("type", "<x:s>", 1)
def type_of(_runtime: Runtime, value: Any) -> Any:
    if value is UNDEFINED:
        return UNDEFINED
    if value is None:
        return "null"
    named = {str: "string", int: "number", float: "number", bool: "boolean", dict: "object"}
    return "array" if isinstance(value, list) else named.get(type(value), "function")


@native("error", "<s?:x>", 1)
def error(_runtime: Runtime, message: Any = UNDEFINED) -> Any:
    raise EvaluationError("D3137", message=message or "$error() function evaluated")


@native("assert", "<bs?:x>", 2)
def assertion(_runtime: Runtime, condition: Any, message: Any = UNDEFINED) -> Any:
    if condition is not True:
        raise EvaluationError("D3141", message=message or "$assert() statement failed")
    return UNDEFINED
