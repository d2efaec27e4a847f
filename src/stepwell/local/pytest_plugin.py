"""The pytest plugin: one fixture, ``load_workflow``. pytest finds it by itself where Stepwell is installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from stepwell.local.substitutions import Substitutions
    from stepwell.local.workflow import MachineType, Source, Workflow


@pytest.fixture
def load_workflow(request: pytest.FixtureRequest) -> Callable[..., Workflow]:
    """``stepwell.load`` that looks for files beside the test's own file.

    ::

        def test_an_order_is_charged(load_workflow):
            run = load_workflow("orders.asl.json").run({"id": 1}, mocks={"Charge": {"ok": True}})
            assert run.expect_succeeded().visited == ["Charge"]
    """
    # pytest imports this module at every start, also where no test needs a workflow.
    from stepwell.local.workflow import load, read_as_path  # noqa: PLC0415

    folder = request.path.parent

    def load_beside(
        source: Source,
        *,
        type: MachineType = "STANDARD",  # noqa: A002
        name: str | None = None,
        substitutions: Substitutions | None = None,
    ) -> Workflow:
        path = read_as_path(source)
        return load(source if path is None else folder / path, type=type, name=name, substitutions=substitutions)

    return load_beside
