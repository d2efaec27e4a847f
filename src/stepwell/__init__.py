"""Stepwell: durable API orchestration that speaks AWS.

The layers, each importing only what stands left of it (``tests/test_layers.py`` checks every import)::

    kernel <- lang <- asl <- engine <- storage <- wire <- services <- integrations <- local <- server <- cli
"""

from stepwell._version import __version__

__all__ = ["__version__"]
