"""The server of the playground: it checks who asks, keeps a process for each network, and passes messages on unread.

``app`` has the addresses and ``guard`` says who may use them. ``live`` is one connection; it belongs to a ``session``,
whose ``lane`` or two lanes are processes (``child``), spoken to through ``pipes``. ``serving`` starts and ends it all.
"""

from nnkit.playground.server.limits import Limits
from nnkit.playground.server.serving import Options, serve

__all__ = ["Limits", "Options", "serve"]
