"""A plan as one native function: many whole steps in a call, compiled by numba when the extra ``fast`` is installed."""
