"""Arithmetic: exact on every machine, or half as precise where that is faster."""
