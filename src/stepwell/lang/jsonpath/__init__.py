"""JSONPath as AWS runs it: the dialect of Jayway's JsonPath for Java.

::

    text --syntax, filtersyntax--> nodes --steps, filters--> functions --path--> Path.read(root), write(root, path,
    value)

A *definite* path (names, single numbers, functions) leads to one value or none; any other leads to a list. Where
AWS and the library's later releases differ, AWS counts: its answers are recorded, and quoted next to the rule.
"""

from stepwell.lang.jsonpath.errors import PathConflict, PathMismatch, PathNotFound, PathSyntaxError
from stepwell.lang.jsonpath.path import Path, compile_path, write

__all__ = ["Path", "PathConflict", "PathMismatch", "PathNotFound", "PathSyntaxError", "compile_path", "write"]
