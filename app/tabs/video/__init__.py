"""Clips of a moving face."""
