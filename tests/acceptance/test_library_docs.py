"""The pages about the library say what is so: their code runs, and so do the tests they show."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import stepwell

DOCS = Path(__file__).parents[2] / "docs"
PLUGIN = "stepwell.local.pytest_plugin"
# A block's info string is its language and, for a file, the file's name.
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: str) -> list[tuple[str, str, str]]:
    return BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))


def write_files(page: str, folder: Path) -> None:
    for _, name, text in blocks(page):
        if name:
            (folder / name).write_text(text, encoding="utf-8")


def run_pytest(folder: Path) -> str:
    """pytest as a user runs it; the plugin comes by its entry point, or is named where that is not installed yet."""
    installed = any(point.value == PLUGIN for point in entry_points(group="pytest11"))
    plugin = [] if installed else ["-p", PLUGIN]
    command = [sys.executable, "-m", "pytest", "-q", *plugin, "-p", "no:cacheprovider", "--rootdir", str(folder), "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_the_code_of_the_library_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files("library.md", tmp_path)
    monkeypatch.chdir(tmp_path)
    code = [text for language, name, text in blocks("library.md") if language == "python" and not name]
    assert len(code) >= 5
    names: dict[str, object] = {"__name__": "library_page"}
    for number, text in enumerate(code, 1):
        exec(compile(text, f"docs/library.md, block {number}", "exec"), names)


def test_the_tests_of_the_testing_page_pass(tmp_path: Path) -> None:
    """The fixture finds files beside the test, wherever pytest was started."""
    folder = tmp_path / "tests"
    folder.mkdir()
    write_files("testing-workflows.md", folder)
    assert "6 passed" in run_pytest(tmp_path)


def test_a_failed_expectation_reads_well_under_pytest(tmp_path: Path) -> None:
    write_files("testing-workflows.md", tmp_path)
    (tmp_path / "test_reminders.py").write_text(
        "import stepwell\n"
        "def test_it(load_workflow):\n"
        "    workflow = load_workflow('reminders.asl.yaml', type='EXPRESS', name='other')\n"
        "    assert (workflow.type, workflow.name) == ('EXPRESS', 'other')\n"
        "    text = load_workflow(workflow.definition)\n"
        "    text.run({'to': 'ada'}, mocks={'Send': stepwell.Throw('Full')}).expect_succeeded()\n"
    )
    report = run_pytest(tmp_path)
    assert "AssertionError: the run is FAILED, expected SUCCEEDED; Full" in report
    assert "'Send' Full" in report


def test_every_name_of_the_package_is_on_the_page() -> None:
    page = (DOCS / "library.md").read_text(encoding="utf-8")
    plain = set(stepwell.__all__) - {"__version__", "Run", "LiveRun", "Workflow", "Waiting", "MockFile"}
    missing = sorted(name for name in plain - {"Diagnostic", "StepwellError"} if f"stepwell.{name}" not in page)
    assert not missing
