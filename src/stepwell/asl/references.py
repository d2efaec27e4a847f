"""Which variables the states of a definition read: the ``variableReferences`` of the API's Describe operations."""

from __future__ import annotations

from typing import Any

from stepwell.asl.check import examine


def variable_references(definition: Any) -> dict[str, list[str]]:
    """State name -> names of the variables it reads, sorted; states that read none are left out.

    States of all blocks stand side by side, and a state's own fields count, not the states inside it (recorded:
    test_base_variable_references_in_assign_templates).
    """
    found = examine(definition).references
    return {state: sorted(names) for state, names in found.items()}
