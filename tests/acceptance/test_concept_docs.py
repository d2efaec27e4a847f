"""The pages about ideas say what is so: their code runs, with the files they show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("query-languages.md", "history.md", "error-handling.md")
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_the_code_of_a_page_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))
    for _, name, text in blocks:
        if name:
            (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    code = [text for language, name, text in blocks if language == "python" and not name]
    assert code
    names: dict[str, object] = {"__name__": page}
    for number, text in enumerate(code, 1):
        exec(compile(text, f"docs/{page}, block {number}", "exec"), names)
