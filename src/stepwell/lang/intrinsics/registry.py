"""The intrinsic functions, one row each: name, how many arguments of which kinds, and the function.

The number of arguments counts when the call runs, not when it is read: AWS creates a machine that calls
``States.Hash()`` and fails its execution.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

from stepwell.kernel.ids import Ids
from stepwell.lang.intrinsics import arrays, encoding, jsons, numbers, strings
from stepwell.lang.intrinsics.arguments import ANY, KINDS, Arguments, Invalid
from stepwell.lang.intrinsics.errors import IntrinsicFailure


class Function(NamedTuple):
    """``kinds``: of the arguments that must be there. ``optional``: how many more of any kind may follow; -1 for
    no limit.
    """

    name: str
    run: Callable[[Arguments, Ids], Any]
    kinds: tuple[str, ...]
    optional: int = 0

    def taking(self, count: int) -> Callable[[Arguments, Ids], Any]:
        """The function for calls with so many arguments: checks them and runs. Raises IntrinsicFailure."""
        run, extra = self.run, count - len(self.kinds)
        if extra < 0 or (extra > self.optional >= 0):
            return self._refuse
        tests = tuple((place, KINDS[kind]) for place, kind in enumerate(self.kinds) if kind != ANY)

        def call(given: Arguments, ids: Ids) -> Any:
            for place, fits in tests:
                if not fits(given[place]):
                    self._refuse(given, ids)
            try:
                return run(given, ids)
            except Invalid as invalid:
                raise IntrinsicFailure(f"Invalid arguments in {self.name}{invalid}") from None

        return call

    def _refuse(self, _given: Arguments, _ids: Ids) -> NoReturn:
        raise IntrinsicFailure(f"Invalid arguments in {self.name}")


FUNCTIONS: dict[str, Function] = {
    row.name: row
    for row in (
        Function("States.Array", arrays.array, (), -1),
        Function("States.ArrayContains", arrays.array_contains, ("array", "any")),
        Function("States.ArrayGetItem", arrays.array_get_item, ("array", "number")),
        Function("States.ArrayLength", arrays.array_length, ("array",)),
        Function("States.ArrayPartition", arrays.array_partition, ("array", "number")),
        Function("States.ArrayRange", arrays.array_range, ("number", "number", "number")),
        Function("States.ArrayUnique", arrays.array_unique, ("array",)),
        Function("States.Base64Decode", encoding.base64_decode, ("string",)),
        Function("States.Base64Encode", encoding.base64_encode, ("string",)),
        Function("States.Format", strings.string_format, ("string",), -1),
        Function("States.Hash", encoding.hashed, ("any", "string")),
        Function("States.JsonMerge", jsons.json_merge, ("object", "object", "any")),
        Function("States.JsonToString", jsons.json_to_string, ("any",)),
        Function("States.MathAdd", numbers.math_add, ("number", "number")),
        Function("States.MathRandom", numbers.math_random, ("number", "number"), 1),
        Function("States.StringSplit", strings.string_split, ("string", "string")),
        Function("States.StringToJson", jsons.string_to_json, ("string",)),
        Function("States.UUID", strings.uuid, ()),
    )
}
