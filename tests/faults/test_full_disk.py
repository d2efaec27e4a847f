"""A disk without room: nothing more is acknowledged, what was stays so, health says why, and it heals without a restart."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from botocore.exceptions import ClientError

from faults.asking import WAIT, code_of, ended, get, health, make, server_on, wait_for
from servers import LiveServer

BIG = '{"text": "' + "x" * 200_000 + '"}'
MANY = 200  # far more big inputs than there is room for


class Disk(Protocol):
    """A place for a database whose room can be taken away and given back."""

    folder: Path

    def fill(self, server: LiveServer) -> None: ...

    def free(self) -> None: ...


class LimitedFiles:
    """A limit on the size of the writer's files, at what they are now: writing beyond fails as on a full disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._limited: list[tuple[int, int]] = []

    def fill(self, server: LiveServer) -> None:
        writer = health(server)["writer"]
        hard = resource.prlimit(writer, resource.RLIMIT_FSIZE)[1]
        room = max(file.stat().st_size for file in self.folder.iterdir())
        resource.prlimit(writer, resource.RLIMIT_FSIZE, (room, hard))
        self._limited.append((writer, hard))

    def free(self) -> None:
        for writer, hard in self._limited:
            resource.prlimit(writer, resource.RLIMIT_FSIZE, (hard, hard))


class SmallDisk:
    """A file system of 8 MiB, and a file that takes all that is left of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self, server: LiveServer) -> None:
        with self._ballast.open("wb", buffering=0) as ballast:
            size = 1 << 20
            while size:
                try:
                    ballast.write(b"\0" * size)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    size //= 2

    def free(self) -> None:
        self._ballast.unlink()


def mounted(folder: Path) -> bool:
    """Whether a small file system could be put there: it takes root, and a kernel that lets it."""
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    return os.geteuid() == 0 and subprocess.run(command, check=False, capture_output=True).returncode == 0


@pytest.fixture(params=["limited files", "small disk"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    """Where no file system may be mounted the limit stands for both."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if request.param == "small disk" and mounted(folder):
        yield SmallDisk(folder)
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
    else:
        yield LimitedFiles(folder)


def refusal(call: Any) -> ClientError:
    with pytest.raises(ClientError) as caught:
        call()
    return caught.value


def start_many(client: Any, machine: str, acknowledged: list[str]) -> None:
    for n in range(MANY):
        started = client.start_execution(stateMachineArn=machine, name=f"e{n}", input=BIG)
        acknowledged.append(started["executionArn"])


def test_a_full_disk_stops_acknowledgements_and_heals_without_a_restart(disk: Disk, tmp_path: Path) -> None:
    server = server_on(f"sqlite:{disk.folder / 'stepwell.db'}", tmp_path).start()
    try:
        client, pid = server.client(), server.pid
        machine = make(client, "wait", WAIT)
        activity = client.create_activity(name="a")["activityArn"]
        work = make(
            client, "work", {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": activity, "End": True}}}
        )
        task = client.start_execution(stateMachineArn=work)["executionArn"]
        token = client.get_activity_task(activityArn=activity)["taskToken"]
        disk.fill(server)
        acknowledged: list[str] = []
        error = refusal(lambda: start_many(client, machine, acknowledged))
        assert code_of(error) == "ServiceUnavailable"
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 503
        status, report = get(server)
        assert status == 503
        assert "the database cannot be written to" in report
        wide = '"' + "y" * 200_000 + '"'
        for call in (
            lambda: client.send_task_success(taskToken=token, output=wide),
            lambda: client.start_execution(stateMachineArn=machine, name="no", input=BIG),
        ):
            assert code_of(refusal(call)) == "ServiceUnavailable"
        assert client.describe_execution(executionArn=task)["status"] == "RUNNING"  # reading goes on
        disk.free()
        wait_for(lambda: get(server)[0], lambda code: code == 200)
        client.send_task_success(taskToken=token, output=wide)
        assert ended(client, task)["output"] == wide
        client.start_execution(stateMachineArn=machine, name="no", input=BIG)
        pages = client.get_paginator("list_executions").paginate(stateMachineArn=machine)
        listed = {each["executionArn"] for page in pages for each in page["executions"]}
        assert listed == {*acknowledged, machine.replace("stateMachine", "execution") + ":no"}
        assert server.pid == pid
        server.kill()
        server.start()
        assert {client.describe_execution(executionArn=arn)["status"] for arn in listed} == {"RUNNING"}
    except BaseException:
        print("".join(server.log))
        raise
    finally:
        server.stop()
