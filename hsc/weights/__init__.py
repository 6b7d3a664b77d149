"""Weight files: their paths, the identity of the model, download and loading."""
