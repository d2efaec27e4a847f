"""Pictures of definitions: what is drawn, and that nothing lies on anything else."""

from __future__ import annotations

import itertools
import random
from typing import Any
from xml.etree import ElementTree

import pytest

from stepwell.local.graph import layout, mermaid, model, svg

PASS = {"Type": "Pass", "End": True}
MACHINE: dict[str, Any] = {
    "StartAt": "Decide",
    "States": {
        "Decide": {
            "Type": "Choice",
            "Choices": [
                {"Variable": "$.n", "NumericGreaterThan": 5, "Next": "Both"},
                {"Not": {"Variable": "$.s", "StringEquals": 'a"<b>'}, "Next": "Decide"},
            ],
            "Default": "Gone",
        },
        "Both": {
            "Type": "Parallel",
            "Branches": [
                {"StartAt": "One", "States": {"One": PASS}},
                {
                    "StartAt": "Each",
                    "States": {
                        "Each": {"Type": "Map", "ItemProcessor": {"StartAt": "In", "States": {"In": PASS}}, "End": True}
                    },
                },
            ],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Fail"}],
            "Next": "Decide",
        },
        "Fail": {"Type": "Fail", "Error": "Oh"},
    },
}


def test_mermaid_shows_states_blocks_and_transitions() -> None:
    text = mermaid.write(model.read(MACHINE))
    assert text.startswith("flowchart TD\n")
    assert 'subgraph s2["Both<br>Parallel"]' in text
    assert 'subgraph s2b2["branch 2"]' in text
    assert 's1 -->|"$.n NumericGreaterThan 5"| s2' in text
    assert "a\\#quot;#lt;b#gt;" in text.replace("\\\\", "\\") or "#quot;#lt;b#gt;" in text
    assert 's2 -.->|"States.ALL"| s3' in text
    assert text.count("subgraph") == sum(line.strip() == "end" for line in text.splitlines())


def test_a_transition_to_nowhere_is_drawn_as_missing() -> None:
    graph = model.read(MACHINE)
    assert [n.name for n in graph.nodes if n.kind == model.MISSING] == ["Gone"]


@pytest.mark.parametrize(
    ("definition", "place"),
    [
        ([], "/"),
        ({"States": {}}, "/"),
        ({"States": {"A": 1}}, "/States/A"),
        ({"States": {"A": {"Type": "Parallel", "Branches": [{}]}}}, "/States/A/Branches/0"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_its_place(definition: Any, place: str) -> None:
    with pytest.raises(ValueError, match=place + "$|" + place + " is"):
        model.read(definition)


def test_svg_is_well_formed_and_names_every_state() -> None:
    text = svg.write(layout.place(model.read(MACHINE)))
    root = ElementTree.fromstring(text)
    words = "".join(root.itertext())
    for name in ("Decide", "Both", "One", "Each", "In", "Fail", "Gone"):
        assert name in words


def boxes(placed: layout.Placed) -> list[layout.Box]:
    return [node.box for node in placed.nodes]


def check_block(placed: layout.Placed) -> None:
    for one, other in itertools.combinations(boxes(placed), 2):
        apart = (
            one.x + one.width <= other.x
            or other.x + other.width <= one.x
            or one.bottom <= other.y
            or other.bottom <= one.y
        )
        assert apart
    for node in placed.nodes:
        assert placed.box.x <= node.box.x
        assert node.box.x + node.box.width <= placed.box.x + placed.box.width
        assert node.box.bottom <= placed.box.bottom
        for block in node.blocks:
            assert node.box.x <= block.box.x
            assert block.box.bottom <= node.box.bottom
            check_block(block)


@pytest.mark.parametrize("seed", range(30))
def test_no_state_lies_on_another_or_outside_its_block(seed: int) -> None:
    rolls = random.Random(seed)

    def block(depth: int) -> dict[str, Any]:
        names = [f"{depth}-{n}" for n in range(rolls.randint(1, 8))]
        states: dict[str, Any] = {}
        for name in names:
            kind = rolls.choice(["Pass", "Choice", "Parallel", "Map"] if depth < 2 else ["Pass", "Choice"])
            state: dict[str, Any] = {"Type": kind, "Next": rolls.choice(names)}
            if kind == "Parallel":
                state["Branches"] = [block(depth + 1) for _ in range(rolls.randint(1, 3))]
            elif kind == "Map":
                state["ItemProcessor"] = block(depth + 1)
            elif kind == "Choice":
                targets = [rolls.choice(names) for _ in range(rolls.randint(1, 4))]
                state["Choices"] = [{"Variable": "$", "IsNull": True, "Next": target} for target in targets]
            else:
                state.update({"End": True} if rolls.random() < 0.3 else {})
            states[name] = state
        return {"StartAt": names[0], "States": states}

    placed = layout.place(model.read(block(0)))
    check_block(placed)
    ElementTree.fromstring(svg.write(placed))


def test_three_hundred_states_in_a_row_are_laid_out() -> None:
    states: dict[str, Any] = {f"s{n}": {"Type": "Pass", "Next": f"s{n + 1}"} for n in range(300)}
    placed = layout.place(model.read({"StartAt": "s0", "States": {**states, "s300": PASS}}))
    assert len({round(node.box.middle, 3) for node in placed.nodes}) == 1
