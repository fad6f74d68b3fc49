"""The page on which one person labels: served on this machine alone, every click on the disk before it is answered.

In: a shelf and a name. Out: a Starlette application, and a server that runs it. Starlette and uvicorn are what Inspect AI
brings along; their router and their HTTP are not written again here. What stands between them and any other page that the
same browser has open is `Guard`: the server listens on 127.0.0.1, answers to that name alone (so that no foreign name can be
pointed at it), takes nothing that comes from another origin, and wants a token that only the printed address holds, in its
fragment, which browsers send to no server. The page itself has no secret, no inline script and no text of a model.
"""

from __future__ import annotations

import hmac
import json
import secrets
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from unsway.banks import bank
from unsway.errors import BadInput
from unsway.judging.foreign_labels import joined
from unsway.judging.items import Item, in_order
from unsway.judging.label_store import Label, Shelf, now
from unsway.store import loads

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

HOST = "127.0.0.1"
MAX_BODY = 4096
"""Bytes of a click; one takes about 120."""
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Click:
    """What the page sends: the whole label of one reply, as it is now."""

    item: str
    coherence: int | None
    mentions_cue: bool | None


def application(shelf: Shelf, labeller: str, token: str, port: int, seed: int = 0) -> App:
    """The page and its data, behind the guard.

    Raises:
        BadInput: There is nothing to label, or the labeller's name will not do.
    """
    items = {item.id: item for item in in_order(shelf.items(), seed)}
    if not items:
        raise BadInput(f"{shelf.folder} holds nothing to label.")
    Label("", labeller, None, None)  # the name is checked before the page opens
    return Guard(_routes(shelf, items, labeller), token, port)


def listen(port: int = 0) -> socket.socket:
    """A socket on 127.0.0.1; port 0 takes any that is free. Raises `BadInput` where it is taken."""
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((HOST, port))
    except OSError as error:
        found.close()
        raise BadInput(
            f"Port {port} of {HOST} cannot be had ({error}). Name another with --port, or 0 for any."
        ) from error
    return found


def serve(shelf: Shelf, labeller: str, *, port: int = 0, seed: int = 0, say: Callable[[str], None] = print) -> None:
    """Serve until interrupted; `say` gets the address, token and all, once the server listens.

    Args:
        shelf: Where the items are and the labels go.
        labeller: Who labels.
        port: 0 takes any that is free.
        seed: Seed of the order in which they are shown.
        say: Told the address.
    """
    import uvicorn

    place = listen(port)
    token = secrets.token_urlsafe(24)
    at = place.getsockname()[1]
    app = application(shelf, labeller, token, at, seed)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        lifespan="off",
        limit_concurrency=64,
        ws="none",
    )
    place.listen()
    say(f"http://{HOST}:{at}/#{token}")
    uvicorn.Server(config).run(sockets=[place])


# ---------------------------------------------------------------- who may ask


class Guard:
    """Refuses what the page itself would not send, before anything else sees it; adds the headers to every answer."""

    def __init__(self, app: App, token: str, port: int) -> None:
        self.app, self.token = app, token
        self.hosts = {f"{name}:{port}" for name in (HOST, "localhost")}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request."""
        from starlette.datastructures import Headers
        from starlette.responses import JSONResponse

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                more = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message.get("headers", []), *more]
            await send(message)

        if scope["type"] != "http":
            return
        status, why = self.refused(scope["method"], scope["path"], Headers(scope=scope))
        app = JSONResponse({"error": why}, status) if status else self.app
        await app(scope, receive, with_headers)

    def refused(self, method: str, path: str, headers: Any) -> tuple[int, str]:
        """Status and reason; 0 where there is none."""
        host, origin = headers.get("host", ""), headers.get("origin")
        if host not in self.hosts or len(headers.getlist("host")) != 1:
            return 421, "this server answers to 127.0.0.1 alone"
        if method not in ("GET", "POST"):
            return 405, "only GET and POST are known here"
        if origin not in (None, f"http://{host}") or (method == "POST" and origin is None):
            return 403, "the request comes from another page"
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return 403, "the request comes from another page"
        given = headers.get("authorization", "").encode("latin-1")
        if path.startswith("/api/") and not hmac.compare_digest(given, f"Bearer {self.token}".encode()):
            return 401, "the token is missing or of an earlier run: open the address that was printed last"
        size = headers.get("content-length", "0")
        if not size.isdigit() or int(size) > MAX_BODY:
            return 413, f"at most {MAX_BODY} bytes are taken"
        return 0, ""


# ---------------------------------------------------------------- what it answers


def _routes(shelf: Shelf, items: dict[str, Item], labeller: str) -> Starlette:
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse, PlainTextResponse, Response
    from starlette.routing import Route

    def file(body: str, kind: str) -> Callable[[Request], Response]:
        return lambda _: Response(body, media_type=kind)

    def state(_: Request) -> Response:
        done = {key: [label.coherence, label.mentions_cue] for key, label in shelf.of(labeller).items() if key in items}
        return JSONResponse({"labeller": labeller, "order": list(items), "done": done} | questions())

    def item(request: Request) -> Response:
        found = items.get(request.path_params["id"])
        return JSONResponse(shown(found)) if found else JSONResponse({"error": "there is no such reply"}, 404)

    async def label(request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return JSONResponse({"error": f"at most {MAX_BODY} bytes are taken"}, 413)
        try:
            click = loads(Click, body, strict=True)
            made = Label(click.item, labeller, click.coherence, click.mentions_cue, _rubric(), now())
        except ValueError as error:
            return JSONResponse({"error": str(error)[:300]}, 422)
        if click.item not in items:
            return JSONResponse({"error": "there is no such reply"}, 404)
        shelf.add(made)
        return JSONResponse({"saved": click.item})

    def export(_: Request) -> Response:
        rows = (joined(items[key], one, blind=True) for key, one in shelf.of(labeller).items() if key in items)
        return PlainTextResponse("".join(json.dumps(row) + "\n" for row in rows), media_type="application/x-ndjson")

    page = files("unsway.judging").joinpath("page")
    script = "".join(page.joinpath(name).read_text(encoding="utf-8") for name in ("dom.js", "label.js"))
    routes: list[tuple[str, Any, str]] = [
        ("/", file(page.joinpath("label.html").read_text(encoding="utf-8"), "text/html"), "GET"),
        ("/label.js", file(script, "text/javascript"), "GET"),
        ("/label.css", file(page.joinpath("label.css").read_text(encoding="utf-8"), "text/css"), "GET"),
        ("/api/state", state, "GET"),
        ("/api/item/{id}", item, "GET"),
        ("/api/label", label, "POST"),
        ("/api/export", export, "GET"),
    ]
    return Starlette(routes=[Route(path, answer, methods=[method]) for path, answer, method in routes])


async def _body(request: Request) -> bytes | None:
    """The body, read no further than it may be long; None where it is longer."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return body


def _rubric() -> str:
    return bank("label_questions").versioned


def questions() -> dict[str, Any]:
    """The two questions and what the marks mean."""
    first, *marks, second = bank("label_questions").entries
    return {"coherence": first, "marks": marks, "mentions": second}


def shown(item: Item) -> dict[str, Any]:
    """What a labeller sees of a reply: nothing of who wrote it, or of what the right answer is."""
    said = iter(item.turns)
    turns = [
        {
            "role": turn.role,
            "parts": [["model", next(said, "")]]
            if turn.parts is None
            else [[part.kind, part.text] for part in turn.parts],
        }
        for turn in item.prompt.turns
    ]
    return {"id": item.id, "turns": turns, "reply": item.reply, "reasoning": item.reasoning, "answer": item.answer}
