"""The README and the pages with examples do what they say: their blocks run, in their order, against a server.

Blocks marked ``sh`` and ``python`` are run; ``shell`` marks commands for a person (servers, scripts, other machines). A
block whose info string has a second word is a file of that name.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from servers import LiveServer
from stepwell.asl.check import check
from stepwell.cli.commands.env import exports
from stepwell.cli.main import COMMANDS
from stepwell.kernel.settings import Settings

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ADDRESS = "http://127.0.0.1:4566"
PAGES = ("README.md", "docs/api.md", "docs/express-and-standard.md", "docs/integrations.md")
ALL_PAGES = sorted(str(path.relative_to(ROOT)) for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


def blocks(page: str) -> list[tuple[str, str, str]]:
    """Language, file name (or ""), text."""
    return BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH with this environment's ``stepwell`` and ``aws``. The latter's own script fails where a path has a blank."""
    folder = tmp_path_factory.mktemp("programs")
    for name, module in (("aws", "awscli"), ("stepwell", "stepwell")):
        (folder / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {module} "$@"\n')
        (folder / name).chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def environment(server: LiveServer, path: str) -> dict[str, str]:
    """What ``eval "$(stepwell env)"`` makes of a clean one."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "STEPWELL_"))}
    port = server.url.rpartition(":")[2]
    return clean | exports(Settings(), server.url) | {"STEPWELL_PORT": port, "PATH": path}


def steps(page: str, folder: Path, server: LiveServer) -> list[list[str]]:
    """Writes the page's files; the commands that run its blocks, those of Python in one process as one text."""
    commands: list[list[str]] = []
    python: list[str] = []
    for language, name, block in blocks(page):
        text = block.replace(ADDRESS, server.url)
        if name:
            (folder / name).write_text(text, encoding="utf-8")
        if language == "sh":
            commands.append(["bash", "-euc", text])
        elif language == "python" and name:
            commands.append([sys.executable, name])
        elif language == "python":
            python.append(text)
            if len(python) == 1:
                commands.append([sys.executable, "blocks.py"])
    (folder / "blocks.py").write_text("\n".join(python), encoding="utf-8")
    return commands


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_run(page: str, server: LiveServer, programs: str, tmp_path: Path) -> None:
    commands, variables = steps(page, tmp_path, server), environment(server, programs)
    assert commands
    printed = ""
    for command in commands:
        done = subprocess.run(
            command, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        printed += done.stdout
    if page == "README.md":
        assert 'SUCCEEDED {"text":"Hello, Ada!"}' in printed
        assert "hello/" in printed
        assert '"name": "hello"' in printed


@pytest.mark.parametrize("page", ALL_PAGES)
def test_commands_for_a_person_are_there(page: str) -> None:
    """Scripts exist and can be run, and stepwell has the commands."""
    text = "\n".join(block for language, _, block in blocks(page) if language in ("sh", "shell"))
    for script in re.findall(r"^(scripts/\w+)", text, re.MULTILINE):
        assert os.access(ROOT / script, os.X_OK), script
    for command in re.findall(r"(?:^|\(|&& )stepwell (\w+)", text, re.MULTILINE):
        assert command in COMMANDS


@pytest.mark.parametrize("page", ALL_PAGES)
def test_definitions_and_states_in_json_are_good(page: str) -> None:
    """What the checker says of every definition or lone state that a page shows."""
    for language, _, text in blocks(page):
        if language != "json":
            continue
        value = json.loads(text)
        if "Type" in value:
            value = {"StartAt": "State", "States": {"State": value}}
        if "States" in value:
            assert check(value) == []
