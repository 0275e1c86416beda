"""A small compiler: loops over flat arrays, written in Python's syntax, become machine code by LLVM.

``language`` says what can be written, ``machine`` compiles and keeps the code; what only they and ``kinds``,
``functions`` and ``intrinsics`` import is llvmlite, from the extra ``fast``, so that nothing else imports them when it
is imported itself.
"""
