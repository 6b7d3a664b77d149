"""What other sites and browsers show of a link to this page: our words and picture, not Gradio's.

Gradio's page names itself in its social tags, and leaves no way to change them. So the one HTML
answer at "/" is rewritten on its way out, and compressed: it has the page's whole description, some
900 KB, and Gradio sends it as it is. The picture's address must be whole: it is made of the
address under which the visitor reached this page.
"""

from __future__ import annotations

import gzip
import re
from html import escape

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.address import FACE, own_address
from app.services.landing import SOCIAL, SOCIAL_SIZE

TITLE = "HSC Studio: a face in a kilobyte"
DESCRIPTION = (
    "A face photograph in hundreds to a few thousand bytes, drawn again by a neural network. "
    "Compress, compare and edit one here."
)
WITH_FACE = "A face in a link: open it to see it drawn from its bytes."
PICTURE = "social.jpg"
"""Address of the picture, below the page's."""
COMPRESSION = 5  # of zlib's nine: a tenth of the bytes in 12 ms
LARGEST = 8 << 20  # bytes of a page; anything larger is passed on as it is
_THEIRS = re.compile(rb'\s*<meta\s+(?:property|name)="(?:og|twitter):[^>]*>')


class SocialTags:
    """Middleware: the page at "/" with our social tags in the place of Gradio's.

    Args:
        script: runs in the page before Gradio's own.
    """

    def __init__(self, app: ASGIApp, script: str = "") -> None:
        self.app = app
        self.script = f"<script>{script}</script>".encode() if script else b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or not _is_page(scope):
            await self.app(scope, receive, send)
            return
        request, started = Request(scope), None
        body = b""

        async def rewritten(message: Message) -> None:
            nonlocal started, body
            if message["type"] == "http.response.start":
                started = message
                return
            if started is None or message["type"] != "http.response.body":
                await send(message)
                return
            body += message.get("body", b"")
            if message.get("more_body") and len(body) <= LARGEST:
                return
            headers = MutableHeaders(raw=started["headers"])
            plain = headers.get("content-type", "").startswith("text/html")
            # what is compressed already cannot be rewritten; Gradio compresses what has an ending
            if plain and "content-encoding" not in headers and not message.get("more_body"):
                body = tagged(body, request, self.script)
                if "gzip" in request.headers.get("accept-encoding", ""):
                    body = gzip.compress(body, COMPRESSION)
                    headers["content-encoding"] = "gzip"
                    headers.add_vary_header("accept-encoding")
                headers["content-length"] = str(len(body))
            await send(started)
            await send({**message, "body": body})
            body = b""

        await self.app(scope, receive, rewritten)


def tagged(page: bytes, request: Request, more: bytes = b"") -> bytes:
    """A page with our social tags, and no others, and ``more`` at the end of its head."""
    head, end, rest = page.partition(b"</head>")
    if not end:
        return page
    return _THEIRS.sub(b"", head) + tags(request).encode() + more + end + rest


def tags(request: Request) -> str:
    """Our social tags for the page under the visitor's own address."""
    headers = Headers(raw=request.scope["headers"])
    address = own_address(dict(headers), request.url.scheme) or str(request.base_url)
    picture = address + PICTURE
    words = WITH_FACE if request.query_params.get(FACE) else DESCRIPTION
    width, height = SOCIAL_SIZE
    named = {
        "og:type": "website",
        "og:site_name": "HSC Studio",
        "og:title": TITLE,
        "og:description": words,
        "og:url": address,
        "og:image": picture,
        "og:image:width": str(width),
        "og:image:height": str(height),
        "og:image:alt": "A photograph, the same face drawn from its file, and the file's bytes",
        "twitter:card": "summary_large_image",
        "twitter:title": TITLE,
        "twitter:description": words,
        "twitter:image": picture,
    }
    found = "".join(
        f'<meta {"property" if name.startswith("og") else "name"}="{name}"'
        f' content="{escape(value)}">'
        for name, value in named.items()
    )
    return f'<meta name="description" content="{escape(words)}">{found}'


def routes() -> list[Route]:
    """The picture."""

    def picture(request: Request) -> FileResponse:
        return FileResponse(SOCIAL, headers={"cache-control": "public, max-age=86400"})

    return [Route(f"/{PICTURE}", picture)]


def _is_page(scope: Scope) -> bool:
    path = str(scope["path"]).removeprefix(str(scope.get("root_path", "")))
    return path in ("", "/")
