"""Finding the edits: directions in w+ and what each of them does."""
