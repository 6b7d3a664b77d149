"""Arithmetic: exact and reproducible on every machine, or half precision where it is faster."""
