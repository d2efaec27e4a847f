"""The intrinsic functions of the Amazon States Language, ``States.Format`` and its kin.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html. ``calls`` reads and compiles
a text, ``registry`` is the table of functions, the other modules hold the functions by subject. A new function is
one function and one row.
"""

from stepwell.lang.intrinsics.calls import Intrinsic, compile_intrinsic, is_intrinsic
from stepwell.lang.intrinsics.errors import IntrinsicFailure, IntrinsicSyntaxError, missing_argument
from stepwell.lang.intrinsics.registry import FUNCTIONS
from stepwell.lang.references import Reference, compile_reference

__all__ = [
    "FUNCTIONS",
    "Intrinsic",
    "IntrinsicFailure",
    "IntrinsicSyntaxError",
    "Reference",
    "compile_intrinsic",
    "compile_reference",
    "is_intrinsic",
    "missing_argument",
]
