"""Every command, option, setting and dependency is documented, what is said of them is so, and links lead somewhere."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import click
import pytest

from feature_table import feature_page
from stepwell.cli.exits import Exit
from stepwell.cli.main import COMMANDS, group
from stepwell.kernel.settings import TABLE, Settings, shown, variable

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
TABLE_MARK, END_MARK = "<!-- table -->\n", "<!-- end -->"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.glob("*.md"))]
REWRITE = "scripts/docs writes it anew"


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


def test_the_feature_page_is_what_the_registries_hold() -> None:
    path = DOCS / "features.md"
    if os.environ.get("STEPWELL_WRITE_DOCS"):
        path.write_text(feature_page())
        return
    assert path.read_text() == feature_page(), REWRITE


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


def test_every_dependency_has_its_reason_and_nothing_else_has_one() -> None:
    """The tables of docs/dependencies.md are those of pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = {("", name) for name in map(bare, project["dependencies"])}
    needed |= {(extra, bare(need)) for extra, needs in project["optional-dependencies"].items() for need in needs}
    rows = re.findall(r"^\| (?:`(\w+)` \| )?([\w, -]+) \| .+ \|$", (DOCS / "dependencies.md").read_text(), re.MULTILINE)
    told = {(extra, name) for extra, names in rows if names not in {"package", "extra"} for name in names.split(", ")}
    assert told == needed


def bare(requirement: str) -> str:
    """The name alone of ``moto[server]>=5``."""
    return re.split(r"[<>=;\[ ]", requirement, maxsplit=1)[0]


def test_metrics_in_the_code_are_in_the_docs() -> None:
    text = (DOCS / "operations.md").read_text()
    code = "".join(p.read_text() for p in (ROOT / "src/stepwell/server").glob("*.py"))
    names = set(re.findall(r'"(stepwell_[a-z_]+)"', code))
    assert names
    assert [name for name in sorted(names) if f"`{name}" not in text] == []


def prose(path: Path) -> str:
    """A page without its code blocks."""
    return re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)


def anchors(path: Path) -> set[str]:
    """The fragments that headings of a page make, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.name)
def test_links_between_the_docs_lead_somewhere(path: Path) -> None:
    wrong = []
    for target, fragment in re.findall(r"\]\((?!https?://)([^)#]*)(?:#([^)]+))?\)", prose(path)):
        there = path.parent / target if target else path
        if not there.exists() or (fragment and fragment not in anchors(there)):
            wrong.append(f"{target}#{fragment}")
    assert wrong == []


def test_every_page_is_on_the_map() -> None:
    text = (DOCS / "index.md").read_text()
    assert [page.name for page in DOCS.glob("*.md") if page.name != "index.md" and f"({page.name})" not in text] == []


def test_files_that_the_architecture_names_exist() -> None:
    text = prose(DOCS / "architecture.md")
    package, named = ROOT / "src/stepwell", set(re.findall(r"`([a-z_]+/[\w/.]*)`", text))
    assert len(named) > 20
    assert [name for name in sorted(named) if not (package / name).exists() and not (ROOT / name).exists()] == []
