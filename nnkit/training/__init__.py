"""The training loop: step graphs, programs, epochs, callbacks, and the run that comes out."""
