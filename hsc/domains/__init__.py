"""What the pictures of a generator have in common, and how a photograph is brought into that form."""
