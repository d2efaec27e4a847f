"""What AWS does that its models do not say about constraints: data for ``validation``.

Keyed by botocore's service name and the shape's name, pattern or member's position.
"""

from __future__ import annotations

# The order in which AWS lists an enum's values is that of a Java set, not the model's.
ENUM_ORDER: dict[tuple[str, str], tuple[str, ...]] = {
    # recorded: test_sfn_api list_executions with an unknown status
    ("stepfunctions", "ExecutionStatus"): (
        "SUCCEEDED",
        "TIMED_OUT",
        "PENDING_REDRIVE",
        "ABORTED",
        "FAILED",
        "RUNNING",
    ),
}

# Services that never repeat the value they refuse (seen on AWS: "Value at 'tags.1.member.key' failed to satisfy ...").
# Elsewhere only members that the model calls sensitive are left out.
SILENT_ABOUT_VALUES = frozenset({"iam"})

# IAM has sentences of its own for its commonest patterns; seen on AWS.
PATTERN_SENTENCES: dict[tuple[str, str], str] = {
    ("iam", r"[\w+=,.@-]+"): (
        "The specified value for {position} is invalid. It must contain only alphanumeric characters and/or the "
        "following: +=,.@_-"
    ),
    ("iam", r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)"): (
        "The specified value for {position} is invalid. It must begin and end with / and contain only alphanumeric "
        "characters and/or / characters."
    ),
}

# Patterns of the models that take exponential time on some texts, with one of the same language that takes linear time.
LINEAR_PATTERNS: dict[str, str] = {
    r"^[ \t]*[\x20-\x7E]+([ \t]+[\x20-\x7E]+)*[ \t]*$": r"\t*[\x20-\x7E][\t\x20-\x7E]*",
    r"^[ \t]*[^\x00-\x1F:\x7F]+([ \t]+[^\x00-\x1F:\x7F]+)*[ \t]*$": r"\t*[^\x00-\x1F:\x7F][^\x00-\x08\x0A-\x1F:\x7F]*",
}
