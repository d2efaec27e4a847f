"""The rules as sentences: what each says, how grave it is, and where it was seen; ``Report`` collects what they found.

A source is a recorded case, a page, or "assumed". Pages that quote AWS's own answers:
floci = https://github.com/floci-io/floci/issues (numbers follow), preflight = https://github.com/badmintoncryer/cdk-preflight
(rules/stepfunctions, measured through CreateStateMachine and ValidateStateMachineDefinition), cfn-lint =
https://github.com/aws-cloudformation/cfn-lint/issues.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from stepwell.asl.diagnostics import Diagnostic, Severity

SCHEMA = "SCHEMA_VALIDATION_FAILED"
TARGET = "MISSING_TRANSITION_TARGET"
UNSUPPORTED_EXPRESSION = "UNSUPPORTED_JSONATA_EXPRESSION"


@dataclass(frozen=True, slots=True)
class Rule:
    """One sentence. ``message`` is a format string over the values given with a finding."""

    code: str
    message: str
    source: str
    severity: Severity = "ERROR"


RULES: dict[str, Rule] = {
    # the shape of objects
    "not-a-definition": Rule(
        SCHEMA, "Definition must be a valid JSON object", "recorded: not_a_definition[EMPTY_STRING]"
    ),
    "required": Rule(SCHEMA, "These fields are required: [{fields}]", "recorded: not_a_definition[EMPTY_DICT]"),
    "unknown-field": Rule(SCHEMA, "Field '{field}' is not supported", "floci 2735; preflight state-fields"),
    "type": Rule(SCHEMA, "Expected value of type [{type}]", "floci 2968"),
    "type-of-number": Rule(SCHEMA, "Expected value of type {type}", "preflight numeric-ranges"),
    "empty": Rule(
        SCHEMA, "Value cannot be empty", "recorded: test_parallel_state_empty_branches; preflight choice-rules"
    ),
    "minimum": Rule(SCHEMA, "Minimum value is {limit}", "preflight numeric-ranges; floci 3733"),
    "maximum": Rule(SCHEMA, "Maximum value is {limit}", "cfn-lint 4075; floci 3733"),
    "one-of": Rule(SCHEMA, "Value should be one of the following: [{options}]", "floci 2968; preflight retry-catch"),
    "only-one": Rule(
        SCHEMA, "There should only be one of the following fields: [{fields}]", "preflight path-exclusive"
    ),
    "exactly-one": Rule(
        SCHEMA,
        "This object should have only one of the following fields: [{fields}]",
        "preflight next-end, path-exclusive",
    ),
    "timestamp": Rule(SCHEMA, "String does not match RFC3339 timestamp", "preflight wait-timing"),
    # expressions
    "expression": Rule(
        SCHEMA,
        "JSONata string must start with {{% and end with %}}",
        "preflight query-language; transforming data page",
    ),
    "jsonata-syntax": Rule("INVALID_JSONATA_EXPRESSION", "{message}", "floci 2745; the parser's own words"),
    "jsonata-reference": Rule(UNSUPPORTED_EXPRESSION, "{message}", "floci 2670, 2745"),
    "states-field": Rule(
        UNSUPPORTED_EXPRESSION, "Field '$states.{field}' does not exist.", "floci 2745; transforming data page"
    ),
    # variables
    "variable-name": Rule(
        SCHEMA,
        "Variable name '{name}' must be a Unicode identifier of at most {limit} characters",
        "wording assumed; workflow variables page",
    ),
    "variable-reserved": Rule(SCHEMA, "Variable name '{name}' is reserved", "wording assumed; workflow variables page"),
    "variable-scope": Rule(
        "DUPLICATE_VARIABLE_NAME",
        "The variable name '{name}' was already defined in a parent scope.",
        "workflow variables page; code and wording as another implementation has them, not seen from AWS",
    ),
    # query languages
    "downgrade": Rule(
        SCHEMA,
        "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine",
        "recorded: type_standard[INVALID_DOWNGRADE_QUERY_LANGUAGE]",
    ),
    "wrong-language": Rule(
        SCHEMA,
        "The QueryLanguage is set to '{language}', but field '{field}' is only supported for the '{other}' "
        "QueryLanguage",
        "floci 2968",
    ),
    # states and their names
    "state-type": Rule(
        SCHEMA,
        "The field 'Type' should have one of these values: [{options}]",
        "quoted publicly from AWS, place assumed",
    ),
    "state-name": Rule(
        "INVALID_STATE_NAME",
        "Invalid State name: State '{name}' exceeds the {limit}-character limit allowed by the service",
        "https://github.com/ChristopheBougere/asl-validator/issues/69",
    ),
    "duplicate-name": Rule(
        "DUPLICATE_STATE_NAME", "Duplicate State name: {name}", "cfn-lint 3616; preflight duplicate"
    ),
    "too-deep": Rule("TOO_DEEPLY_NESTED", "The states are too deeply nested", "API reference; the limit is assumed"),
    # transitions
    "missing-target": Rule(
        TARGET, "Missing 'Next' target: {name}", "https://github.com/localstack/localstack/issues/11978"
    ),
    "unreachable": Rule(
        TARGET, 'State "{name}" is not reachable.', "https://github.com/localstack/localstack/issues/11978"
    ),
    "no-end": Rule("MISSING_END_STATE", "Workflow has no terminal state", "floci 2735"),
    # paths and templates
    "path": Rule(SCHEMA, "Value must be a valid JSONPath.", "preflight jsonpath-syntax"),
    "reference-path": Rule(SCHEMA, "Value is not a Reference Path", "floci 3733; preflight jsonpath-syntax"),
    "reference-path-start": Rule(
        SCHEMA, "Value is not a Reference Path: Reference path didn't start with '$'", "preflight jsonpath-syntax"
    ),
    "path-or-intrinsic": Rule(
        SCHEMA,
        "Value must be a valid JSONPath or a valid intrinsic function call",
        "assumed, after the rule for templates",
    ),
    "template": Rule(
        SCHEMA,
        "The value for the field '{field}' must be a valid JSONPath or a valid intrinsic function call",
        "recorded: test_illegal_escapes",
    ),
    "template-type": Rule(
        SCHEMA, "The value for the field '{field}' must be a STRING that contains a JSONPath but was {type}", "assumed"
    ),
    # Choice
    "choice-selector": Rule(
        SCHEMA,
        "The object must have only one of the following fields, [And, Or, Not, Variable, Condition]",
        "preflight choice-rules",
    ),
    # Retry and Catch
    "states-all": Rule(
        SCHEMA, "States.ALL must appear alone and at end of list", "https://github.com/aws/aws-cdk/issues/10530"
    ),
    "max-delay": Rule(
        SCHEMA, "MaxDelaySeconds must be greater than IntervalSeconds", "wording assumed; error handling page"
    ),
    # Task
    "resource": Rule(
        SCHEMA, "Value is not a valid resource ARN", "aws-sam-cli-app-templates 185; preflight resource-arn"
    ),
    "resource-unknown": Rule(
        SCHEMA,
        "The resource provided {resource} is not recognized. The value is not a valid resource ARN, or the resource is "
        "not available in this region.",
        "preflight resource-arn; the whole sentence from a public deployment log",
    ),
    "no-parameters": Rule(
        SCHEMA, "{field} field is required for resource ARN: {resource}", "preflight integration-parameters"
    ),
    "required-parameter": Rule(
        SCHEMA,
        "The field '{field}' is required but was missing",
        "recorded: test_invalid_credentials_field; preflight integration-parameters",
    ),
    "activity-credentials": Rule(
        SCHEMA, "The field 'Credentials' is not supported for activities", "preflight credentials"
    ),
    "heartbeat": Rule(
        SCHEMA, "HeartbeatSeconds must be smaller than TimeoutSeconds", "wording assumed; Task state page"
    ),
    "express-activity": Rule(
        SCHEMA, "Express state machine does not support Activity ARN", "recorded: test_illegal_activity_task"
    ),
    "express-pattern": Rule(
        SCHEMA,
        "Express state machine does not support '{pattern}' service integration",
        "preflight express-unsupported",
    ),
    "express-mode": Rule(
        SCHEMA,
        "The field 'Mode' with value 'DISTRIBUTED' is not supported inside 'EXPRESS' state machines",
        "preflight express-unsupported",
    ),
    # warnings; codes from the API reference, words our own
    "no-dollar": Rule(
        "NO_DOLLAR",
        "The value of '{field}' looks like a path or an intrinsic function, but the name does not end with '.$'",
        "API reference, wording assumed",
        "WARNING",
    ),
    "no-path": Rule(
        "NO_PATH",
        "The value of '{field}' looks like a path, but the field's name does not end with 'Path'",
        "API reference, wording assumed",
        "WARNING",
    ),
    "static-result": Rule(
        "PASS_RESULT_IS_STATIC",
        "The Result of a Pass state is used as it is: paths in it are not evaluated",
        "API reference, wording assumed",
        "WARNING",
    ),
    # what AWS runs and this version does not
    "unsupported": Rule(
        "UNSUPPORTED_FEATURE", "{feature} is not supported yet by this version of Stepwell", "Stepwell's own"
    ),
}


class Report:
    """Findings in the order of their making, unsupported features that are used, and variables that states read.

    A feature is reported only if nothing else is wrong: a definition AWS refuses gets AWS's answer.
    """

    def __init__(self) -> None:
        self._found: list[Diagnostic] = []
        self._features: list[Diagnostic] = []
        self.references: dict[str, set[str]] = {}  # state -> names of variables

    def add(self, rule: str, at: str | None, **values: Any) -> None:
        """``at`` is a location, "" for the whole definition, None for AWS's findings without one."""
        self._found.append(_finding(rule, at, values))

    def feature(self, name: str, at: str) -> None:
        """Notes a feature once for each place."""
        found = _finding("unsupported", at, {"feature": name})
        if found not in self._features:
            self._features.append(found)

    def refer(self, state: str, variables: Iterable[str]) -> None:
        """Notes that a state reads variables."""
        if names := set(variables):
            self.references.setdefault(state, set()).update(names)

    def finish(self) -> list[Diagnostic]:
        failed = any(found.severity == "ERROR" for found in self._found)
        return self._found if failed else [*self._found, *self._features]


def _finding(name: str, at: str | None, values: dict[str, Any]) -> Diagnostic:
    rule = RULES[name]
    location = "/" if at == "" else at
    return Diagnostic(severity=rule.severity, code=rule.code, message=rule.message.format(**values), location=location)


def listed(names: Iterable[str]) -> str:
    """AWS's way to list names: ``StartAt, States``."""
    return ", ".join(names)
