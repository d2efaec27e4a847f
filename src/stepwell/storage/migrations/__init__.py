"""The numbered changes of the schema, one folder per database.

Expand, then contract: a change first adds what the next release needs, and a later one drops what no release reads
any more. A file ``NNNN_what.sql`` never changes once it is released.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from stepwell.kernel.errors import SettingError
from stepwell.storage.catalogue import Dialect

FOLDER = Path(__file__).parent


class Migration(NamedTuple):
    number: int
    name: str
    text: str


def migrations(dialect: Dialect) -> list[Migration]:
    """All changes of a database, by number; the numbers run from 1 without a gap."""
    found = [
        Migration(int(file.name[:4]), file.stem[5:], file.read_text(encoding="utf-8"))
        for file in sorted((FOLDER / dialect).glob("*.sql"))
    ]
    if [migration.number for migration in found] != list(range(1, len(found) + 1)):
        raise ValueError(f"the numbers of the {dialect} migrations have a gap")
    return found


def check_version(version: int, known: list[Migration]) -> list[Migration]:
    """What a database at ``version`` lacks. Raises SettingError if it is newer than this release knows."""
    if version > len(known):
        raise SettingError(
            f"the database has schema {version}; this release knows schemas up to {len(known)}. "
            "Start the release that wrote it, or a newer one"
        )
    return known[version:]
