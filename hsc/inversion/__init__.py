"""GAN inversion: from a photograph to w+ and F, and refinement of both for one photograph."""
