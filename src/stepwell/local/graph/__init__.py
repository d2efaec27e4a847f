"""Pictures of a definition: Mermaid text, or SVG.

::

    definition (plain JSON) -> model.read -> Graph -> mermaid.write -> text
                                               `----> layout.place  -> Placed -> svg.write -> text

``layout`` alone needs a library (fast-sugiyama, the extra ``graph``); it is imported when an SVG is asked for.
"""
