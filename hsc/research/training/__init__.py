"""Training: the one loop, the losses of each stage, and what they are computed from."""
