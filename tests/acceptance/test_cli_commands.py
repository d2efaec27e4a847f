"""Every command as a process of its own: what it prints, and what its exit code says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from servers import LiveServer
from stepwell.cli.main import COMMANDS

ROLE = "arn:aws:iam::000000000000:role/r"
PASS = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Parameters": {"got.$": "$.n"}, "End": True}}}
WAIT = {
    "StartAt": "W",
    "States": {"W": {"Type": "Wait", "Seconds": 86400, "Next": "A"}, "A": {"Type": "Pass", "End": True}},
}
FAIL = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "Oh", "Cause": "no"}}}
TASK = {
    "StartAt": "T",
    "States": {
        "T": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage",
            "Parameters": {"QueueUrl": "http://queue", "MessageBody": "hello"},
            "End": True,
        }
    },
}
BROKEN = {"StartAt": "Nowhere", "States": {"A": {"Type": "Pass", "Next": "B"}}}


class Shell:
    """Runs ``stepwell`` in a directory of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def file(self, name: str, value: Any) -> str:
        (self.directory / name).write_text(value if isinstance(value, str) else json.dumps(value))
        return name

    def __call__(self, *arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "STEPWELL_"))}
        return subprocess.run(
            [sys.executable, "-m", "stepwell", *arguments],
            cwd=self.directory,
            env=clean | environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def json(self, *arguments: str, code: int = 0, at: str = "", **environment: str) -> Any:
        done = self(*arguments, "--json", **environment | ({"AWS_ENDPOINT_URL": at} if at else {}))
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


# ----------------------------------------------------------------------------------------------- the command line


def test_help_names_every_command(shell: Shell) -> None:
    text = shell("--help").stdout
    assert all(f"  {name} " in text for name in COMMANDS)
    assert all(shell(name, "--help").returncode == 0 for name in COMMANDS)


def test_a_wrong_command_line_is_told_and_exits_with_2(shell: Shell) -> None:
    for arguments in (["nothing"], ["validate"], ["up", "--nothing"], ["graph"]):
        done = shell(*arguments)
        assert done.returncode == 2, arguments
        assert "Usage" in done.stderr


def test_version(shell: Shell) -> None:
    assert shell("--version").stdout.startswith("stepwell 0.")


# ------------------------------------------------------------------------------------------------ validate, graph


def test_validate_tells_all_faults_of_all_files(shell: Shell) -> None:
    good, bad = shell.file("good.json", PASS), shell.file("bad.json", BROKEN)
    assert shell("validate", good).stdout == "good.json: ok\n"
    done = shell("validate", good, bad)
    assert done.returncode == 3
    assert "bad.json: /States/A/Next: ERROR MISSING_TRANSITION_TARGET" in done.stdout
    report = shell.json("validate", good, bad, code=3)
    assert [(r["file"], r["result"]) for r in report] == [("good.json", "OK"), ("bad.json", "FAIL")]
    assert {d["code"] for d in report[1]["diagnostics"]} >= {"MISSING_TRANSITION_TARGET"}


def test_validate_reads_yaml_and_standard_input(shell: Shell) -> None:
    yaml = "StartAt: A\nStates:\n  A:\n    Type: Succeed\n"
    assert shell("validate", "-", stdin=yaml).stdout == "-: ok\n"
    assert shell("validate", "-", stdin="{").returncode == 3


def test_a_missing_file_is_told(shell: Shell) -> None:
    done = shell("validate", "nowhere.json")
    assert (done.returncode, done.stdout) == (3, "")
    assert "nowhere.json cannot be read" in done.stderr


def test_graph_draws_mermaid_and_svg(shell: Shell) -> None:
    file = shell.file("w.json", WAIT)
    assert shell("graph", file).stdout.startswith("flowchart TD\n")
    assert shell("graph", "-", stdin=json.dumps(WAIT)).returncode == 0
    done = shell("graph", file, "--svg", "-o", "w.svg")
    assert done.returncode == 0, done.stderr
    assert (shell.directory / "w.svg").read_text().startswith("<svg ")
    assert shell.json("graph", file)["format"] == "mermaid"
    assert shell("graph", shell.file("x.json", {"States": []})).returncode == 3


# ---------------------------------------------------------------------------------------------------------- run


def test_run_prints_the_output_alone_and_the_progress_beside_it(shell: Shell) -> None:
    done = shell("run", shell.file("p.json", PASS), "--input", "-", stdin='{"n": 5}')
    assert (done.returncode, done.stdout) == (0, '{"got":5}\n')
    assert "PassStateEntered" in done.stderr
    assert "SUCCEEDED after" in done.stderr
    assert "\x1b" not in done.stderr


def test_run_exits_by_outcome(shell: Shell) -> None:
    done = shell("run", shell.file("f.json", FAIL))
    assert (done.returncode, done.stdout) == (1, "")
    assert "FAILED after 0 s: Oh: no" in done.stderr
    timed = {**WAIT, "TimeoutSeconds": 60}
    assert shell("run", shell.file("t.json", timed), "--skip-waits").returncode == 7


def test_run_skips_waits(shell: Shell) -> None:
    result = shell.json("run", shell.file("w.json", WAIT), "--skip-waits")
    assert (result["status"], result["seconds"], result["visited"]) == ("SUCCEEDED", 86400, ["W", "A"])


def test_run_takes_mocks_in_the_format_of_step_functions_local(shell: Shell) -> None:
    mocks = {
        "StateMachines": {"t": {"TestCases": {"Good": {"T": "Sent"}, "Bad": {"T": "Lost"}}}},
        "MockedResponses": {
            "Sent": {"0": {"Return": {"MessageId": "m"}}},
            "Lost": {"0": {"Throw": {"Error": "SQS.Lost", "Cause": "gone"}}},
        },
    }
    file, mock = shell.file("t.json", TASK), shell.file("mocks.json", mocks)
    assert shell("run", file, "--mock", mock, "--test-case", "Good").stdout == '{"MessageId":"m"}\n'
    assert shell.json("run", file, "--mock", mock, "--test-case", "t/Bad", code=1)["error"] == "SQS.Lost"
    assert shell("run", file, "--mock", mock, "--test-case", "None").returncode == 3


def test_run_names_the_setting_for_a_service_that_is_nowhere(shell: Shell) -> None:
    done = shell("run", shell.file("t.json", TASK), "-q")
    assert done.returncode == 1
    assert "STEPWELL_ENDPOINT_SQS" in json.dumps(shell.json("run", "t.json", code=1))


def test_run_refuses_bad_input_and_definitions(shell: Shell) -> None:
    file = shell.file("p.json", PASS)
    assert shell("run", file, "--input", shell.file("i.json", "{")).returncode == 3
    done = shell("run", shell.file("b.json", BROKEN))
    assert done.returncode == 3
    assert "MISSING_TRANSITION_TARGET" in done.stderr


# ---------------------------------------------------------------------------------------------------------- env


def test_env_prints_exports_for_the_server(shell: Shell) -> None:
    text = shell("env", "--port", "4999", STEPWELL_REGION="eu-west-1").stdout
    assert "export AWS_ENDPOINT_URL=http://127.0.0.1:4999\n" in text
    assert "export AWS_DISABLE_HOST_PREFIX_INJECTION=true\n" in text
    assert "export AWS_REGION=eu-west-1\n" in text
    assert "export AWS_ACCESS_KEY_ID=000000000000\n" in text
    checked = subprocess.run(["sh", "-eu", "-c", text], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_env_never_prints_secrets(shell: Shell) -> None:
    secrets = {
        "STEPWELL_ACCESS": "keys",
        "STEPWELL_ACCESS_KEYS": "AKID:hunter2",
        "STEPWELL_STORE": "postgresql://u:pw@h/d",
    }
    for arguments in (["env"], ["env", "--settings"], ["env", "--settings", "--json"]):
        done = shell(*arguments, **secrets)
        assert done.returncode == 0
        assert "hunter2" not in done.stdout
        assert ":pw@" not in done.stdout


def test_env_settings_tells_where_each_value_comes_from(shell: Shell) -> None:
    shell.file("stepwell.toml", 'region = "eu-west-1"\n')
    rows = {r["name"]: r for r in shell.json("env", "--settings", "--port", "5000", STEPWELL_LOG_LEVEL="debug")}
    assert (rows["port"]["value"], rows["port"]["source"]) == ("5000", "--port")
    assert rows["log-level"]["source"] == "STEPWELL_LOG_LEVEL"
    assert rows["region"]["source"].endswith("stepwell.toml")
    assert rows["host"]["source"] == "default"


# --------------------------------------------------------------------------------------------------- executions


@pytest.fixture
def machines(server: LiveServer) -> dict[str, str]:
    """Machines of names no other test uses; their ARNs by role in the tests."""
    states, stamp = server.client(), time.monotonic_ns()
    definitions = {"pass": PASS, "wait": WAIT, "fail": FAIL}
    return {
        name: states.create_state_machine(name=f"cli-{name}-{stamp}", definition=json.dumps(definition), roleArn=ROLE)[
            "stateMachineArn"
        ]
        for name, definition in definitions.items()
    }


def ended(server: LiveServer, arn: str) -> None:
    deadline = time.monotonic() + 30
    while server.client().describe_execution(executionArn=arn)["status"] == "RUNNING":
        assert time.monotonic() < deadline


def test_executions_are_listed_shown_and_stopped(shell: Shell, server: LiveServer, machines: dict[str, str]) -> None:
    states, at = server.client(), {"AWS_ENDPOINT_URL": server.url}
    name = machines["wait"].rpartition(":")[2]
    failed = states.start_execution(stateMachineArn=machines["fail"], name="one")["executionArn"]
    waiting = states.start_execution(stateMachineArn=machines["wait"], name="two", input='{"a": [1]}')["executionArn"]
    ended(server, failed)
    listed = shell.json("executions", "ls", "--machine", name, at=server.url)
    assert [(e["executionArn"], e["status"]) for e in listed] == [(waiting, "RUNNING")]
    everything = shell("executions", "ls", "--limit", "1000", "--endpoint-url", server.url).stdout
    assert f"{name}/two" in everything
    assert shell.json("executions", "ls", "--machine", machines["wait"], "--status", "failed", at=server.url) == []
    assert shell("executions", "ls", "--parked", **at).stdout == "no parked executions\n"

    shown = shell("executions", "show", f"{name}/two", **at).stdout
    assert "RUNNING" in shown
    assert '"a"' in shown
    assert shell.json("executions", "show", failed, at=server.url)["error"] == "Oh"
    history = shell("executions", "history", f"{name}/two", **at).stdout.splitlines()
    assert [line.split()[2] for line in history] == ["ExecutionStarted", "WaitStateEntered"]
    assert [e["id"] for e in shell.json("executions", "history", waiting, "--reverse", at=server.url)] == [2, 1]

    stopped = shell.json("executions", "stop", f"{name}/two", "--error", "Mine", "--cause", "enough", at=server.url)
    assert stopped["executionArn"] == waiting
    after = states.describe_execution(executionArn=waiting)
    assert (after["status"], after["error"], after["cause"]) == ("ABORTED", "Mine", "enough")


def test_what_is_not_there_is_told_with_a_hint(shell: Shell, server: LiveServer) -> None:
    at = {"AWS_ENDPOINT_URL": server.url}
    for arguments in (["show", "nothing/x"], ["show", "arn:aws:states:us-east-1:000000000000:execution:m:x"]):
        done = shell("executions", *arguments, **at)
        assert done.returncode == 5, done.stderr
        assert "stepwell: " in done.stderr
    done = shell("executions", "show", "just-a-name", **at)
    assert done.returncode == 2
    error = json.loads(shell("executions", "show", "nothing/x", "--json", **at).stderr)["error"]
    assert error["code"] == "StateMachineDoesNotExist"


def test_no_server_is_told_with_what_to_do(shell: Shell) -> None:
    done = shell("executions", "ls", "--endpoint-url", "http://127.0.0.1:9")
    assert done.returncode == 4
    assert "stepwell up" in done.stderr


# ----------------------------------------------------------------------------------------------- backup, restore


def test_a_backup_of_a_running_server_can_be_restored_and_goes_on(shell: Shell, tmp_path: Path) -> None:
    live = LiveServer(tmp_path / "data").start()
    states = live.client()
    arn = states.create_state_machine(name="m", definition=json.dumps(WAIT), roleArn=ROLE)["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=arn)["executionArn"]
    assert shell.json("backup", "copy.db", "--data", "data")["bytes"] > 0
    refused = shell("restore", "copy.db", "--data", "data", "--replace")
    assert refused.returncode == 6
    states.stop_execution(executionArn=execution)
    live.stop()
    assert shell("restore", "copy.db", "--data", "data").returncode == 6
    assert shell("restore", "copy.db", "--data", "data", "--replace").returncode == 0
    live.start()
    assert live.client().describe_execution(executionArn=execution)["status"] == "RUNNING"
    live.stop()


def test_backup_refuses_what_it_cannot_do(shell: Shell) -> None:
    assert shell("backup", "copy.db", "--data", "nowhere").returncode == 6
    done = shell("backup", "copy.db", "--store", "postgresql://h/d")
    assert done.returncode == 6
    assert "pg_dump" in done.stderr
    assert shell("restore", shell.file("no.db", "text"), "--data", "d").returncode == 6


# ---------------------------------------------------------------------------------------------------------- demo


def test_the_demo_ends_with_the_right_answer(shell: Shell) -> None:
    """Partner, SIGKILL and all."""
    result = shell.json("demo")
    assert result["right"] is True
    assert result["output"] == result["expected"]
    assert result["historyWhole"] is True
