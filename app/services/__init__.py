"""What the page shows, computed: one module a task, all over one model. Nothing here knows Gradio.

`app.service.Studio` puts the first four together; the others are made with it.
"""
