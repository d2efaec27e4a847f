"""``python -m stepwell`` is ``stepwell``."""

from __future__ import annotations

from stepwell.cli.main import main

main()
