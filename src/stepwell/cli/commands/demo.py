"""``stepwell demo``: a workflow calls a partner's API page by page, its server is killed, and it finishes all the same.

Everything is real: the partner's API and the server are processes of their own, and what the demo knows of the workflow
it knows through the server's public API.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from stepwell.cli.client import Client
from stepwell.cli.exits import Exit
from stepwell.cli.narrator import Narrator
from stepwell.cli.output import CliError, Output, with_output
from stepwell.cli.processes import Process
from stepwell.kernel.settings import DATABASE_FILE

EXAMPLE = "partner-sync"
ROLE = "arn:aws:iam::000000000000:role/partner-sync"
KILL_PAGE = 3  # while this page's orders are being shipped
LOOK_SECONDS = 0.2
PATIENCE_SECONDS = 300.0


@click.command("demo")
@click.option("--data", metavar="DIR", help="Directory for the database, kept afterwards.  [default: a temporary one]")
@with_output
def command(data: str | None, out: Output) -> int:
    """Watch a workflow survive the death of its server.

    A bundled partner API hands out orders in pages, slowly, and fails now and then. A workflow reads them page by page,
    ships each order and adds up the sum. In the middle the server is killed with SIGKILL and started again. Exits with 0
    if the workflow ends with the right answer and every order was shipped once.
    """
    example = example_directory()
    with tempfile.TemporaryDirectory(prefix="stepwell-demo-") as temporary:
        demo = Demo(example, Path(data) if data else Path(temporary) / "data", Narrator(quiet=out.json))
        result = demo.run()
    out.result(result)
    return Exit.OK if result["right"] else Exit.FAILED


def example_directory() -> Path:
    """The example's files: in the installed package, or in a checkout. Raises CliError."""
    package = Path(__file__).parents[2]
    for place in (package / "_examples" / EXAMPLE, package.parents[1] / "examples" / EXAMPLE):
        if (place / "partner.py").is_file():
            return place
    raise CliError(
        f"the files of the example {EXAMPLE} are not there", hint="Install Stepwell anew, or run from a checkout."
    )


@dataclass(slots=True)
class Seen:
    """What the history has told so far."""

    last: int = 0
    pages: int = 0
    shipped: int = 0
    shipped_of_page: int = 0
    retries: int = 0
    ids: list[int] = field(default_factory=list)

    def take(self, event: dict[str, Any]) -> None:
        self.last = event["id"]
        self.ids.append(event["id"])
        kind = event["type"]
        details: dict[str, Any] = next((v for k, v in event.items() if k.endswith("EventDetails")), {})
        if kind == "MapStateEntered":
            self.pages, self.shipped_of_page = self.pages + 1, 0
        elif kind == "MapIterationSucceeded":
            self.shipped, self.shipped_of_page = self.shipped + 1, self.shipped_of_page + 1
        elif kind == "TaskFailed" and str(details.get("error", "")).startswith("States.Http"):
            self.retries += 1

    def __str__(self) -> str:
        return f"page {self.pages}: {self.shipped} orders shipped, {self.retries} answers asked for again"


class Demo:
    """Partner, server, workflow; ``run`` is the story."""

    def __init__(self, example: Path, data: Path, tell: Narrator) -> None:
        self._example = example
        self._data = data
        self._tell = tell
        self._seen = Seen()

    def run(self) -> dict[str, Any]:
        """The result: output and expected output, whether they are equal, and the partner's own count."""
        with self._partner() as partner, self._server() as server, self._tell:
            self._tell.say(f"partner's API at {partner.first_line}: slow, and every so often it fails")
            server.start()
            client = self._client(server)
            self._tell.say(f"server at {client.url}, process {server.pid}, database in {self._data}")
            arn = self._begin(client, partner.first_line)
            self._tell.say(f"started {arn}")
            self._watch(client, arn, until_page=KILL_PAGE)
            pid = server.pid
            client.close()
            server.kill()
            self._tell.alarm(f"killed the server (SIGKILL, process {pid}) at event {self._seen.last}: {self._seen}")
            server.start()
            client = self._client(server)
            self._tell.say(f"started it again, process {server.pid}; the workflow goes on")
            described = self._watch(client, arn)
            client.close()
            return self._judge(described, _get(partner.first_line + "/stats"))

    # ------------------------------------------------------------------------------------------------- the cast

    def _partner(self) -> Process:
        return Process("partner", [str(self._example / "partner.py")]).start()

    def _server(self) -> Process:
        # The demo's own settings must not come from the user's.
        plain = {"STEPWELL_ACCESS": "open", "STEPWELL_HOST": "127.0.0.1", "STEPWELL_ACCOUNT": "000000000000"}
        arguments = ["-m", "stepwell", "up", "--json", "--config", os.devnull, "--port", "0", "--data", str(self._data)]
        store = f"sqlite:{self._data / DATABASE_FILE}"
        return Process("server", [*arguments, "--store", store, "--log-level", "warning"], plain)

    @staticmethod
    def _client(server: Process) -> Client:
        url = json.loads(server.first_line)["url"]
        return Client(url, region="us-east-1", access_key="000000000000", secret="stepwell")  # noqa: S106 - open mode

    # ------------------------------------------------------------------------------------------------ the story

    def _begin(self, client: Client, partner: str) -> str:
        """Create connection and state machine, start the execution; returns its ARN."""
        stamp = str(time.time_ns())
        connection = {
            "Name": f"partner-{stamp}",
            "AuthorizationType": "API_KEY",
            "AuthParameters": {"ApiKeyAuthParameters": {"ApiKeyName": "X-Api-Key", "ApiKeyValue": "demo-key"}},
        }
        connected = client.call("CreateConnection", connection, service="events")
        definition = (self._example / "workflow.asl.json").read_text(encoding="utf-8")
        definition = definition.replace("${PartnerUrl}", partner).replace(
            "${ConnectionArn}", connected["ConnectionArn"]
        )
        machine = {"name": f"partner-sync-{stamp}", "definition": definition, "roleArn": ROLE}
        created = client.call("CreateStateMachine", machine)
        started = client.call("StartExecution", {"stateMachineArn": created["stateMachineArn"], "name": "demo"})
        return str(started["executionArn"])

    def _watch(self, client: Client, arn: str, until_page: int | None = None) -> dict[str, Any]:
        """Follow the history until the end, or until some orders of a page are shipped."""
        give_up = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < give_up:
            described = client.call("DescribeExecution", {"executionArn": arn})
            for event in self._new_events(client, arn):
                pages = self._seen.pages
                self._seen.take(event)
                if self._seen.pages != pages:
                    self._tell.say(str(self._seen))
            self._tell.now(str(self._seen))
            if described["status"] != "RUNNING":
                return described
            if self._seen.pages == until_page and self._seen.shipped_of_page:
                return described
            time.sleep(LOOK_SECONDS)
        raise CliError(f"the workflow has not ended after {PATIENCE_SECONDS:g} seconds: {self._seen}")

    def _new_events(self, client: Client, arn: str) -> list[dict[str, Any]]:
        """Events after the last one seen, oldest first."""
        found: list[dict[str, Any]] = []
        newest_first = {"executionArn": arn, "reverseOrder": True, "maxResults": 100}
        for event in client.pages("GetExecutionHistory", newest_first, "events"):
            if event["id"] <= self._seen.last:
                break
            found.append(event)
        return found[::-1]

    def _judge(self, described: dict[str, Any], stats: dict[str, Any]) -> dict[str, Any]:
        expected = stats.pop("expected")
        output = json.loads(described.get("output") or "null")
        whole = self._seen.ids == list(range(1, len(self._seen.ids) + 1))
        right = (
            described["status"] == "SUCCEEDED" and output == expected and stats["shipments"] == expected["shipments"]
        )
        result = {
            "right": right and whole,
            "status": described["status"],
            "output": output,
            "expected": expected,
            "events": len(self._seen.ids),
            "historyWhole": whole,
            "partner": stats,
        }
        self._tell.end(right and whole, _closing(result))
        return result


def _closing(result: dict[str, Any]) -> str:
    partner = result["partner"]
    if not result["right"]:
        return f"not the right end: {json.dumps(result)}"
    return (
        f"{result['status']}: {json.dumps(result['output'])}\n"
        f"That is the right answer. The history has {result['events']} events without a gap. The partner was asked "
        f"{partner['requests']} times, answered 503 {partner['busy']} times and 429 {partner['limited']} times;\n"
        f"each of {partner['shipments']} orders has one shipment ({partner['repeatedShipments']} asked for again under "
        "the same key after the kill)."
    )


def _get(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310 - our own partner process
        answer: dict[str, Any] = json.load(response)
        return answer
