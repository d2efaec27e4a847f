"""The array functions. Numbers lose their fraction before use: 2.6 counts as 2, not 3.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html; what that page leaves open
follows answers of AWS that public test suites note (truncation, order of ArrayUnique, comparison of ArrayContains).
"""

from __future__ import annotations

from typing import Any

from stepwell.kernel.ids import Ids
from stepwell.lang.intrinsics.arguments import Arguments, Invalid, whole
from stepwell.lang.javavalues import hash_set, java_text

MAX_RANGE = 1_000  # elements


def array(given: Arguments, ids: Ids) -> Any:
    return list(given)


def array_partition(given: Arguments, ids: Ids) -> Any:
    values, size = given[0], whole(given[1])
    if size < 1:
        raise Invalid
    return [values[at : at + size] for at in range(0, len(values), size)]


def array_contains(given: Arguments, ids: Ids) -> Any:
    """Values are compared by their Java text: true is in ``["true"]``, an object with its keys in another order is
    not.
    """
    wanted = java_text(given[1])
    return any(java_text(value) == wanted for value in given[0])


def array_range(given: Arguments, ids: Ids) -> Any:
    """Both ends count; a step in the wrong direction gives no element."""
    start, end, step = map(whole, given)
    if step == 0:
        raise Invalid
    numbers = range(start, end + (1 if step > 0 else -1), step)
    if len(numbers) > MAX_RANGE:
        raise Invalid
    return list(numbers)


def array_get_item(given: Arguments, ids: Ids) -> Any:
    """An empty array gives null whatever the index."""
    values, at = given[0], whole(given[1])
    if not values:
        return None
    if not 0 <= at < len(values):
        raise Invalid
    return values[at]


def array_length(given: Arguments, ids: Ids) -> Any:
    return len(given[0])


def array_unique(given: Arguments, ids: Ids) -> Any:
    """The order is that of a Java HashSet: ``[true, false, true]`` gives ``[false, true]``."""
    return hash_set(given[0])
