"""A small compiler: loops over flat arrays, written in Python's syntax, become machine code by LLVM.

``language`` says what can be written, ``machine`` compiles it, and ``cache`` keeps the code. Others import ``machine``
when they call it: it needs llvmlite, from the extra ``fast``.
"""
