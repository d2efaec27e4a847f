"""References to data: ``$.a`` in the state's input, ``$$.a`` in the context object, ``$name.a`` in a variable."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

from stepwell.lang.jsonpath import Path, PathSyntaxError, compile_path

_VARIABLE = re.compile(r"\$([^\W\d]\w*)")


class Reference(NamedTuple):
    """Where to look (``kind``), the variable's ``name``, the ``path`` in it (rooted at ``$``) and the ``text`` as
    written.
    """

    kind: Literal["input", "context", "variable"]
    name: str | None
    path: Path
    text: str


@lru_cache(maxsize=4096)
def compile_reference(text: str) -> Reference:
    """``$.a``, ``$$.Execution.Id``, ``$var.x``. Raises PathSyntaxError."""
    if text.startswith("$$"):
        return Reference("context", None, compile_path(text[1:]), text)
    variable = _VARIABLE.match(text)
    if variable:
        return Reference("variable", variable[1], compile_path("$" + text[variable.end() :]), text)
    if not text.startswith("$"):
        raise PathSyntaxError("A path must begin with '$'")
    return Reference("input", None, compile_path(text), text)
