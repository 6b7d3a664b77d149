"""Building blocks that several tabs share: inputs, pictures, HTML, events."""
