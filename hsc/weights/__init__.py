"""Weight files: where they are, which model they make, and how they get into networks."""
