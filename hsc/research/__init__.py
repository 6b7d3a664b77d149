"""Training, evaluation, edit discovery and conversion: not needed to encode, decode or edit."""
