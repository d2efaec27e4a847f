"""Where asynchronous Express executions are kept until they end: documents of the server itself, of no account.

Implements ``engine.express.ExpressStore``.
"""

from __future__ import annotations

from stepwell.engine.express import Kept
from stepwell.kernel.arns import Scope
from stepwell.storage.documents import Delete, Documents, Put

KIND = "sfn-express"
SYSTEM = Scope("stepwell", "", "")


class AcknowledgedExpress:
    """See the module's docstring."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def keep(self, kept: Kept) -> None:
        await self._documents.write([Put(SYSTEM, KIND, kept.place, kept.body)], lane="journal")

    async def forget(self, place: str) -> None:
        await self._documents.write([Delete(SYSTEM, KIND, place)], lane="background")

    async def kept(self, after: str | None, limit: int) -> list[Kept]:
        found = await self._documents.list(SYSTEM, KIND, after=after, limit=limit)
        return [Kept(document.key, document.body) for document in found]
