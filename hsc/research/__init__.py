"""What is not needed to encode, decode or edit: training, evaluation, edit discovery, conversion."""
