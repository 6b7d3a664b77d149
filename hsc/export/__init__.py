"""The decoder for other programs: graphs and tables that a browser can run."""
