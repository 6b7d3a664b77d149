"""What the page shows, computed: one module a task. Nothing here knows Gradio.

`app.studio.Studio` makes one of each, over one executor and one cache.
"""
