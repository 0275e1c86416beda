"""A plan as one native function: many whole steps in a call, compiled when the extra ``fast`` is installed."""
