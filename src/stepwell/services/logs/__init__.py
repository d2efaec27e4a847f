"""CloudWatch Logs, as far as logs of executions are kept and read. ``service.Logs`` is its door.

::

    service      operation names to functions
    groups       log groups and their retention          streams   log streams
    events       GetLogEvents, FilterLogEvents           writing   PutLogEvents
    ------------
    shelf        what the operations share: where groups lie, how they are found
    patterns     FilterLogEvents' filter patterns        paging    nextToken
    delivery     from executions to their groups         destinations   which groups may be delivered to
    retention    deleting what is old
"""

from __future__ import annotations

from stepwell.services.logs.delivery import Delivery
from stepwell.services.logs.destinations import Destinations
from stepwell.services.logs.retention import Retention
from stepwell.services.logs.service import Logs
from stepwell.services.logs.shelf import Shelf

__all__ = ["Delivery", "Destinations", "Logs", "Retention", "Shelf"]
