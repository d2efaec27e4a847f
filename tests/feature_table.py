"""docs/features.md, made from the registries: what they hold is there, and what AWS has besides is not there yet.

``scripts/docs`` writes it; tests/test_docs.py fails when it is old.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from stepwell.asl.check import fields
from stepwell.asl.language.choice_rules import COMPARISONS, OPERATORS, TESTS
from stepwell.asl.resources import OPTIMISED, Integration
from stepwell.asl.states import STATE_TYPES
from stepwell.cli.main import COMMANDS
from stepwell.integrations.handlers import Refusal
from stepwell.integrations.optimised.registry import optimised_handlers
from stepwell.kernel.settings import TABLE
from stepwell.lang.intrinsics.registry import FUNCTIONS
from stepwell.lang.jsonata.library.registry import LIBRARY
from stepwell.lang.jsonpath.functions import FUNCTIONS as PATH_FUNCTIONS
from stepwell.services import sts
from stepwell.services.events.service import EventBridge
from stepwell.services.iam import service as iam
from stepwell.services.logs import service as logs
from stepwell.services.stepfunctions import StepFunctions
from stepwell.wire.models import SERVED, Models

NOBODY = cast(Any, None)  # services that are only asked what they serve need no storage
TITLES = {
    "stepfunctions": "Step Functions",
    "events": "EventBridge",
    "sts": "STS",
    "iam": "IAM",
    "logs": "CloudWatch Logs",
}
PATTERNS = ("request", "sync", "sync:2", "waitForTaskToken")
JOBS = {("states", "startExecution")}  # whose .sync waits; see IntegrationRunner

HEAD = """# Features

<!-- Made by scripts/docs from the tables in the code. -->

What this version has, as the tables in the code say it. What AWS has besides is listed as *not yet*: using it is refused with
an error that names it.
"""


def feature_page() -> str:
    """The whole page as Markdown."""
    parts = (_language(), _operations(), _integrations(), _commands_and_settings())
    return HEAD + "".join(f"\n{part.strip()}\n" for part in parts)


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _later() -> dict[str, str]:
    """Feature of a later release -> where a definition uses it."""
    uses: dict[str, list[str]] = {}
    for shapes in (fields.STATES.items(), {"Catch": fields.CATCHER}.items()):
        for owner, shape in shapes:
            for name, field in shape.fields.items():
                if field.feature:
                    uses.setdefault(field.feature, []).append(f"{owner}.{name}")
    uses.setdefault(fields.DISTRIBUTED_MAP, []).append("ProcessorConfig.Mode")
    return {feature: _code(sorted(places)) for feature, places in sorted(uses.items())}


def _language() -> str:
    rows = [
        f"| {kind} | {_code(_own_fields(kind, fields.JSONPATH))} | {_code(_own_fields(kind, fields.JSONATA))} |"
        for kind in STATE_TYPES
    ]
    later = [f"| {feature} | {places} |" for feature, places in _later().items()]
    by_type = [f"- {kind}: {_code(_operators(kind))}" for kind in ("String", "Numeric", "Timestamp", "Boolean")]
    return "\n".join(
        [
            f"## State types: {len(STATE_TYPES)}",
            "",
            "| type | fields in JSONPath | fields in JSONata |",
            "|---|---|---|",
            *rows,
            "",
            "### Not yet",
            "",
            "| feature | where a definition uses it |",
            "|---|---|",
            *later,
            "",
            f"## Comparison operators: {len(OPERATORS)}",
            "",
            *by_type,
            f"- tests of a value: {_code(TESTS)}",
            f"- rules over rules: {_code(('And', 'Or', 'Not'))}",
            "",
            f"## Intrinsic functions: {len(FUNCTIONS)}",
            "",
            _code(FUNCTIONS),
            "",
            f"## Functions of JSONPath: {len(PATH_FUNCTIONS)}",
            "",
            _code(f"{name}()" for name in PATH_FUNCTIONS),
            "",
            f"## Functions of JSONata: {len(LIBRARY)}",
            "",
            _code(f"${name}" for name in sorted(LIBRARY)),
        ]
    )


def _own_fields(kind: str, language: str) -> list[str]:
    """Fields in a query language that this version runs, without those that every state has."""
    everywhere = {"Type", "Comment", "QueryLanguage", "Next", "End"}
    shape = fields.STATES[kind]
    return [
        name
        for name, field in shape.fields.items()
        if name not in everywhere and field.language in (None, language) and not field.feature
    ]


def _operators(kind: str) -> list[str]:
    literal = [name for name in (*COMPARISONS, "StringMatches") if name.startswith(kind)]
    return sorted(name for name in OPERATORS if name in literal or name.removesuffix("Path") in literal)


def _operations() -> str:
    lines = ["## Operations"]
    models = Models()
    for row in SERVED:
        served = _served()[row.name]
        lines += ["", f"### {TITLES[row.name]}", "", f"{len(served)}: {_code(sorted(served))}"]
        if row.name == "stepfunctions":
            missing = sorted(set(models.service(row.name).operation_names) - served)
            lines += ["", f"Not yet: {_code(missing)}"]
    return "\n".join(lines)


def _served() -> dict[str, set[str]]:
    states = StepFunctions(
        documents=NOBODY,
        journal=NOBODY,
        worker=NOBODY,
        machines=NOBODY,
        express=NOBODY,
        tokens=NOBODY,
        keys=NOBODY,
        clock=NOBODY,
        ids=NOBODY,
    )
    connections: Any = type("Anything", (), {"__getattr__": lambda _self, _name: None})()
    events = EventBridge(connections)
    return {
        "stepfunctions": set(states.operations),
        "events": set(vars(events)["_operations"]),
        "iam": set(iam.OPERATIONS),
        "logs": set(logs.OPERATIONS),
        "sts": set(sts.OPERATIONS),
    }


def _integrations() -> str:
    handlers = optimised_handlers(NOBODY, NOBODY, None)
    rows, missing = [], []
    for key, row in sorted(OPTIMISED.items()):
        name = ":".join(key)
        if key != ("http", "invoke") and isinstance(handlers[key], Refusal):
            missing.append(name)
        else:
            works = [pattern for pattern in _patterns(row) if not pattern.startswith("sync") or key in JOBS]
            later = [f".{pattern}" for pattern in _patterns(row) if pattern not in works]
            suffixes = [f".{pattern}" for pattern in works if pattern != "request"]
            rows.append(f"| `{name}` | {_code(suffixes)} | {_code(later)} |")
    return "\n".join(
        [
            "## Integrations",
            "",
            "Where each service is, a setting says; see [integrations](integrations.md).",
            "",
            "- activities, and functions by their ARN",
            "- `aws-sdk:SERVICE:ACTION` and `.waitForTaskToken`: every operation of every service that botocore knows",
            f"- {len(rows)} optimised ones:",
            "",
            "| `arn:aws:states:::` | besides the plain call | not yet |",
            "|---|---|---|",
            *rows,
            "",
            f"Not yet: {_code(missing)}",
        ]
    )


def _patterns(row: Integration) -> list[str]:
    return [pattern for pattern in PATTERNS if pattern in row.patterns]


def _commands_and_settings() -> str:
    commands = [f"| [`stepwell {name}`](cli.md#stepwell-{name}) | {text} |" for name, text in COMMANDS.items()]
    return "\n".join(
        [
            f"## Commands: {len(COMMANDS)}",
            "",
            "| command | |",
            "|---|---|",
            *commands,
            "",
            f"## Settings: {len(TABLE)}",
            "",
            f"{_code(TABLE)}: see [settings](settings.md).",
        ]
    )
