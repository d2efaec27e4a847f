"""The library: a workflow runs in-process, with mocks, while time skips by itself."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest

import stepwell
from stepwell.engine.tasks import Submitted, TaskCall, TaskOutcome, TaskSucceeded
from stepwell.kernel.jsontext import Json
from stepwell.local.history import Entry
from stepwell.local.progress import run_live

YEAR = 365 * 24 * 3600
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:"
ACTIVITY = "arn:aws:states:us-east-1:000000000000:activity:review"


def task(resource: str = FUNCTION + "f", **fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": resource, **fields}


def machine(states: dict[str, Any], **fields: Any) -> stepwell.Workflow:
    """States in order: each leads to the next unless it says where it goes, the last one ends."""
    names = list(states)
    linked = {}
    for name, following in zip(names, [*names[1:], None], strict=True):
        state = states[name]
        terminal = state["Type"] in {"Choice", "Succeed", "Fail"} or "Next" in state or "End" in state
        link: dict[str, Any] = {} if terminal else {"Next": following} if following else {"End": True}
        linked[name] = {**state, **link}
    kind = fields.pop("type", "STANDARD")
    return stepwell.load({"StartAt": names[0], "States": linked, **fields}, type=kind)


CHARGE = machine({"Charge": task()})
LOOP = {
    "Count": {"Type": "Pass", "Next": "Enough"},
    "Enough": {
        "Type": "Choice",
        "Choices": [{"Variable": "$.no", "IsPresent": True, "Next": "End"}],
        "Default": "Count",
    },
    "End": {"Type": "Succeed"},
}
ORDER = machine(
    {
        "Charge": task(Retry=[{"ErrorEquals": ["Busy"], "IntervalSeconds": 5, "BackoffRate": 2}]),
        "Rest": {"Type": "Wait", "Seconds": YEAR},
        "Ship": task(),
    }
)


def test_a_workflow_runs_with_mocks() -> None:
    run = ORDER.run({"id": 1}, mocks={"Charge": {"ok": True}, "Ship": {"parcel": 7}})
    assert run.expect_succeeded({"parcel": 7}).visited == ["Charge", "Rest", "Ship"]
    assert run.calls("Charge") == [{"id": 1}]
    assert run.calls("Ship") == [{"ok": True}]


def test_a_year_passes_at_once_and_is_counted() -> None:
    assert ORDER.run(mocks={"Charge": 1, "Ship": 2}).elapsed == YEAR


def test_a_list_answers_call_by_call_and_retries_wait_their_time() -> None:
    mock = [stepwell.Throw("Busy", "try later"), stepwell.Throw("Busy"), {"ok": True}]
    run = ORDER.run(mocks={"Charge": mock, "Ship": None}).expect_succeeded()
    assert run.elapsed == 5 + 10 + YEAR
    assert [call.attempt for call in run.task_calls("Charge")] == [0, 1, 2]
    assert [e["lambdaFunctionFailedEventDetails"] for e in run.events("LambdaFunctionFailed")] == [
        {"error": "Busy", "cause": "try later"},
        {"error": "Busy"},
    ]


def test_a_result_that_is_a_list_is_wrapped() -> None:
    assert CHARGE.run(mocks={"Charge": stepwell.Return([1, 2])}).output == [1, 2]


def test_a_list_counts_the_calls_of_map_iterations_too() -> None:
    inner = {"StartAt": "Price", "States": {"Price": task(End=True)}}
    workflow = machine({"Each": {"Type": "Map", "MaxConcurrency": 1, "ItemProcessor": inner}})
    run = workflow.run(["a", "b"], mocks={"Price": [10, 20]})
    assert run.expect_succeeded([10, 20]).calls("Price") == ["a", "b"]


def test_a_function_gets_the_parameters_and_if_it_asks_the_call() -> None:
    assert CHARGE.run({"n": 1}, mocks={"Charge": lambda parameters: parameters["n"] + 1}).output == 2

    def describe(parameters: Any, call: stepwell.Call) -> Any:
        return [parameters, call.state, call.number, call.attempt, call.resource, call.token]

    assert CHARGE.run(mocks={"Charge": describe}).output == [{}, "Charge", 0, 0, FUNCTION + "f", None]


def test_a_function_may_be_async_and_may_raise_or_return_a_throw() -> None:
    async def refuse(parameters: Any) -> Any:
        await asyncio.sleep(0)
        raise stepwell.Throw("Refused", parameters["why"])

    CHARGE.run({"why": "no money"}, mocks={"Charge": refuse}).expect_failed("Refused", "no money")
    CHARGE.run(mocks={"Charge": lambda _: stepwell.Throw("Refused")}).expect_failed("Refused")


def test_mocks_of_the_standard_library_are_functions_as_well() -> None:
    charge, ship = Mock(return_value={"ok": True}), AsyncMock(return_value=7)
    assert ORDER.run({"id": 1}, mocks={"Charge": charge, "Ship": ship}).output == 7
    charge.assert_called_once_with({"id": 1})
    ship.assert_awaited_once_with({"ok": True})


def test_a_mock_that_raises_fails_the_test_and_no_catch_hides_it() -> None:
    def check(parameters: Any) -> Any:
        assert parameters == {"amount": 3}

    workflow = machine(
        {"Charge": task(Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Done"}]), "Done": {"Type": "Pass"}}
    )
    with pytest.raises(AssertionError) as caught:
        workflow.run({"amount": 2}, mocks={"Charge": check})
    assert caught.value.__notes__ == ["raised by the mock of state 'Charge', call 0"]
    with pytest.raises(pytest.fail.Exception, match="never call this"):
        workflow.run(mocks={"Charge": lambda _: pytest.fail("never call this")})


def test_a_task_without_a_mock_is_refused_whatever_is_caught() -> None:
    workflow = machine(
        {"Charge": task(Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Done"}]), "Done": {"Type": "Pass"}}
    )
    with pytest.raises(
        stepwell.MockError, match=r"state 'Charge' calls .*:f, and nothing stands for it here: give mocks="
    ):
        workflow.run()


@pytest.mark.parametrize(
    ("mocks", "fault"),
    [
        ({"Charge": [1]}, "state 'Charge' is called for the 2nd time, but its mock has one answer"),
        ({"Chrge": 1}, "state 'Chrge', which the workflow has not; did you mean 'Charge'?"),
        ({"Rest": 1}, "state 'Rest', which is a Wait: only a Task can be mocked"),
        ({"Charge": object()}, "what the mock of state 'Charge' answers is not JSON: Object of type object"),
        ({"Charge": {"rate": float("nan")}}, "what the mock of state 'Charge' answers is not JSON: Out of range float"),
    ],
)
def test_a_mock_that_cannot_be_says_why(mocks: dict[str, Any], fault: str) -> None:
    each = {"StartAt": "Charge", "States": {"Charge": task(End=True)}}
    workflow = machine({"Rest": {"Type": "Wait", "Seconds": 1}, "Twice": {"Type": "Map", "ItemProcessor": each}})
    with pytest.raises(stepwell.MockError) as caught:
        workflow.run([1, 2], mocks=mocks)
    assert fault in str(caught.value)


def test_a_mock_stands_for_the_outcome_of_every_kind_of_task() -> None:
    workflow = machine(
        {
            "Send": task(
                "arn:aws:states:::sqs:sendMessage.waitForTaskToken", Parameters={"QueueUrl": "q", "MessageBody": "m"}
            ),
            "Child": task("arn:aws:states:::states:startExecution.sync:2", Parameters={"StateMachineArn": "arn"}),
            "Review": task(ACTIVITY),
        }
    )
    run = workflow.run(mocks={"Send": {"by": "token"}, "Child": {"by": "job"}, "Review": {"by": "worker"}})
    assert run.expect_succeeded({"by": "worker"}).calls("Review") == [{"by": "job"}]
    kinds = [event["type"] for event in run.history if "State" not in event["type"]]
    called = ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"]
    worked = ["ActivityScheduled", "ActivityStarted", "ActivitySucceeded"]
    assert kinds == ["ExecutionStarted", *called, *called, *worked, "ExecutionSucceeded"]


def test_a_pending_task_runs_into_its_timeout() -> None:
    run = machine({"Charge": task(TimeoutSeconds=30)}).run(mocks={"Charge": stepwell.PENDING})
    assert run.expect_failed("States.Timeout").elapsed == 30


def test_a_run_that_waits_for_nobody_says_so() -> None:
    with pytest.raises(stepwell.StuckError, match=r"'Charge' waits for the answer of .*:f\. Mock the result"):
        CHARGE.run(mocks={"Charge": stepwell.PENDING})


def test_a_workflow_that_times_out_says_when() -> None:
    workflow = machine({"Rest": {"Type": "Wait", "Seconds": 100}}, TimeoutSeconds=60)
    assert workflow.run().expect_timed_out().elapsed == 60


def test_express_rules_hold_for_express() -> None:
    workflow = machine({"Rest": {"Type": "Wait", "Seconds": 1000}}, type="EXPRESS")
    run = workflow.run()
    assert run.expect_timed_out().elapsed == 300
    assert run.arn.startswith("arn:aws:states:us-east-1:000000000000:express:workflow:")


def test_an_express_loop_that_never_waits_is_stopped() -> None:
    workflow = machine(LOOP, type="EXPRESS")
    with pytest.raises(stepwell.StuckError, match="look for a loop without an end"):
        workflow.run()


def test_a_standard_loop_ends_with_the_history() -> None:
    workflow = machine(LOOP)
    assert len(workflow.run().expect_failed("States.Runtime").history) == 25_000


def test_runs_repeat_exactly_and_a_seed_changes_what_is_random() -> None:
    workflow = machine(
        {"Draw": {"Type": "Pass", "Parameters": {"id.$": "States.UUID()", "at.$": "$$.Execution.StartTime"}}}
    )
    assert workflow.run().history == workflow.run().history
    assert workflow.run().output["at"] == "2026-01-01T00:00:00.000Z"
    assert workflow.run(seed=1).output["id"] != workflow.run(seed=2).output["id"]


def test_clock_and_name_are_what_the_workflow_sees() -> None:
    parameters = {"at.$": "$$.State.EnteredTime", "name.$": "$$.Execution.Name"}
    workflow = machine({"Look": {"Type": "Pass", "Parameters": parameters}})
    run = workflow.run(clock=stepwell.ManualClock(0.0), name="monday")
    assert run.output == {"at": "1970-01-01T00:00:00.000Z", "name": "monday"}


@pytest.mark.parametrize("start", [0.0, 0.1, 1e-9, 0.3, 2 / 3, 1_767_225_600.123])
def test_a_far_time_is_reached_whatever_the_clock_rounds(start: float) -> None:
    """The seconds to a far time are rounded; the clock must not stop short of it."""
    workflow = machine({"Rest": {"Type": "Wait", "Seconds": YEAR}, "Again": {"Type": "Wait", "Seconds": 7}})
    assert workflow.run(clock=stepwell.ManualClock(start)).expect_succeeded().elapsed == YEAR + 7


def test_inputs_and_outputs_of_states_can_be_asked_for() -> None:
    run = ORDER.run({"id": 1}, mocks={"Charge": {"ok": True}, "Ship": 7})
    assert (run.inputs("Rest"), run.outputs("Rest")) == ([{"ok": True}], [{"ok": True}])
    with pytest.raises(LookupError, match=r"no state 'Shp'; did you mean 'Ship'\?"):
        run.inputs("Shp")
    with pytest.raises(LookupError, match="no Task state 'Rest'"):
        run.calls("Rest")


def test_a_failed_expectation_shows_the_end_of_the_history() -> None:
    run = CHARGE.run(mocks={"Charge": stepwell.Throw("Busy", "try later")})
    with pytest.raises(AssertionError) as caught:
        run.expect_succeeded()
    text = str(caught.value)
    assert text.startswith("the run is FAILED, expected SUCCEEDED; Busy: try later\nthe end of its history:\n")
    assert "LambdaFunctionFailed     'Charge' Busy: try later" in text
    with pytest.raises(AssertionError, match="the error is 'Busy', expected 'Full'"):
        run.expect_failed("Full")
    with pytest.raises(AssertionError, match=r"the output is \[1\], expected \[2\]"):
        CHARGE.run(mocks={"Charge": [[1]]}).expect_succeeded([2])


def test_an_input_must_be_json_of_allowed_size() -> None:
    workflow = machine({"P": {"Type": "Pass"}})
    with pytest.raises(ValueError, match="the input is not JSON"):
        workflow.run({"when": object()})
    with pytest.raises(ValueError, match="262144 at most"):
        workflow.run("x" * 262_143)


def test_later_changes_of_the_input_do_not_reach_the_run() -> None:
    given = {"list": [1]}

    def meddle(parameters: Any) -> Any:
        given["list"].append(2)
        return len(parameters["list"])

    run = CHARGE.run(given, mocks={"Charge": meddle})
    assert (run.output, run.inputs("Charge")) == (1, [{"list": [1]}])


async def test_run_works_where_an_event_loop_is_running() -> None:
    assert CHARGE.run(mocks={"Charge": 1}).output == 1
    assert (await CHARGE.run_async(mocks={"Charge": 2})).output == 2
    with pytest.raises(stepwell.MockError):
        CHARGE.run()


class Upper:
    """A task runner of one's own: it stands where the integrations would."""

    async def run(self, call: TaskCall, submitted: Submitted) -> TaskOutcome:
        await asyncio.sleep(0)
        return TaskSucceeded(output=Json(call.parameters.value["text"].upper()))


def test_tasks_without_a_mock_go_to_the_task_runner() -> None:
    workflow = machine({"A": task(ResultPath="$.a"), "B": task(ResultPath="$.b")})
    run = workflow.run({"text": "x"}, mocks={"B": 1}, tasks=Upper())
    assert run.expect_succeeded({"text": "x", "a": "X", "b": 1}).calls("A") == [{"text": "x"}]


# ------------------------------------------------------------------------------------------------- loading


def test_a_definition_is_json_or_yaml_text_a_path_or_a_dict(tmp_path: Path) -> None:
    definition = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    yaml = "StartAt: P\nStates:\n  P: {Type: Pass, End: true}\n"
    (tmp_path / "orders.asl.json").write_text(json.dumps(definition))
    (tmp_path / "orders.yaml").write_text(yaml)
    for source in (
        definition,
        json.dumps(definition),
        yaml,
        tmp_path / "orders.yaml",
        str(tmp_path / "orders.asl.json"),
    ):
        assert stepwell.load(source).definition == definition
    assert stepwell.load(tmp_path / "orders.asl.json").name == "orders"
    assert stepwell.load(definition).name == "workflow"


def test_placeholders_of_sam_and_cloudformation_are_filled() -> None:
    text = """{"StartAt": "Rest", "States": {
        "Rest": {"Type": "Wait", "Seconds": ${Delay}, "Next": "Charge"},
        "Charge": {"Type": "Task", "Resource": "${ChargeArn}", "Comment": "for ${Who}", "End": true}}}"""
    values: dict[str, str | int] = {"Delay": 30, "ChargeArn": FUNCTION + "charge", "Who": 'the "boss"'}
    workflow = stepwell.load(text, substitutions=values)
    assert workflow.definition["States"]["Charge"]["Comment"] == 'for the "boss"'
    assert workflow.run(mocks={"Charge": 1}).expect_succeeded(1).elapsed == 30
    with pytest.raises(ValueError, match="placeholders without a value: ChargeArn, Who"):
        stepwell.load({"A": "${Who} ${ChargeArn}"}, substitutions={})


def test_an_input_of_none_is_null_and_none_given_is_an_empty_object() -> None:
    workflow = machine({"P": {"Type": "Pass"}})
    assert (workflow.run().output, workflow.run(None).expect_succeeded(None).inputs("P")) == ({}, [None])


def test_a_bad_definition_lists_all_faults_at_once() -> None:
    with pytest.raises(stepwell.DefinitionError) as caught:
        stepwell.load({"StartAt": "Gone", "States": {"P": {"Type": "Pass"}, "Q": {"Type": "Pss"}}})
    assert len(caught.value.diagnostics) >= 2
    assert all(str(fault) in str(caught.value) for fault in caught.value.diagnostics)


def test_what_is_no_definition_is_refused(tmp_path: Path) -> None:
    (tmp_path / "latin.json").write_bytes(b'{"Comment": "\xe9"}')
    for source in ("", {"StartAt": object()}, tmp_path / "latin.json"):
        with pytest.raises(stepwell.DefinitionError):
            stepwell.load(source)
    with pytest.raises(FileNotFoundError):
        stepwell.load("nowhere.asl.json")
    with pytest.raises(ValueError, match="STANDARD or EXPRESS"):
        stepwell.Workflow(CHARGE.definition, type="express")  # type: ignore[arg-type]  # what the test is about


# ------------------------------------------------------------------------------------------------- at a terminal


async def test_a_live_run_tells_of_each_event_and_skips_waits() -> None:
    told: list[Entry] = []
    run = await run_live(ORDER, mocks={"Charge": 1, "Ship": 2}, on_event=told.append, skip_waits=True)
    assert run.expect_succeeded(2).elapsed == YEAR
    assert [entry.wire for entry in told] == run.history
    assert str(told[-1]).split() == ["14", "+31536000s", "ExecutionSucceeded", "2"]


async def test_a_live_run_lets_real_time_pass() -> None:
    workflow = machine({"Rest": {"Type": "Wait", "Seconds": 0}, "Charge": task()})
    assert (await run_live(workflow, mocks={"Charge": 3})).output == 3


async def test_a_live_run_that_nothing_will_move_is_an_error() -> None:
    for skip_waits in (False, True):
        with pytest.raises(stepwell.StuckError):
            await run_live(CHARGE, mocks={"Charge": stepwell.PENDING}, skip_waits=skip_waits)
        with pytest.raises(stepwell.MockError):
            await run_live(CHARGE, skip_waits=skip_waits)


# ------------------------------------------------------------------------------------------------- the package


def test_the_packages_face_offers_what_it_lists() -> None:
    assert all(getattr(stepwell, name) is not None for name in stepwell.__all__)
    assert set(stepwell.__all__) <= set(dir(stepwell))
    with pytest.raises(AttributeError, match="has no attribute 'lod'"):
        stepwell.lod  # noqa: B018


def test_importing_the_package_imports_nothing_else() -> None:
    script = "import sys, stepwell; print([m for m in sys.modules if m.startswith('stepwell.') or m == 'botocore'])"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "['stepwell._version']"
