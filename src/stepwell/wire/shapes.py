"""Compiling shapes that may hold themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.model import Shape


def lazily(compile_shape: Callable[[Any], Any], shape: Shape) -> Callable[..., Any]:
    """Compile on first use, so that a shape that holds itself ends."""
    made: list[Callable[..., Any]] = []

    def run(*values: Any) -> Any:
        if not made:
            made.append(compile_shape(shape))
        return made[0](*values)

    return run
