"""How close two pictures are: pixels, perception, identity and facial geometry."""
