"""The playground: networks that a person builds, trains and watches in the browser, computed by nnkit.

The page asks (``docs/PLAYGROUND.md`` has the messages), ``server`` passes that on, and ``worker`` is the process of one
network: its ``Settings``, its data, and a ``Lab`` that trains and is looked at.
"""
