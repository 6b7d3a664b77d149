"""Distances between two pictures: pixels, perception, identity and facial geometry."""
