"""Every command, option, setting and dependency is documented, and what is said of them is so."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import click
import pytest

from stepwell.cli.exits import Exit
from stepwell.cli.main import COMMANDS, group
from stepwell.kernel.settings import TABLE, Settings, shown, variable

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
TABLE_MARK, END_MARK = "<!-- table -->\n", "<!-- end -->"
REWRITE = "STEPWELL_WRITE_DOCS=1 scripts/test tests/test_docs.py writes it anew"


def settings_table() -> str:
    """The reference of all settings, from the table in the code."""
    defaults = Settings()
    lines = ["| setting | variable | default | |", "|---|---|---|---|"]
    for name, row in TABLE.items():
        default = shown(name, defaults) if name != "store" else ""
        flag = f"`{name}`" + (" (secret)" if row.metadata["secret"] else "")
        place = "`STEPWELL_ENDPOINT_<SERVICE>`" if name == "endpoints" else f"`{variable(name)}`"
        lines.append(f"| {flag} | {place} | {f'`{default}`' if default else ''} | {row.metadata['help']} |")
    return "\n".join(lines).replace("<SERVICE>", "*") + "\n"


def test_the_settings_reference_is_the_table_in_the_code() -> None:
    path = DOCS / "settings.md"
    text = path.read_text()
    before, _, rest = text.partition(TABLE_MARK)
    old, _, after = rest.partition(END_MARK)
    if os.environ.get("STEPWELL_WRITE_DOCS"):
        path.write_text(before + TABLE_MARK + settings_table() + END_MARK + after)
        return
    assert old == settings_table(), REWRITE


def commands() -> list[tuple[str, click.Command]]:
    context = click.Context(group)
    found: list[tuple[str, click.Command]] = []
    for name in COMMANDS:
        command = group.get_command(context, name)
        assert command is not None
        found.append((name, command))
        if isinstance(command, click.Group):
            found += [(f"{name} {inner}", command.commands[inner]) for inner in sorted(command.commands)]
    return found


def section(name: str) -> str:
    """What docs/cli.md says of a command, up to the next one."""
    heading = f"\n## stepwell {name.split(maxsplit=1)[0]}\n"
    text = (DOCS / "cli.md").read_text()
    assert heading in text, f"docs/cli.md has no section for {name}"
    return text.split(heading, 1)[1].split("\n## ", 1)[0]


@pytest.mark.parametrize(("name", "command"), commands(), ids=[name for name, _ in commands()])
def test_every_command_and_option_is_documented(name: str, command: click.Command) -> None:
    text = section(name)
    assert f"stepwell {name}" in text or " " not in name
    settings = {f"--{setting}" for setting in TABLE} | {"--endpoint", "--config", "--json"}
    if " " in name:
        settings.add("--endpoint-url")  # said once for all
    options = [o for p in command.params if isinstance(p, click.Option) for o in p.opts if o.startswith("--")]
    missing = [option for option in options if option not in settings and option not in text]
    assert not missing
    assert "--json" in options or isinstance(command, click.Group)


def test_every_exit_code_is_documented() -> None:
    text = (DOCS / "cli.md").read_text()
    assert all(f"\n| {int(code)} |" in text for code in Exit)


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [d for name, needs in project["optional-dependencies"].items() if name != "dev" for d in needs]
    text = (DOCS / "dependencies.md").read_text()
    names = [re.split(r"[<>=;\[ ]", need, maxsplit=1)[0] for need in [*project["dependencies"], *extras]]
    assert [name for name in names if f"| {name} |" not in text] == []


def test_metrics_in_the_code_are_in_the_docs() -> None:
    text = (DOCS / "operations.md").read_text()
    code = "".join(p.read_text() for p in (ROOT / "src/stepwell/server").glob("*.py"))
    names = set(re.findall(r'"(stepwell_[a-z_]+)"', code))
    assert names
    assert [name for name in sorted(names) if f"`{name}" not in text] == []


@pytest.mark.parametrize("path", sorted(DOCS.glob("*.md")), ids=lambda p: p.name)
def test_links_between_the_docs_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\((?!https?://)([^)#]+)", path.read_text())
    assert [target for target in targets if not (path.parent / target).exists()] == []
