"""Stepwell's benchmark: every budget of ``docs/performance.md`` beside the physical limit, measured in the same run."""
