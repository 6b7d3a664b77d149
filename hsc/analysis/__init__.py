"""The bit allocation of a file, and a map of the latent space."""
