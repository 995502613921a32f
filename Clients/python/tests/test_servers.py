"""The servers, event loops and frameworks that the README names."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from support import TIMEOUT, Stage, eventually

TESTS = Path(__file__).parent
# The server, the application, its options, the views that it can serve, and those that it can serve concurrently.
BOTH = ("sync", "async")
SERVERS = {
    "gunicorn sync, Flask": ("gunicorn", "flask_app", "--worker-class=sync --workers=2", BOTH, ()),
    "gunicorn sync, Django": ("gunicorn", "django_app:wsgi", "--worker-class=sync --workers=2", BOTH, ()),
    "gunicorn gthread, Flask": ("gunicorn", "flask_app", "--worker-class=gthread --threads=8", BOTH, BOTH),
    "gunicorn gthread, Django": ("gunicorn", "django_app:wsgi", "--worker-class=gthread --threads=8", BOTH, BOTH),
    "gunicorn gevent, Flask": ("gunicorn", "flask_app", "--worker-class=gevent", ("sync",), ("sync",)),
    "gunicorn gevent, Django": ("gunicorn", "django_app:wsgi", "--worker-class=gevent", ("sync",), ("sync",)),
    "uvicorn on uvloop, Django": ("uvicorn", "django_app:asgi", "--loop=uvloop", BOTH, ("async",)),
    "uvicorn on asyncio, Django": ("uvicorn", "django_app:asgi", "--loop=asyncio", BOTH, ("async",)),
}
# The client makes a call before the workers are forked.
PRELOADED = [name for name in SERVERS if name.startswith("gunicorn")]
WAITING = 5


@pytest.fixture
def stage() -> Iterator[Stage]:
    with Stage() as stage:
        yield stage


@contextlib.contextmanager
def serving(program: str, application: str, options: list[str], stage: Stage) -> Iterator[httpx.Client]:
    """Runs the server as a process, and gives a client for it. The server has to end on its signal."""
    path = stage.directory / "server.sock"
    binding = f"--bind=unix:{path}" if program == "gunicorn" else f"--uds={path}"
    environment = {
        **os.environ,
        "TOKENCACHED_SOCKET": stage.socket,
        "PYTHONPATH": f"{TESTS.parent / 'src'}:{TESTS / 'apps'}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    if program == "gunicorn":
        options = [*options, "--no-control-socket"]
    if "--preload" in options:
        environment["ASK_AT_IMPORT"] = "yes"
    log = stage.directory / "server.log"
    with open(log, "ab") as output:
        command = [sys.executable, "-m", program, application, binding, *options]
        # The server has a session of its own, so that its workers end with it.
        server = subprocess.Popen(
            command, env=environment, cwd=stage.directory, stdout=output, stderr=output, start_new_session=True
        )
    try:
        eventually(lambda: _listens(path) or server.poll() is not None, log.read_text)
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://x", timeout=TIMEOUT) as client:
            yield client
        server.terminate()
        # After its shutdown uvicorn raises the signal again.
        assert server.wait(TIMEOUT) in (0, -signal.SIGTERM), log.read_text()
        assert "Traceback" not in log.read_text(), log.read_text()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(str(path)) == 0


@pytest.mark.parametrize(
    ("name", "more"), [(name, []) for name in SERVERS] + [(name, ["--preload"]) for name in PRELOADED]
)
def test_server(name: str, more: list[str], stage: Stage) -> None:
    program, application, options, views, concurrent = SERVERS[name]
    with (
        serving(program, application, [*options.split(), *more], stage) as client,
        ThreadPoolExecutor(20) as pool,
    ):

        def ask(url: str) -> str:
            return client.get(url).raise_for_status().text

        for view in views:
            assert len(set(pool.map(ask, [f"/{view}/alice"] * 60))) == 1
        for view in concurrent:
            # Requests that wait for the tenant don't delay one whose token is cached.
            stage.control("hold", {})
            waiting = [pool.submit(ask, f"/{view}/{view}-{index}") for index in range(WAITING)]
            stage.counter("held", WAITING)
            assert ask(f"/{view}/alice")
            assert not any(call.done() for call in waiting)
            stage.control("release", {})
            assert len({call.result(TIMEOUT) for call in waiting}) == WAITING


@pytest.mark.parametrize("when", ["made", "asked"])
def test_a_client_may_be_there_before_gevent(when: str, stage: Stage) -> None:
    environment = {**os.environ, "TOKENCACHED_SOCKET": stage.socket, "PYTHONPATH": str(TESTS.parent / "src")}
    command = [sys.executable, str(TESTS / "apps" / "gevent_script.py"), when]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIMEOUT)
    assert (done.returncode, done.stderr) == (0, "")
    first = "cache" if when == "asked" else "tenant"
    assert done.stdout.splitlines() == [f"{first} timeout timeout timeout", "cache", "cache"]
