"""Step Functions itself: the API over the engine. ``service.StepFunctions`` is its door.

::

    service      operation names to methods
    machines     state machines            definitions  ValidateStateMachineDefinition
    starting     StartExecution, StartSyncExecution
    executions   describe, list, stop      history      GetExecutionHistory
    activities   activities and their polls             callbacks   task tokens
    tags         tags of machines and activities
    ------------
    records      what is stored            naming       names and ARNs
    validation   parameters                faults       errors in AWS's words
    paging       nextToken                 watching     waiting for an execution's end
    acknowledged asynchronous Express executions, kept until they end
"""

from __future__ import annotations

from stepwell.services.stepfunctions.acknowledged import AcknowledgedExpress
from stepwell.services.stepfunctions.service import StepFunctions
from stepwell.services.stepfunctions.watching import Watcher

__all__ = ["AcknowledgedExpress", "StepFunctions", "Watcher"]
