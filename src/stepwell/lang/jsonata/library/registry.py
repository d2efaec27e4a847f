"""The table of functions and the decorator that enters them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from stepwell.lang.jsonata.functions import Native

LIBRARY: dict[str, Native] = {}
_F = TypeVar("_F", bound=Callable[..., Any])


def native(name: str, signature: str | None, arity: int) -> Callable[[_F], _F]:
    """``arity`` is what the reference implementation's function declares: higher-order functions pass that many."""

    def enter(function: _F) -> _F:
        LIBRARY[name] = Native(name, signature, arity, function)
        return function

    return enter
