"""Installing a browser for the tests of the page: it uses apt only if it may, and says why if that fails."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from browser import chromium


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is all of the path; one is root there."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(chromium, "_by_pip", lambda: "")
    return tmp_path


def program(path: Path, name: str, text: str) -> None:
    (path / name).write_text(f"#!/bin/sh\n{text}\n")
    (path / name).chmod(0o755)


def test_one_that_is_there_is_taken(path: Path) -> None:
    program(path, "apt-get", "exit 7")
    program(path, "google-chrome", "exit 0")
    assert chromium.install() == f"{path / 'google-chrome'} for the tests of the page"


def test_apt_installs_it(path: Path) -> None:
    put = f'printf "" > {path}/chromium && /bin/chmod 755 {path}/chromium'
    program(path, "apt-get", f'echo "$@" >> {path}/said\ncase "$*" in *install*) {put};; esac')
    assert chromium.install() == f"{path / 'chromium'} for the tests of the page"
    update, install = (path / "said").read_text().splitlines()
    assert "update" in update and install.endswith("--no-install-recommends chromium fonts-dejavu-core")


@pytest.mark.parametrize(
    ("apt", "root", "why"),
    [
        ("", True, "no apt-get here"),
        ("exit 0", False, "not root"),
        ("echo E: no mirror >&2; exit 100", True, "E: no mirror"),
    ],
)
def test_what_stands_in_the_way_is_said(
    path: Path, monkeypatch: pytest.MonkeyPatch, apt: str, root: bool, why: str
) -> None:
    if apt:
        program(path, "apt-get", apt)
    monkeypatch.setattr(os, "geteuid", lambda: 0 if root else 1000)
    said = chromium.install()
    assert why in said and said.endswith("will be skipped")
