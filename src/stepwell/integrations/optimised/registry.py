"""Which handler serves which optimised integration: one row each; what has no row yet is refused by name.

A service whose integration is one plain call needs no row: ``plain`` serves it from the resource catalogue. ``.sync``
needs a handler that knows when the job is done.
"""

from __future__ import annotations

from stepwell.asl.resources import OPTIMISED
from stepwell.integrations.handlers import Handler, Refusal
from stepwell.integrations.optimised.events import PutEvents, prepare_entries
from stepwell.integrations.optimised.executions import ChildWatcher, StartExecution
from stepwell.integrations.optimised.functions import InvokeFunction
from stepwell.integrations.optimised.plain import PREPARE, PlainHandler
from stepwell.kernel.caller import Caller
from stepwell.kernel.clock import Clock

Registry = dict[tuple[str, str], Handler]


def optimised_handlers(caller: Caller, clock: Clock, watcher: ChildWatcher | None) -> Registry:
    """A handler for every optimised integration but ``http:invoke``."""
    handlers: Registry = {
        key: PlainHandler(caller, clock, row, PREPARE.get(key[0])) if row.operation else Refusal(refusal(*key))
        for key, row in OPTIMISED.items()
    }
    handlers["events", "putEvents"] = PutEvents(caller, clock, OPTIMISED["events", "putEvents"], prepare_entries)
    handlers["lambda", "invoke"] = InvokeFunction(caller, clock)
    handlers["states", "startExecution"] = StartExecution(caller, clock, watcher)
    return handlers


def refusal(service: str, action: str, suffix: str = "") -> str:
    """Says what is not there, and what to use instead where there is something."""
    return f"The integration '{service}:{action}{suffix}' is not supported yet by this version of Stepwell"
