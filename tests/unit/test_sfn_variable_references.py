"""``variableReferences`` in the answers that describe a state machine."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from sfn_house import House, open_house

WAITS = {
    "StartAt": "A",
    "States": {
        "A": {"Type": "Wait", "Seconds": 1000, "Next": "B"},
        "B": {"Type": "Pass", "InputPath": "$y", "OutputPath": "$x", "End": True},
    },
}


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with open_house() as opened:
        yield opened


async def test_a_machine_is_described_with_the_variables_its_states_read(house: House) -> None:
    """Recorded: test_base_variable_references_in_assign_templates."""
    arn = await house.machine(WAITS)
    shown = await house.do("DescribeStateMachine", stateMachineArn=arn)
    assert shown["variableReferences"] == {"B": ["x", "y"]}


async def test_so_is_the_machine_of_an_execution(house: House) -> None:
    """Recorded: test_base_variable_references_in_assign_templates."""
    arn = await house.machine(WAITS)
    started = await house.do("StartExecution", stateMachineArn=arn)
    shown = await house.do("DescribeStateMachineForExecution", executionArn=started["executionArn"])
    assert shown["variableReferences"] == {"B": ["x", "y"]}


async def test_metadata_only_says_nothing_of_the_variables(house: House) -> None:
    """They are part of the definition, and as sensitive (botocore's model)."""
    arn = await house.machine(WAITS)
    shown = await house.do("DescribeStateMachine", stateMachineArn=arn, includedData="METADATA_ONLY")
    assert shown["definition"] == "{}"
    assert "variableReferences" not in shown
