"""Start the studio: python app.py"""

from app.page import build, launch_options
from app.service import Studio
from app.sweeping import keep_swept
from hsc.memory import keep_large_blocks


def load():
    """Load the codec; imported here because it takes seconds that the page need not wait for."""
    import hsc

    return hsc.load()


keep_large_blocks()
keep_swept()
studio = Studio(load)
page = build(studio)

if __name__ == "__main__":
    page.launch(**launch_options())
