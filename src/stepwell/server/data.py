"""The directory of the SQLite database and its keys: made on first use, private, and never committed by accident."""

from __future__ import annotations

from pathlib import Path

from stepwell.kernel.errors import SettingError
from stepwell.kernel.keys import KeyRing
from stepwell.kernel.settings import KEYS_FILE, Settings


def prepare(settings: Settings) -> None:
    """Make the directory if it is not there. Raises SettingError."""
    directory = settings.directory
    if directory is None:
        return
    try:
        if not directory.exists():
            directory.mkdir(mode=0o700, parents=True)
            (directory / ".gitignore").write_text(
                "# Made by Stepwell: a database and its keys belong in no repository.\n*\n"
            )
    except OSError as error:
        raise SettingError(
            f"the directory {str(directory)!r} cannot be made: {error.strerror or error}; see data"
        ) from None
    if not directory.is_dir():
        raise SettingError(f"{str(directory)!r} is not a directory; see the settings data and store")


def key_ring(settings: Settings) -> KeyRing:
    """The keys that encrypt secrets and sign tokens: as given, or those beside the database. Raises SettingError."""
    given = settings.keys
    if given is None:
        directory = settings.directory
        return KeyRing.generate() if directory is None else KeyRing.open(directory / KEYS_FILE)
    if given.lstrip().startswith("{"):
        return KeyRing.parse(given)
    path = Path(given)
    if not path.is_file():
        raise SettingError("setting keys names a file that is not there, and it is not a JSON object either")
    try:
        return KeyRing.parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"setting keys names a file that cannot be read: {error}") from None
