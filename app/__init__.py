"""The studio's web page: a service that knows pictures and bytes, and a Gradio page over it."""
