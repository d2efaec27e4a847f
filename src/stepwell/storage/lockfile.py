"""A file that says who has a database open, so that a second server on the same data is refused."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from stepwell.kernel.errors import SettingError


class DataLock:
    """Holds ``<database>.lock`` until closed; the operating system lets go when the process ends, however it ends."""

    def __init__(self, database: Path) -> None:
        """Raises SettingError, naming the process that has the lock."""
        path = database.with_name(database.name + ".lock")
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._handle, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(self._handle)
            raise SettingError(
                f"the database {database} is in use by another server (process {holder}). "
                "SQLite means one server at a time: stop that one, choose another data directory, or use PostgreSQL"
            ) from None
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, f"{os.getpid()}\n".encode(), 0)

    def close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
