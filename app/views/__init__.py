"""What the tabs show: frozen results to HTML, figures and words. No wiring, no model."""
