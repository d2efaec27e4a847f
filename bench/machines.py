"""The state machines that are measured, their inputs, and the outputs that prove a run right."""

from __future__ import annotations

from typing import Any

Definition = dict[str, Any]

TEN_INPUT = {"id": 12345, "qty": 7, "price": 9.5, "items": ["a", "b", "c"]}
TEN_OUTPUT = {"label": "order-12345", "n": 8, "first": "a", "tier": "bulk", "status": "done"}
MAP_ITEMS = 1_000


def ten_states() -> Definition:
    """Ten states: seven Pass with paths and intrinsic functions, three Choice."""
    bulk = [
        {"Variable": "$.order.tier.name", "IsPresent": True},
        {"Variable": "$.order.tier.name", "StringEquals": "bulk"},
    ]
    either = [
        {"Variable": "$.calc.n", "NumericLessThan": 5},
        {"Not": {"Variable": "$.label", "StringMatches": "zzz*"}},
    ]
    order = {"id.$": "$.id", "qty.$": "$.qty", "price.$": "$.price", "items.$": "$.items"}
    sums = {"n.$": "States.MathAdd($.order.qty, 1)", "first.$": "States.ArrayGetItem($.order.items, 0)"}
    answer = {"label.$": "$.label", "n.$": "$.calc.n", "first.$": "$.calc.first", "tier.$": "$.order.tier.name"}
    label = {"order.$": "$", "label.$": "States.Format('order-{}', $.id)"}
    return {
        "StartAt": "Order",
        "States": {
            "Order": {"Type": "Pass", "Parameters": order, "Next": "Many?"},
            "Many?": _choice({"Variable": "$.qty", "NumericGreaterThan": 5}, "Tier"),
            "Tier": {"Type": "Pass", "Result": {"name": "bulk", "off": 10}, "ResultPath": "$.tier", "Next": "Label"},
            "Label": {"Type": "Pass", "Parameters": label, "Next": "Bulk?"},
            "Bulk?": _choice({"And": bulk}, "Flat"),
            "Flat": {"Type": "Pass", "InputPath": "$.order", "ResultPath": "$.flat", "Next": "Sums"},
            "Sums": {"Type": "Pass", "Parameters": sums, "ResultPath": "$.calc", "Next": "Either?"},
            "Either?": _choice({"Or": either}, "Answer"),
            "Answer": {"Type": "Pass", "Parameters": answer, "Next": "Done"},
            "Done": {"Type": "Pass", "Result": "done", "ResultPath": "$.status", "End": True},
            "Bad": {"Type": "Fail", "Error": "Bad", "Cause": "a choice went the wrong way"},
        },
    }


def ten_states_in_jsonata() -> Definition:
    """The same ten in JSONata, the way one writes it: variables where the other puts results into the data."""
    order = {name: f"{{% $states.input.{name} %}}" for name in ("id", "qty", "price", "items")}
    label = {"order": "{% $states.input %}", "label": "{% 'order-' & $states.input.id %}"}
    sums = {"n": "{% $flat.qty + 1 %}", "first": "{% $flat.items[0] %}"}
    answer = {
        "label": "{% $states.input.label %}",
        "n": "{% $calc.n %}",
        "first": "{% $calc.first %}",
        "tier": "{% $tier.name %}",
    }
    bulk = "{% $exists($tier.name) and $tier.name = 'bulk' %}"
    either = "{% $calc.n < 5 or $not($contains($states.input.label, /^zzz/)) %}"
    done = "{% $merge([$states.input, {'status': 'done'}]) %}"
    return {
        "QueryLanguage": "JSONata",
        "StartAt": "Order",
        "States": {
            "Order": {"Type": "Pass", "Output": order, "Next": "Many?"},
            "Many?": _choice({"Condition": "{% $states.input.qty > 5 %}"}, "Tier"),
            "Tier": {"Type": "Pass", "Assign": {"tier": {"name": "bulk", "off": 10}}, "Next": "Label"},
            "Label": {"Type": "Pass", "Output": label, "Next": "Bulk?"},
            "Bulk?": _choice({"Condition": bulk}, "Flat"),
            "Flat": {"Type": "Pass", "Assign": {"flat": "{% $states.input.order %}"}, "Next": "Sums"},
            "Sums": {"Type": "Pass", "Assign": {"calc": sums}, "Next": "Either?"},
            "Either?": _choice({"Condition": either}, "Answer"),
            "Answer": {"Type": "Pass", "Output": answer, "Next": "Done"},
            "Done": {"Type": "Pass", "Output": done, "End": True},
            "Bad": {"Type": "Fail", "Error": "Bad", "Cause": "a choice went the wrong way"},
        },
    }


def _choice(rule: Definition, following: str) -> Definition:
    return {"Type": "Choice", "Choices": [{**rule, "Next": following}], "Default": "Bad"}


def map_of_three() -> Definition:
    """An inline Map of three states an item, without a limit of concurrency."""
    states = {
        "A": {"Type": "Pass", "Parameters": {"v.$": "$.v", "s.$": "States.Format('x{}', $.v)"}, "Next": "B"},
        "B": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.v", "NumericGreaterThanEquals": 0, "Next": "C"}],
            "Default": "C",
        },
        "C": {"Type": "Pass", "Result": 1, "ResultPath": "$.ok", "End": True},
    }
    processor = {"ProcessorConfig": {"Mode": "INLINE"}, "StartAt": "A", "States": states}
    return {
        "StartAt": "M",
        "States": {"M": {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": processor, "End": True}},
    }


def map_input(items: int = MAP_ITEMS) -> Definition:
    return {"items": [{"v": number} for number in range(items)]}


def map_output(items: int = MAP_ITEMS) -> list[Definition]:
    return [{"v": number, "s": f"x{number}", "ok": 1} for number in range(items)]


def waiting() -> Definition:
    """Waits for longer than any measurement takes."""
    return {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3_600, "End": True}}}


def tasks(count: int, resource: str, parameters: Any) -> Definition:
    """So many tasks one after the other, each result beside the input."""
    states: Definition = {}
    for number in range(count):
        after: Definition = {"Next": f"T{number + 1}"} if number + 1 < count else {"End": True}
        states[f"T{number}"] = {
            "Type": "Task",
            "Resource": resource,
            "Parameters": parameters,
            "ResultPath": f"$.r{number}",
            **after,
        }
    return {"StartAt": "T0", "States": states}
