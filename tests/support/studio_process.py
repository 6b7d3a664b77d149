"""A studio over the stand-in codec, as a process of its own: python studio_process.py PORT"""

import sys

from fakes import FakeCodec

from app.page import build, launch_options
from app.studio import Studio

if __name__ == "__main__":
    build(Studio(FakeCodec)).launch(
        server_name="127.0.0.1", server_port=int(sys.argv[1]), quiet=True, **launch_options()
    )
