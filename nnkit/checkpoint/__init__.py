"""Networks as HDF5 files."""
def load(path): raise NotImplementedError
