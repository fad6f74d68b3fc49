"""The page on which one person labels: served only on this machine; each click is stored before it is acknowledged.

In: a label store and a name. Out: a Starlette application, and a server that runs it.

`Guard` protects it from other pages open in the same browser. The server listens on 127.0.0.1, answers only to that name (so
no foreign name can be pointed at it), refuses requests from other origins, and requires a token. Only the printed address has
the token, in its fragment, which browsers never send. The page has no secret, no inline script and no text
of a model. Starlette's TrustedHostMiddleware does less: it compares names without the port, and allows a second host header.
"""

from __future__ import annotations

import hmac
import json
import secrets
import socket
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from unsway.errors import BadInput
from unsway.extras import requires
from unsway.judging.foreign_labels import label_rows
from unsway.judging.items import LabelItem, in_order
from unsway.judging.label_store import LabelStore, now
from unsway.judging.people import DEFAULT, PeopleQuestion, people_questions, person_verdict
from unsway.store import loads

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

HOST = "127.0.0.1"
MAX_BODY = 4096
"""Maximum size of a click in bytes; a usual one has about 120."""
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
"""Headers of every response."""

AsgiMessage = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[AsgiMessage]]
Send = Callable[[AsgiMessage], Awaitable[None]]
App = Callable[[AsgiMessage, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Click:
    """The body that the page sends: the answer to one question about one reply."""

    item: str
    """`LabelItem.id`."""
    question: str
    """Name of the rubric."""
    value: bool | int
    """Yes or no, or a number."""


def application(
    store: LabelStore, labeller: str, token: str, port: int, *, seed: int = 0, ask: Sequence[str] = DEFAULT
) -> App:
    """The page and its data, behind the guard.

    Raises:
        BadInput: There is nothing to label, the labeller's name is not allowed, or a rubric has no wording for people.
        UnknownName: A rubric is not known.
    """
    items = {item.id: item for item in in_order(store.items(), seed)}
    if not items:
        raise BadInput(f"{store.folder} holds nothing to label.")
    questions = {question.name: question for question in people_questions(ask)}
    person_verdict(next(iter(items.values())), labeller, "", None)  # checks the name before the page opens
    return Guard(_routes(store, items, labeller, questions), token, port)


def listen(port: int = 0) -> socket.socket:
    """Open a socket on 127.0.0.1; port 0 means any free one. Raises `BadInput` if the port is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise BadInput(
            f"Port {port} of {HOST} is not available ({error}). Name another with --port, or 0 for any."
        ) from error
    return listener


def serve(
    store: LabelStore,
    labeller: str,
    *,
    port: int = 0,
    seed: int = 0,
    ask: Sequence[str] = DEFAULT,
    announce: Callable[[str], None] = print,
) -> None:
    """Serve the page until interrupted.

    Args:
        store: The store of items and labels.
        labeller: Name of the labeller.
        port: 0 means any free one.
        seed: Seed of the order in which the items are shown.
        ask: Names of the rubrics that are asked.
        announce: Receives the address with its token once the server listens.
    """
    with requires("label", "`unsway label`"):
        import uvicorn

    listener = listen(port)
    token = secrets.token_urlsafe(24)
    real_port = listener.getsockname()[1]
    config = uvicorn.Config(
        application(store, labeller, token, real_port, seed=seed, ask=ask),
        log_level="warning",
        access_log=False,
        server_header=False,
        lifespan="off",
        limit_concurrency=64,
        ws="none",
    )
    listener.listen()
    announce(f"http://{HOST}:{real_port}/#{token}")
    uvicorn.Server(config).run(sockets=[listener])


# ---------------------------------------------------------------- who may ask


class Guard:
    """Middleware that refuses requests the page itself would not send, and adds the headers to every response."""

    def __init__(self, app: App, token: str, port: int) -> None:
        self.app, self.token = app, token
        self.hosts = {f"{name}:{port}" for name in (HOST, "localhost")}

    async def __call__(self, scope: AsgiMessage, receive: Receive, send: Send) -> None:
        """Answer one request."""
        with requires("label", "`unsway label`"):
            from starlette.datastructures import Headers
            from starlette.responses import JSONResponse

        async def send_with_headers(message: AsgiMessage) -> None:
            if message["type"] == "http.response.start":
                headers = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message.get("headers", []), *headers]
            await send(message)

        if scope["type"] != "http":
            return
        refusal = self.refusal(scope["method"], scope["path"], Headers(scope=scope))
        app = self.app if refusal is None else JSONResponse({"error": refusal[1]}, refusal[0])
        await app(scope, receive, send_with_headers)

    def refusal(self, method: str, path: str, headers: Any) -> tuple[int, str] | None:
        """The status and the reason of a refusal; None if the request is allowed."""
        host, origin = headers.get("host", ""), headers.get("origin")
        if host not in self.hosts or len(headers.getlist("host")) != 1:
            return 421, "this server answers to 127.0.0.1 alone"
        if method not in ("GET", "POST"):
            return 405, "only GET and POST are known here"
        if origin not in (None, f"http://{host}") or (method == "POST" and origin is None):
            return 403, "the request comes from another page"
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return 403, "the request comes from another page"
        authorization = headers.get("authorization", "").encode("latin-1")
        if path.startswith("/api/") and not hmac.compare_digest(authorization, f"Bearer {self.token}".encode()):
            return 401, "the token is missing or of an earlier run: open the address that was printed last"
        size = headers.get("content-length", "0")
        if not size.isdigit() or int(size) > MAX_BODY:
            return 413, f"at most {MAX_BODY} bytes are allowed"
        return None


# ---------------------------------------------------------------- what it answers


def _routes(
    store: LabelStore, items: dict[str, LabelItem], labeller: str, questions: dict[str, PeopleQuestion]
) -> Starlette:
    with requires("label", "`unsway label`"):
        from starlette.applications import Starlette
        from starlette.responses import JSONResponse, PlainTextResponse, Response
        from starlette.routing import Route

    def own_labels() -> dict[str, dict[str, bool | int | None]]:
        return {key: labels for key, labels in store.of(labeller).items() if key in items}

    def state(_: Request) -> Response:
        views = [shown_question(question) for question in questions.values()]
        order = list(items)
        return JSONResponse({"labeller": labeller, "order": order, "done": own_labels(), "questions": views})

    def item(request: Request) -> Response:
        label_item = items.get(request.path_params["id"])
        return JSONResponse(shown(label_item)) if label_item else JSONResponse({"error": "there is no such reply"}, 404)

    async def label(request: Request) -> Response:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                return JSONResponse({"error": f"at most {MAX_BODY} bytes are allowed"}, 413)
        try:
            click = loads(Click, body, strict=True)
            if click.item not in items or click.question not in questions:
                return JSONResponse({"error": "there is no such reply or question"}, 404)
            questions[click.question].check(click.value)
        except ValueError as error:
            return JSONResponse({"error": str(error)[:300]}, 422)
        question = questions[click.question].versioned
        store.add(person_verdict(items[click.item], labeller, question, click.value, at=now()))
        return JSONResponse({"saved": click.item})

    def export(_: Request) -> Response:
        own = [label for label in store.labels() if label.by == labeller]
        rows = (json.dumps(row) + "\n" for row in label_rows(items.values(), own, blind=True))
        return PlainTextResponse("".join(rows), media_type="application/x-ndjson")

    def serve_text(text: str, kind: str) -> Callable[[Request], Response]:
        return lambda _: Response(text, media_type=kind)

    def file(name: str) -> str:
        return files("unsway.judging").joinpath("page", name).read_text(encoding="utf-8")

    return Starlette(
        routes=[
            Route("/", serve_text(file("label.html"), "text/html")),
            Route("/label.js", serve_text(file("dom.js") + file("label.js"), "text/javascript")),
            Route("/label.css", serve_text(file("label.css"), "text/css")),
            Route("/api/state", state),
            Route("/api/item/{id}", item),
            Route("/api/label", label, methods=["POST"]),
            Route("/api/export", export),
        ]
    )


def shown_question(question: PeopleQuestion) -> dict[str, Any]:
    """The page's view of a question: its wording, and each answer with its key and meaning."""
    choices = [list(mark) for mark in question.marks] or [[True, "y", "yes"], [False, "n", "no"]]
    return {"name": question.name, "ask": question.ask, "choices": choices}


def shown(item: LabelItem) -> dict[str, Any]:
    """The labeller's view of a reply, without its author and the right answer."""
    own_words = iter(item.turns)
    turns = []
    for turn in item.prompt.turns:
        reply_parts = [["model", next(own_words, "")]] if turn.parts is None else None
        turns.append({"role": turn.role, "parts": reply_parts or [[part.kind, part.text] for part in turn.parts or ()]})
    return {"id": item.id, "turns": turns, "reply": item.reply, "reasoning": item.reasoning, "answer": item.answer}
