"""The six functions Step Functions adds, and the two that tell the time.

Answers measured on AWS (floci-io/floci issue 2662, pulls 2676 and 2783; recorded: test_array_partition, test_parse,
test_math_random_seeded). Source of the list:
https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

from stepwell.lang.javarandom import JavaRandom
from stepwell.lang.jsonata.errors import MEMORY, EvaluationError, LimitReached
from stepwell.lang.jsonata.library.datetimes import format_time
from stepwell.lang.jsonata.library.registry import native
from stepwell.lang.jsonata.runtime import Runtime
from stepwell.lang.jsonata.values import LONG_LIMIT, UNDEFINED, integer, is_number, number

_ALGORITHMS = {
    "MD5": hashlib.md5, "SHA-1": hashlib.sha1, "SHA-256": hashlib.sha256, "SHA-384": hashlib.sha384,
    "SHA-512": hashlib.sha512,
}  # fmt: skip
_MAX_RANGE = 360_145


def _mismatch(index: int) -> EvaluationError:
    return EvaluationError("T0410", index=index)


def _refuse_more(rest: tuple[Any, ...], taken: int) -> None:
    if any(argument is not UNDEFINED for argument in rest):
        raise _mismatch(taken + 1)


def _whole(value: Any, index: int) -> int:
    if not is_number(value):
        raise _mismatch(index)
    return integer(value)


@native("partition", None, 2)
def partition(runtime: Runtime, items: Any = UNDEFINED, size: Any = UNDEFINED, *rest: Any) -> Any:
    """Chunks of ``size``; without one, a single chunk."""
    _refuse_more(rest, 2)
    if items is UNDEFINED or items == []:
        return UNDEFINED
    if not isinstance(items, list):
        raise EvaluationError("T0412", value=items, index=1, type=UNDEFINED)
    if size is UNDEFINED:
        return [list(items)]
    step = _whole(size, 2)
    if step < 0:
        raise EvaluationError("D3137", message="Second argument must be zero or greater")
    if step == 0:
        return UNDEFINED
    runtime.reserve(members=len(items))
    chunks = []
    for at in range(0, len(items), step):
        runtime.tick()
        chunks.append(items[at : at + step])
    return chunks


@native("range", None, 3)
def range_of(runtime: Runtime, start: Any = UNDEFINED, end: Any = UNDEFINED, step: Any = UNDEFINED, *rest: Any) -> Any:
    """Numbers from ``start`` to ``end``, which is included; a single one is no list."""
    _refuse_more(rest, 3)
    first, last = _whole(start, 1), _whole(end, 2)
    if step is UNDEFINED:
        return UNDEFINED
    by = _whole(step, 3)
    if by == 0 or (last - first) * by < 0:
        return UNDEFINED
    size = (last - first) // by + 1
    if size > _MAX_RANGE:
        raise LimitReached("memory", MEMORY)
    runtime.reserve(members=size, each=36)
    numbers = [first + by * position for position in range(size)]
    return numbers[0] if first == last else numbers


@native("hash", None, 2)
def hash_of(_runtime: Runtime, text: Any = UNDEFINED, algorithm: Any = UNDEFINED, *rest: Any) -> Any:
    _refuse_more(rest, 2)
    if type(text) is not str:
        raise _mismatch(1)
    if algorithm is UNDEFINED:
        return UNDEFINED
    if type(algorithm) is not str:
        raise _mismatch(2)
    if algorithm not in _ALGORITHMS:
        listed = "SHA-1, SHA-384, SHA-256, SHA-512, MD5"
        raise EvaluationError("D3137", message=f"Hash algorithm '{algorithm}' must be one of {listed}")
    return _ALGORITHMS[algorithm](text.encode("utf-8", "replace")).hexdigest()


@native("random", None, 0)
def random_number(runtime: Runtime, seed: Any = UNDEFINED, *rest: Any) -> Any:
    """From 0 up to 1; the same seed gives the same number, that of ``java.util.Random.nextDouble``."""
    _refuse_more(rest, 1)
    if seed is UNDEFINED:
        return runtime.ids.random()
    source = JavaRandom(_whole(seed, 1))
    high, low = source.between(0, 1 << 30) >> 4, source.between(0, 1 << 30) >> 3  # 26 and 27 bits
    return ((high << 27) + low) / (1 << 53)


@native("uuid", None, 0)
def uuid(runtime: Runtime, *rest: Any) -> Any:
    _refuse_more(rest, 0)
    return runtime.ids.uuid()


@native("parse", None, 1)
def parse_json(_runtime: Runtime, text: Any = UNDEFINED, *rest: Any) -> Any:
    """A JSON text's value. Repeated keys, a second document and numbers out of range are no JSON here."""
    _refuse_more(rest, 1)
    if text is UNDEFINED:
        return UNDEFINED
    if type(text) is not str:
        raise _mismatch(1)
    try:
        return json.loads(
            text, object_pairs_hook=_object, parse_float=_fraction, parse_int=_integer, parse_constant=_constant
        )
    except (ValueError, RecursionError):
        raise EvaluationError("D3137", message="Invalid JSON") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("repeated key")
    return made


def _fraction(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return number(value)


def _integer(text: str) -> float:
    """Exact while a 64-bit integer holds it, a double beyond."""
    return int(text) if len(text) < 19 or -LONG_LIMIT < int(text[:25]) < LONG_LIMIT else _fraction(text)


def _constant(name: str) -> Any:
    raise ValueError(name)


@native("now", "<s?s?:s>", 0)
def now(runtime: Runtime, picture: Any = UNDEFINED, timezone: Any = UNDEFINED) -> Any:
    return format_time(millis(runtime), picture, timezone)


@native("millis", "<:n>", 0)
def millis(runtime: Runtime) -> Any:
    return round(runtime.now * 1000)
