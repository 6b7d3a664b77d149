"""One module a tab: its layout and its wiring. What it shows is computed in app.studio."""
