"""A server on 127.0.0.1 that speaks the part of OpenAI's API that unsway uses: chat, models, files, fine-tuning jobs.

Tests meet it through the real SDK. It can be set to misbehave, call by call, and to stop and restart on its port.

    with OpenAiServer() as server:
        client = OpenAI(base_url=server.url, api_key="sk-test")
"""

from __future__ import annotations

import gc
import json
import re
import socket
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def let_go() -> None:
    """Close the connections that Inspect leaves open; call it at the end of a test."""
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        gc.collect()


Trouble = Callable[[str, str, int], str | None]
"""Takes method, path and number of the call (from 0); returns a kind of trouble, or None."""

TROUBLES = (
    "429",
    "429-after",
    "500",
    "503",
    "hang",
    "cut",
    "dropped",
    "malformed",
    "no-choices",
    "other-model",
    "filter",
    "stall",
    "drip",
)
"""What may go wrong with a chat completion."""


@dataclass
class Call:
    """One received request."""

    method: str
    path: str
    body: Any
    when: float
    trouble: str | None


@dataclass
class OpenAiServer:
    """The server and all that it records; its records survive a stop."""

    answer: Callable[[dict[str, Any]], str] = lambda body: "The best answer is: (A)."
    """Maps a chat request to the text of the reply."""
    trouble: Trouble = lambda method, path, n: None
    course: tuple[str, ...] = ("validating_files", "queued", "running", "succeeded")
    """Statuses of a job, one for each poll; the last one stays."""
    job_error: tuple[str, str] = ("invalid_training_file", "The file holds 3 rows of a kind that is not allowed.")
    trained_tokens: int | None = 123456
    thinks: str = ""
    """The thought that chat completions show in a separate field."""
    reports_usage: bool = True
    """Whether chat completions say how many tokens they took."""
    answers_as: str = ""
    """The model name in chat completions, if it differs from the requested one."""
    refuses: Callable[[dict[str, Any]], bool] = lambda body: False
    """Whether a chat request is answered by 400."""
    makes_model: bool = True
    """Whether a job that succeeded names the model that it made."""
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    stall: float = 0.3
    """Total seconds of a stall or a slow drip."""
    hang: float = 5.0
    """Seconds for which a hanging call gives no answer."""
    calls: list[Call] = field(default_factory=list)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    looked: dict[str, int] = field(default_factory=dict)
    at_once: int = 0
    most_at_once: int = 0
    port: int = 0

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        self._server: Any = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> OpenAiServer:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen, on the port of last time if there was one."""
        state = self

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def __init__(self) -> None:
                super().__init__(("127.0.0.1", state.port), _Handler)
                self.state = state
                self.open: set[socket.socket] = set()

            def process_request(self, request: Any, client_address: Any) -> None:
                self.open.add(request)
                super().process_request(request, client_address)

            def shutdown_request(self, request: Any) -> None:
                self.open.discard(request)
                super().shutdown_request(request)

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Ignore clients that disconnected."""

        self._server = Server()
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Refuse connections from now on, and cut those that are open."""
        server, self._server = self._server, None
        if server is None:
            return
        server.shutdown()
        server.server_close()
        for each in list(server.open):
            try:
                each.shutdown(socket.SHUT_RDWR)
                each.close()
            except OSError:
                pass

    def said(self, method: str, path: str) -> list[Call]:
        """The calls of that method whose path matches a pattern."""
        with self.lock:
            return [call for call in self.calls if call.method == method and re.fullmatch(path, call.path)]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def _serve(self, method: str) -> None:
        state: OpenAiServer = self.server.state
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0].removeprefix("/v1")
        with state.lock:
            trouble = state.trouble(method, path, sum(c.path == path and c.method == method for c in state.calls))
            state.calls.append(Call(method, path, self._body(raw), time.monotonic(), trouble))
            state.at_once += 1
            state.most_at_once = max(state.most_at_once, state.at_once)
        try:
            if not self._misbehave(trouble):
                self._answer(method, path, raw, trouble)
        finally:
            with state.lock:
                state.at_once -= 1

    def _body(self, raw: bytes) -> Any:
        kind = self.headers.get("Content-Type", "")
        return json.loads(raw) if raw and kind.startswith("application/json") else None

    # ------------------------------------------------------------ trouble

    def _misbehave(self, trouble: str | None) -> bool:
        """Misbehave; returns False if the call must be answered nevertheless."""
        state: OpenAiServer = self.server.state
        if trouble in ("429", "429-after"):
            after = {"Retry-After": "1"} if trouble == "429-after" else {}
            self._error(429, "Slow down.", "rate_limit_exceeded", after)
        elif trouble in ("400", "401", "404", "500", "503"):
            key = self.headers.get("Authorization", "")
            said = {"401": f"Incorrect API key provided: {key}", "400": f"Bad request by {key}\x1b[31m: not allowed."}
            self._error(int(trouble), said.get(trouble, "No."), "some_code")
        elif trouble == "hang":
            with state.lock:
                state.at_once -= 1  # the client gives up before it ends
            time.sleep(state.hang)
            with state.lock:
                state.at_once += 1
            self._drop()
        elif trouble == "dropped":
            self._drop()
        elif trouble == "cut":
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "4000")
            self.end_headers()
            self.wfile.write(b'{"id": "cut", "choices": [')
            self.wfile.flush()
            self._drop()
        elif trouble == "malformed":
            self._send(200, b'{"id": "x", "choices": [{"mess')
        elif trouble == "stall":
            time.sleep(state.stall)
            return False
        else:
            return False
        return True

    def _drop(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None, drip: float = 0.0) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        pieces = [body[i : i + 40] for i in range(0, len(body), 40)] if drip else [body]
        for piece in pieces:
            self.wfile.write(piece)
            self.wfile.flush()
            time.sleep(drip / len(pieces))

    def _json(self, value: Any, drip: float = 0.0) -> None:
        self._send(200, json.dumps(value).encode(), drip=drip)

    def _error(self, status: int, message: str, code: str, headers: dict[str, str] | None = None) -> None:
        body = {"error": {"message": message, "type": "error", "param": None, "code": code}}
        self._send(status, json.dumps(body).encode(), headers)

    # ------------------------------------------------------------ answers

    def _answer(self, method: str, path: str, raw: bytes, trouble: str | None) -> None:
        state: OpenAiServer = self.server.state
        job = re.fullmatch(r"/fine_tuning/jobs/([\w-]+)(/events|/cancel)?", path)
        if (method, path) == ("POST", "/chat/completions"):
            self._chat(json.loads(raw), trouble)
        elif path == "/models":
            self._json({"object": "list", "data": list(state.models.values())})
        elif (method, path) == ("POST", "/files"):
            self._upload(raw)
        elif path == "/files":
            self._list(reversed(list(state.files.values())))
        elif path.startswith("/files/") and path[7:] in state.files:
            self._json(state.files[path[7:]])
        elif (method, path) == ("POST", "/fine_tuning/jobs"):
            self._create(json.loads(raw), trouble)
        elif path == "/fine_tuning/jobs":
            self._list(reversed(list(state.jobs.values())))
        elif job and job[1] in state.jobs:
            self._job(job[1], job[2])
        else:
            self._error(404, f"Nothing at {path}.", "not_found")

    def _list(self, items: Any) -> None:
        self._json({"object": "list", "data": list(items), "has_more": False})

    def _chat(self, body: dict[str, Any], trouble: str | None) -> None:
        state: OpenAiServer = self.server.state
        if state.refuses(body):
            self._error(400, "This model goes on from no message of its own.", "invalid_request_error")
            return
        text = state.answer(body)
        message = {"role": "assistant", "content": text}
        message |= {"reasoning_content": state.thinks} if state.thinks else {}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        if trouble == "filter":
            choice = {"index": 0, "message": message | {"content": ""}, "finish_reason": "content_filter"}
        usage = {"prompt_tokens": 20, "completion_tokens": 8, "total_tokens": 28}
        model = "somebody-else" if trouble == "other-model" else state.answers_as or body["model"]
        reply = {"id": "chat-1", "object": "chat.completion", "created": 1, "model": model, "usage": usage}
        if not state.reports_usage:
            del reply["usage"]
        choices = [] if trouble == "no-choices" else [choice]
        self._json(reply | {"choices": choices}, drip=state.stall if trouble == "drip" else 0.0)

    def _upload(self, raw: bytes) -> None:
        state: OpenAiServer = self.server.state
        header = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        parts = list(BytesParser(policy=HTTP).parsebytes(header + raw).iter_parts())  # type: ignore[attr-defined]
        content = next(part for part in parts if part.get_filename())
        data = content.get_payload(decode=True)
        with state.lock:
            key = f"file-{len(state.files) + 1}"
            about = {"id": key, "object": "file", "bytes": len(data), "created_at": 1, "status": "processed"}
            state.files[key] = about | {"filename": content.get_filename(), "purpose": "fine-tune"}
            state.contents[key] = data
        self._json(state.files[key])

    def _create(self, body: dict[str, Any], trouble: str | None) -> None:
        """Create a job; with the trouble `lost` it is created but the response never arrives."""
        state: OpenAiServer = self.server.state
        with state.lock:
            key = f"ftjob-{len(state.jobs) + 1}"
            job = {
                "id": key,
                "object": "fine_tuning.job",
                "created_at": 1,
                "organization_id": "org",
                "result_files": [],
            }
            job |= {"model": body["model"], "training_file": body["training_file"], "seed": body.get("seed", 0)}
            job |= {"metadata": body.get("metadata"), "method": body["method"], "status": "queued", "error": None}
            job |= {"hyperparameters": body["method"]["supervised"]["hyperparameters"], "fine_tuned_model": None}
            state.jobs[key] = job | {"trained_tokens": None, "finished_at": None}
            state.looked[key] = 0
        if trouble == "lost":
            self._drop()
        else:
            self._json(state.jobs[key])

    def _job(self, key: str, what: str | None) -> None:
        state: OpenAiServer = self.server.state
        job = state.jobs[key]
        with state.lock:
            if what == "/cancel":
                job["status"] = "cancelled"
            elif what is None and job["status"] not in ("succeeded", "failed", "cancelled"):
                job["status"] = state.course[min(state.looked[key], len(state.course) - 1)]
                state.looked[key] += 1
            if job["status"] == "succeeded":
                base = job["model"]
                job |= {
                    "fine_tuned_model": f"ft:{base}:org::{key}" if state.makes_model else None,
                    "trained_tokens": state.trained_tokens,
                    "finished_at": 9,
                }
            if job["status"] == "failed":
                job["error"] = {"code": state.job_error[0], "message": state.job_error[1], "param": "training_file"}
        if what == "/events":
            self._list(reversed(list(_events(state, key))))
        else:
            self._json(job)


def _events(state: OpenAiServer, key: str) -> Iterator[dict[str, Any]]:
    """What has happened to a job so far: one message at its creation, one training step per poll."""
    base = {"object": "fine_tuning.job.event", "level": "info", "created_at": 5}
    yield base | {"id": f"{key}-0", "type": "message", "message": "Created \x1b[31mfine-tuning job", "data": {}}
    for step in range(1, state.looked[key] + 1):
        data = {"step": step, "total_steps": 4, "train_loss": 2.0 / step, "train_mean_token_accuracy": 0.5}
        yield base | {"id": f"{key}-{step}", "type": "metrics", "message": f"Step {step}/4", "data": data}
