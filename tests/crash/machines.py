"""Random state machines, the same again for the same seed: everything the language has, and a world that answers tasks.

What a task answers depends on its state and on how often it was *scheduled* there (its attempt), never on how often it was
called, so that a repeated call of the same task gets the same answer.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

CALL = "arn:aws:states:::sqs:sendMessage"
CALLBACK = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
ACTIVITY = "arn:aws:states:us-east-1:000000000000:activity:crash"
Block = dict[str, Any]


@dataclass
class Plan:
    """A machine and how many times each of its tasks fails before it succeeds."""

    definition: Block
    failures: dict[str, int] = field(default_factory=dict)


def plan(seed: int) -> Plan:
    """The plan of a seed."""
    return _Builder(seed).plan()


class _Builder:
    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"machine {seed}")
        self._names = 0
        self._failures: dict[str, int] = {}

    def plan(self) -> Plan:
        return Plan(self._block(depth=0, length=self._random.randint(3, 6)), self._failures)

    def _block(self, depth: int, length: int) -> Block:
        names = [self._name() for _ in range(length)]
        states: Block = {}
        for at, name in enumerate(names):
            way_on: Block = {"Next": names[at + 1]} if at + 1 < length else {"End": True}
            states[name] = self._state(name, way_on, depth)
        return {"StartAt": names[0], "States": states}

    def _name(self) -> str:
        self._names += 1
        return f"S{self._names}"

    def _state(self, name: str, way_on: Block, depth: int) -> Block:
        kinds = ["pass", "wait", "task", "task", "callback", "activity"]
        if depth < 2:
            kinds += ["parallel", "map"]
        make = getattr(self, f"_{self._random.choice(kinds)}")
        state: Block = make(name, depth)
        return {**state, **way_on}

    def _pass(self, name: str, _depth: int) -> Block:
        return {"Type": "Pass", "Result": {"by": name}, "ResultPath": "$.seen"}

    def _wait(self, _name: str, _depth: int) -> Block:
        return {"Type": "Wait", "Seconds": self._random.randint(1, 100)}

    def _task(self, name: str, depth: int) -> Block:
        # Only at the top may a task fail for good: inside a fork that would abort its siblings wherever they then are.
        self._failures[name] = self._random.choice([0, 0, 0, 1, 2, 3] if depth else [0, 0, 0, 1, 2, 3, 5])
        return {"Type": "Task", "Resource": CALL, "Parameters": {"QueueUrl": "q", "MessageBody": name}, **self._care()}

    def _callback(self, name: str, _depth: int) -> Block:
        self._failures[name] = self._random.choice([0, 0, 1])
        body = {"token.$": "$$.Task.Token", "state": name}
        return {
            "Type": "Task",
            "Resource": CALLBACK,
            "Parameters": {"QueueUrl": "q", "MessageBody": body},
            **self._care(),
        }

    def _activity(self, name: str, _depth: int) -> Block:
        self._failures[name] = self._random.choice([0, 0, 1])
        return {
            "Type": "Task",
            "Resource": ACTIVITY,
            "Parameters": {"state": name},
            "TimeoutSeconds": 9000,
            **self._care(),
        }

    def _care(self) -> Block:
        """Three retries; a task that fails more often ends the execution."""
        retry = [{"ErrorEquals": ["Busy"], "IntervalSeconds": 2, "MaxAttempts": 3, "BackoffRate": 2.0}]
        return {"ResultPath": "$.result", "Retry": retry}

    def _parallel(self, _name: str, depth: int) -> Block:
        branches = [self._block(depth + 1, self._random.randint(1, 2)) for _ in range(self._random.randint(1, 3))]
        return {"Type": "Parallel", "Branches": branches, "ResultPath": "$.parallel"}

    def _map(self, _name: str, depth: int) -> Block:
        return {
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemSelector": {"items.$": "$.items", "n.$": "$$.Map.Item.Value"},
            "MaxConcurrency": self._random.choice([0, 1, 2]),
            "ItemProcessor": self._block(depth + 1, self._random.randint(1, 2)),
            "ResultPath": "$.map",
        }
