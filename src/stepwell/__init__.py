"""Stepwell: durable API orchestration that speaks AWS.

The library, for tests of workflows::

    import stepwell

    workflow = stepwell.load("orders.asl.json")
    run = workflow.run({"orderId": 1}, mocks={"Charge": {"ok": True}})
    assert run.expect_succeeded().visited == ["Charge", "Ship"]

The layers, each importing only what stands left of it (``tests/test_layers.py`` checks every import)::

    kernel <- lang <- asl <- engine <- storage <- wire <- services <- integrations <- local <- server <- cli
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from stepwell._version import __version__

if TYPE_CHECKING:
    from stepwell.asl.diagnostics import DefinitionError, Diagnostic
    from stepwell.kernel.clock import ManualClock
    from stepwell.kernel.errors import StepwellError
    from stepwell.local.answers import PENDING, Call, Return, Throw
    from stepwell.local.errors import MockError, MockFileError, StuckError
    from stepwell.local.live import LiveRun
    from stepwell.local.mockfile import MockFile, load_mock_file
    from stepwell.local.run import Run
    from stepwell.local.waiting import Waiting
    from stepwell.local.workflow import Workflow, load

__all__ = [
    "PENDING",
    "Call",
    "DefinitionError",
    "Diagnostic",
    "LiveRun",
    "ManualClock",
    "MockError",
    "MockFile",
    "MockFileError",
    "Return",
    "Run",
    "StepwellError",
    "StuckError",
    "Throw",
    "Waiting",
    "Workflow",
    "__version__",
    "load",
    "load_mock_file",
]

# Where each name lives. It is imported when first asked for: `import stepwell` alone, as the server and the command
# line do, costs nothing.
_HOMES = {
    "PENDING": "stepwell.local.answers",
    "Call": "stepwell.local.answers",
    "DefinitionError": "stepwell.asl.diagnostics",
    "Diagnostic": "stepwell.asl.diagnostics",
    "LiveRun": "stepwell.local.live",
    "ManualClock": "stepwell.kernel.clock",
    "MockError": "stepwell.local.errors",
    "MockFile": "stepwell.local.mockfile",
    "MockFileError": "stepwell.local.errors",
    "Return": "stepwell.local.answers",
    "Run": "stepwell.local.run",
    "StepwellError": "stepwell.kernel.errors",
    "StuckError": "stepwell.local.errors",
    "Throw": "stepwell.local.answers",
    "Waiting": "stepwell.local.waiting",
    "Workflow": "stepwell.local.workflow",
    "load": "stepwell.local.workflow",
    "load_mock_file": "stepwell.local.mockfile",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
