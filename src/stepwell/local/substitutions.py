"""``${Name}`` placeholders of a definition, as SAM's and CloudFormation's DefinitionSubstitutions fill them.

They are filled in the text, so one may stand for a part of a string, for a whole one, or, unquoted, for a number or boolean.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-stepfunctions-statemachine.html
(DefinitionSubstitutions)
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

Substitutions = Mapping[str, str | int | float | bool]
_PLACEHOLDER = re.compile(r"\$\{([^{}]+)\}")


def substitute(text: str, values: Substitutions) -> str:
    """The text with every placeholder filled. Raises ValueError that names those without a value."""
    missing = sorted({name for name in _PLACEHOLDER.findall(text) if name not in values})
    if missing:
        raise ValueError(f"the definition has placeholders without a value: {', '.join(missing)}")
    return _PLACEHOLDER.sub(lambda found: _written(values[found[1]]), text)


def _written(value: str | float | bool) -> str:
    """As it stands between quotes, or without them."""
    return json.dumps(value, ensure_ascii=False)[1:-1] if isinstance(value, str) else json.dumps(value)
