"""Where bits went, and where faces lie in the latent space."""
