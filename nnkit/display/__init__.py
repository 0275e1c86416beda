"""Display: tables, diagrams and curves as HTML and SVG, for notebooks and pages; text in, text out."""

from nnkit.display.confusion import confusion
from nnkit.display.curves import curves
from nnkit.display.diagram import Column, diagram
from nnkit.display.table import preformatted, table

__all__ = ["Column", "confusion", "curves", "diagram", "preformatted", "table"]
