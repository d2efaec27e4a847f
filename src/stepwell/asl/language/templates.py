"""Payload templates: JSON in which fields named ``x.$`` are computed. Compiled once into closures.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-inputpath-params.html
"""

from __future__ import annotations

from typing import Any

from stepwell.asl.language.paths import Expression, compile_expression
from stepwell.asl.step import Scope


def compile_template(raw: Any) -> Expression:
    """(value, scope) -> the filled-in template. Parts without expressions are shared, never copied."""
    return _compile(raw) or (lambda _value, _scope: raw)


def _compile(raw: Any) -> Expression | None:
    """None when nothing in ``raw`` is computed."""
    if isinstance(raw, dict):
        return _compile_object(raw)
    if isinstance(raw, list):
        return _compile_array(raw)
    return None


def _compile_object(raw: dict[str, Any]) -> Expression | None:
    computed: list[tuple[str, Expression]] = []
    shape: dict[str, Any] = {}
    for key, part in raw.items():
        if key.endswith(".$") and isinstance(part, str):
            name = key[:-2]
            computed.append((name, compile_expression(part, key)))
            shape[name] = None
        else:
            inner = _compile(part)
            if inner is not None:
                computed.append((key, inner))
            shape[key] = part
    if not computed:
        return None

    def fill(value: Any, scope: Scope) -> Any:
        filled = shape.copy()
        for name, expression in computed:
            filled[name] = expression(value, scope)
        return filled

    return fill


def _compile_array(raw: list[Any]) -> Expression | None:
    parts = [_compile(part) for part in raw]
    if not any(parts):
        return None

    def fill(value: Any, scope: Scope) -> Any:
        return [fixed if part is None else part(value, scope) for part, fixed in zip(parts, raw, strict=True)]

    return fill
