"""From a plan to CUDA source and a list of launches: text and numbers alone, so that it works without a GPU."""
