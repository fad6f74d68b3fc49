"""A server on 127.0.0.1 that speaks the part of the Hugging Face hub's API that pushing and pulling use.

Tests use it through huggingface_hub itself. Repositories are dictionaries of files; large files arrive by LFS.

    with HubServer() as server:
        HfApi(endpoint=server.url, token="hf_test").create_repo("me/rows", repo_type="dataset")
        server.files("datasets/me/rows")
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

TOKEN = "hf_testtoken"  # the only one that may write
PREFIXES = {"model": "", "dataset": "datasets/", "space": "spaces/"}


@dataclass
class HubRepo:
    """One repository."""

    private: bool
    files: dict[str, bytes] = field(default_factory=dict)
    large: set[str] = field(default_factory=set)

    @property
    def commit(self) -> str:
        return hashlib.sha1(repr(sorted(self.files.items())).encode()).hexdigest()


class HubServer:
    """The server; it runs while the `with` block does."""

    def __init__(self) -> None:
        self.repos: dict[str, HubRepo] = {}
        self.blobs: dict[str, bytes] = {}
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def handle_one(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.headers.get("Transfer-Encoding") == "chunked":
                    body = b"".join(iter(self.chunk, b""))
                path = unquote(urlsplit(self.path).path)
                status, answer, headers = server.answer(self.command, path, body, self.headers.get("Authorization"))
                content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            def chunk(self) -> bytes:
                size = int(self.rfile.readline(), 16)
                data = self.rfile.read(size)
                self.rfile.readline()
                return data

            do_GET = do_HEAD = do_POST = do_PUT = handle_one

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def __enter__(self) -> HubServer:
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.http.shutdown()
        self.http.server_close()

    def answer(self, method: str, path: str, body: bytes, auth: str | None) -> tuple[int, Any, dict[str, str]]:
        """Status, body and headers of one request."""
        may_write = auth == f"Bearer {TOKEN}"
        if method in ("POST", "PUT") and not may_write and not path.startswith("/lfs/"):
            return 401, {"error": "Invalid credentials"}, {}
        if path == "/api/repos/create":
            return self.create(json.loads(body))
        if path == "/api/validate-yaml":
            return self.card(json.loads(body)["content"])
        if match := re.fullmatch(r"/lfs/(\w+)", path):
            self.blobs[match[1]] = body
            return 200, {}, {}
        if match := re.fullmatch(r"/(datasets/|spaces/)?([^/]+/[^/]+)\.git/info/lfs/objects/batch", path):
            upload = [
                one | {"actions": {"upload": {"href": f"{self.url}/lfs/{one['oid']}"}}}
                for one in json.loads(body)["objects"]
            ]
            return 200, {"transfer": "basic", "objects": upload}, {}
        if match := re.fullmatch(r"/api/(model|dataset|space)s/([^/]+/[^/]+)(?:/(\w+)/(.*))?", path):
            key = PREFIXES[match[1]] + match[2]
            repo = self.repos.get(key)
            if repo is None or (repo.private and not may_write):
                return (
                    401 if not may_write else 404,
                    {"error": "Repository Not Found"},
                    {"X-Error-Code": "RepoNotFound"},
                )
            return self.about(repo, match[2], match[3] or "revision", body)
        if match := re.fullmatch(r"/(datasets/|spaces/)?([^/]+/[^/]+)/resolve/[^/]+/(.+)", path):
            repo = self.repos.get((match[1] or "") + match[2])
            if repo is None or match[3] not in repo.files:
                return 404, b"", {"X-Error-Code": "EntryNotFound"}
            content = repo.files[match[3]]
            return 200, content, {"ETag": f'"{hashlib.sha1(content).hexdigest()}"', "X-Repo-Commit": repo.commit}
        return 404, {"error": f"{method} {path}"}, {}

    def card(self, text: str) -> tuple[int, Any, dict[str, str]]:
        """Refuse, as the hub does, a card whose header is not YAML, or names a licence or files in a wrong form."""
        header = yaml.safe_load(text.split("---")[1])
        good = isinstance(header, dict) and isinstance(header.get("configs", []), list)
        return (200, {"errors": [], "warnings": []}, {}) if good else (400, {"errors": [{"message": "no YAML"}]}, {})

    def create(self, asked: dict[str, Any]) -> tuple[int, Any, dict[str, str]]:
        """Create a repository, or return 409 if it exists."""
        kind = asked.get("type") or "model"
        if kind == "space" and asked.get("sdk") != "static":
            return 400, {"error": "A Space needs an SDK"}, {}
        key = f"{PREFIXES[kind]}{asked.get('organization') or 'me'}/{asked['name']}"
        if key in self.repos:
            return 409, {"error": "You already created this repo", "url": f"{self.url}/{key}"}, {}
        private = asked.get("private") or asked.get("visibility") == "private"
        self.repos[key] = HubRepo(bool(private))
        return 200, {"url": f"{self.url}/{key}", "name": key}, {}

    def about(self, repo: HubRepo, name: str, what: str, body: bytes) -> tuple[int, Any, dict[str, str]]:
        """What a repository holds, how files are to be sent, and a commit."""
        if what == "preupload":
            modes = [
                {
                    "path": one["path"],
                    "uploadMode": "lfs" if one["path"].endswith(".safetensors") else "regular",
                    "shouldIgnore": False,
                }
                for one in json.loads(body)["files"]
            ]
            return 200, {"files": modes}, {}
        if what == "commit":
            for line in map(json.loads, filter(None, body.splitlines())):
                value = line["value"]
                if line["key"] == "file":
                    repo.files[value["path"]] = base64.b64decode(value["content"])
                elif line["key"] == "lfsFile":
                    repo.files[value["path"]] = self.blobs[value["oid"]]
                    repo.large.add(value["path"])
            return (
                200,
                {"success": True, "commitOid": repo.commit, "commitUrl": f"{self.url}/{name}/commit/{repo.commit}"},
                {},
            )
        siblings = [{"rfilename": path, "size": len(content)} for path, content in repo.files.items()]
        tree = [
            {"type": "file", "path": path, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
            for path, content in repo.files.items()
        ]
        return 200, tree if what == "tree" else {"id": name, "sha": repo.commit, "siblings": siblings}, {}
