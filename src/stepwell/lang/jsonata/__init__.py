"""JSONata as Step Functions runs it: version 2.0.6 of the language, six more functions, bounded evaluation.

::

    compile_expression(text) -> Expression          text is the inside of {% ... %}; raises JsonataSyntaxError
    Expression.evaluate(states, variables, ids=, now=) -> value | UNDEFINED; raises JsonataFailure
    check(text) -> [(code, message)]                what AWS refuses when a definition is created
    references(text) -> {names}                     the variables an expression reads, for VariableReferences
    states_fields(text) -> {names}                  the fields of $states it reads: input, result, errorOutput, context

The pipeline: ``tokens`` -> ``syntax`` (precedence parser) -> ``tree`` (paths and predicates) -> ``compiling`` and its
neighbours (closures) -> ``expression`` (an evaluation and its result). ``runtime`` holds the bounds.
"""

from stepwell.lang.jsonata.checks import check, references, states_fields
from stepwell.lang.jsonata.errors import JsonataFailure, JsonataSyntaxError
from stepwell.lang.jsonata.expression import Expression, compile_expression
from stepwell.lang.jsonata.values import UNDEFINED

__all__ = [
    "UNDEFINED",
    "Expression",
    "JsonataFailure",
    "JsonataSyntaxError",
    "check",
    "compile_expression",
    "references",
    "states_fields",
]
