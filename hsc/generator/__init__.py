"""The pretrained face generator: mapping z -> w and synthesis w+ -> picture."""
