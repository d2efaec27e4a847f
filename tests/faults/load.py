"""Several clients at work on one or more servers, writing down what was acknowledged; and the check that all of it is true.

::

    starters      StartExecution under names of their own
    workers       GetActivityTask, SendTaskSuccess
    answerers     SendTaskSuccess for tokens that came through the partner's queue
    stoppers      StartExecution and StopExecution of executions that wait

A client that gets no answer, or a 5xx one, asks again, as an SDK does. An answer in the end is an acknowledgement: what it
says must be so, whatever was killed meanwhile.
"""

from __future__ import annotations

import itertools
import json
import queue
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from faults.asking import WAIT, code_of, ended, history, insist, make, wait_for
from faults.partner import Partner, Token
from servers import LiveServer

NOTHING_LEFT_SECONDS = 0.05
RETRY = [{"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 1, "BackoffRate": 1.0, "MaxAttempts": 20}]
OUTCOMES = {"TaskSucceeded", "ActivitySucceeded"}


def definition(partner: Partner, connection: str, activity: str) -> dict[str, Any]:
    """An effect, then a worker's task beside a callback, then the end.

    When the answer of a poll is lost the worker's task misses its heartbeat, and is tried again.
    """
    work = {"Type": "Task", "Resource": activity, "HeartbeatSeconds": 3, "Retry": RETRY, "End": True}
    callback = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {
            "QueueUrl": "https://sqs/q",
            "MessageBody": {"execution.$": "$$.Execution.Name", "token.$": "$$.Task.Token"},
        },
        "End": True,
    }
    branches = [{"StartAt": name, "States": {name: state}} for name, state in (("Work", work), ("Ask", callback))]
    return {
        "StartAt": "Effect",
        "States": {
            "Effect": {**effect(partner, connection), "Next": "Both"},
            "Both": {"Type": "Parallel", "Branches": branches, "ResultPath": "$.both", "Next": "Last"},
            "Last": {"Type": "Pass", "End": True},
        },
    }


def connect(server: LiveServer) -> str:
    """The ARN of a connection for HTTP tasks."""
    made = server.client("events").create_connection(
        Name="partner",
        AuthorizationType="API_KEY",
        AuthParameters={"ApiKeyAuthParameters": {"ApiKeyName": "x-key", "ApiKeyValue": "k"}},
    )
    return str(made["ConnectionArn"])


def effect(partner: Partner, connection: str) -> dict[str, Any]:
    """A state that has the partner do something, once for each execution."""
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::http:invoke",
        "Parameters": {
            "ApiEndpoint": f"{partner.url}/effect",
            "Method": "POST",
            "InvocationConfig": {"ConnectionArn": connection},
            "RequestBody": {"execution.$": "$$.Execution.Name"},
        },
        "ResultSelector": {"did.$": "$.ResponseBody.did"},
        "ResultPath": "$.effect",
    }


class Load:
    """``begin``, disturb what you like while ``progress`` grows, then ``check``; ``end`` in any case."""

    def __init__(self, servers: list[LiveServer], partner: Partner, executions: int) -> None:
        self._partner = partner
        self._size = executions
        self._lock = threading.Lock()
        self.ask(servers)
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._faults: list[BaseException] = []
        self.progress = 0
        self.started: dict[str, str] = {}  # name -> ARN
        self.waiting: dict[str, str] = {}
        self.stopped: dict[str, Any] = {}  # ARN -> stopDate
        self.answered: dict[str, dict[str, str]] = {
            "Work": {},
            "Ask": {},
        }  # state -> execution -> what was acknowledged
        connection = connect(servers[0])
        self._activity = self._client.create_activity(name="work")["activityArn"]
        self._machine = make(self._client, "load", definition(partner, connection, self._activity))
        self._forever = make(self._client, "forever", WAIT)

    def ask(self, servers: list[LiveServer]) -> None:
        """Ask these in turn from now on."""
        options = {"max_pool_connections": 20, "connect_timeout": 5}
        self._clients = itertools.cycle([server.client(config=options) for server in servers])

    @property
    def _client(self) -> Any:
        with self._lock:
            return next(self._clients)

    # ------------------------------------------------------------------ the clients
    def begin(self) -> None:
        names: queue.SimpleQueue[str] = queue.SimpleQueue()
        for n in range(self._size):
            names.put(f"e{n}")
        jobs: list[Callable[[], None]] = [lambda: self._start(names)] * 3 + [self._work] * 2 + [self._answer] * 2
        for job in [*jobs, self._stop]:
            thread = threading.Thread(target=self._guarded, args=(job,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def end(self) -> None:
        """Tell the clients to stop; those who poll notice when their server stops."""
        self._over.set()

    def _guarded(self, job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as fault:
            if not self._over.is_set():
                self._faults.append(fault)

    def _acknowledge(self, book: dict[str, Any], name: str, what: Any) -> None:
        with self._lock:
            assert book.setdefault(name, what) == what, f"{name} was acknowledged twice: {book[name]} and {what}"
            self.progress += 1

    def _start(self, names: queue.SimpleQueue[str]) -> None:
        while not names.empty():
            try:
                name = names.get_nowait()
            except queue.Empty:
                return
            arn = self._started(self._machine, name)
            self._acknowledge(self.started, name, arn)

    def _started(self, machine: str, name: str) -> str:
        doubts: list[Exception] = []
        text = json.dumps({"n": name})
        try:
            answer = insist(
                lambda: self._client.start_execution(stateMachineArn=machine, name=name, input=text), doubts.append
            )
        except ClientError as error:
            if not doubts or code_of(error) != "ExecutionAlreadyExists":
                raise
            return machine.replace(":stateMachine:", ":execution:") + f":{name}"
        return str(answer["executionArn"])

    def _work(self) -> None:
        while not self._over.is_set():
            poll = lambda: self._client.get_activity_task(activityArn=self._activity, workerName="w")  # noqa: E731
            task = insist(poll, lambda error: None)
            if task.get("taskToken"):
                self._succeed("Work", Token(json.loads(task["input"])["n"], task["taskToken"]))

    def _answer(self) -> None:
        while not self._over.is_set():
            try:
                token = self._partner.tokens.get(timeout=NOTHING_LEFT_SECONDS)
            except queue.Empty:
                continue
            self._succeed("Ask", token)

    def _succeed(self, state: str, token: Token) -> None:
        """A token may come twice, or be answered too late; then the answer says so and nothing is promised."""
        output = uuid.uuid4().hex
        try:
            insist(lambda: self._client.send_task_success(taskToken=token.text, output=json.dumps(output)))
        except ClientError as error:
            if code_of(error) != "TaskTimedOut":
                raise
        else:
            self._acknowledge(self.answered[state], token.execution, output)

    def _stop(self) -> None:
        for n in range(self._size // 4):
            arn = self._started(self._forever, f"f{n}")
            self._acknowledge(self.waiting, f"f{n}", arn)
            if n % 2 == 0:
                stop = lambda arn=arn: self._client.stop_execution(executionArn=arn, error="E")  # noqa: E731
                self._acknowledge(self.stopped, arn, insist(stop)["stopDate"])

    # ------------------------------------------------------------------ the check
    def reach(self, progress: int) -> None:
        """Wait until so much was acknowledged."""
        wait_for(lambda: self.progress, lambda done: done >= progress or self._faults)
        self._raise_faults()

    def _raise_faults(self) -> None:
        if self._faults:
            raise self._faults[0]

    def check(self) -> None:
        """Everything acknowledged is so, everything ends right, and every history is whole."""
        wait_for(lambda: len(self.started), lambda n: n == self._size or self._faults)
        self._raise_faults()
        ends = {name: ended(self._client, arn) for name, arn in self.started.items()}
        self._raise_faults()
        for name, end in ends.items():
            assert end["status"] == "SUCCEEDED", end
            output = json.loads(end["output"])
            assert output["effect"] == {"did": name}
            for state, found in zip(("Work", "Ask"), output["both"], strict=True):
                assert self.answered[state].get(name, found) == found, f"{name}: the acknowledged answer was lost"
            assert self._partner.effects[name] >= 1
            check_history(history(self._client, self.started[name]))
        for arn in self.waiting.values():
            shown = self._client.describe_execution(executionArn=arn)
            assert shown["status"] == ("ABORTED" if arn in self.stopped else "RUNNING"), shown
            assert shown.get("stopDate") == self.stopped.get(arn)
        listed = self._client.get_paginator("list_executions").paginate(stateMachineArn=self._machine)
        assert {each["name"] for page in listed for each in page["executions"]} == set(self.started)


def check_history(events: list[dict[str, Any]]) -> None:
    """Dense ids, predecessors that come before, and no transition twice."""
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    assert all(event["previousEventId"] < event["id"] for event in events)
    kinds = Counter(event["type"] for event in events)
    moves = Counter(
        (event["type"], details["name"])
        for event in events
        for member in ("stateEnteredEventDetails", "stateExitedEventDetails")
        if (details := event.get(member))
    )
    assert max(moves.values()) == 1, moves
    assert len(moves) == 10, moves
    assert kinds["ExecutionStarted"] == kinds["ExecutionSucceeded"] == 1
    assert kinds["TaskScheduled"] == kinds["TaskSucceeded"] == 2
    assert kinds["TaskSubmitted"] == kinds["ActivitySucceeded"] == 1
    assert kinds["ActivityScheduled"] == kinds["ActivityTimedOut"] + 1
    assert events[-1]["type"] == "ExecutionSucceeded"
