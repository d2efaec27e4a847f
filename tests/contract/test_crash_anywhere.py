"""A worker that is killed at any point loses nothing and repeats no transition, on every database."""

from __future__ import annotations

import pytest

from crash.harness import Trial, chains, keys_per_effect
from crash.machines import plan
from stepwell.storage.bundle import Storage

SEEDS = range(25)


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_run_with_crashes_has_the_history_of_a_run_without(storage: Storage, seed: int) -> None:
    """The same events in the same chains, and as many idempotency keys for each effect."""
    calm = Trial(storage, plan(seed), f"calm-{seed}", None)
    expected = chains(await calm.run())
    stormy = Trial(storage, plan(seed), f"stormy-{seed}", seed)
    happened = chains(await stormy.run())
    assert happened == expected
    assert keys_per_effect(stormy.outside) == keys_per_effect(calm.outside)
