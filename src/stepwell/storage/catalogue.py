"""Named SQL texts, read from ``.sql`` files.

A file is a list of entries::

    -- name: execution_by_arn
    -- purpose: DescribeExecution, and what a taken name belongs to.
    SELECT ...

``shared.sql`` holds what both databases understand; ``sqlite.sql`` and ``postgresql.sql`` hold what differs.
Parameters are ``$1``, ``$2`` ... in all of them. Two spellings are replaced when a catalogue is loaded:
``@integers($1)`` becomes a query for the elements of an array parameter, and ``@name`` the text of an entry declared
with ``-- fragment: name``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

Dialect = Literal["sqlite", "postgresql"]

FOLDER = Path(__file__).parent / "sql"
_ENTRY = re.compile(r"^-- (name|fragment): (\w+)\n-- purpose: .+\n", re.MULTILINE)
_PARAMETER = re.compile(r"\$(\d+)")
_ARRAY = re.compile(r"@integers\((\$\d+)\)")
_FRAGMENT = re.compile(r"@(\w+)")
_ARRAY_AS = {"sqlite": r"SELECT value FROM json_each(\1)", "postgresql": r"SELECT unnest(\1::bigint[])"}


def load(dialect: Dialect) -> dict[str, str]:
    """All statements of a database by name. Raises ValueError if a name is given twice or an entry is malformed."""
    statements: dict[str, str] = {}
    fragments: dict[str, str] = {}
    for file in ("shared.sql", f"{dialect}.sql"):
        for kind, name, text in entries((FOLDER / file).read_text(encoding="utf-8")):
            known = fragments if kind == "fragment" else statements
            if name in known:
                raise ValueError(f"{file}: {name} is given twice")
            known[name] = text
    return {name: _finish(text, fragments, dialect) for name, text in statements.items()}


def entries(text: str) -> list[tuple[str, str, str]]:
    """The (kind, name, SQL) of a file's entries, in order."""
    marks = list(_ENTRY.finditer(text))
    if len(marks) != len(re.findall(r"^-- (?:name|fragment):", text, re.MULTILINE)):
        raise ValueError("an entry lacks its line of purpose")
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    return [
        (mark[1], mark[2], text[mark.end() : end].strip().rstrip(";")) for mark, end in zip(marks, ends, strict=True)
    ]


def _finish(text: str, fragments: dict[str, str], dialect: Dialect) -> str:
    text = _ARRAY.sub(_ARRAY_AS[dialect], text)
    text = _FRAGMENT.sub(lambda found: fragments[found[1]], text)
    return _PARAMETER.sub(r"?\1", text) if dialect == "sqlite" else text
