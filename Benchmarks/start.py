"""Measures the start of a daemon: the time from exec to the first reply and to being ready, and the idle memory.

A stand-in for the service manager binds the sockets and passes them, as systemd does. The same is measured through the
real systemd-socket-activate, and its own share with a program that answers at once.

    python3 Benchmarks/start.py PROGRAMS [--starts N]
"""

import argparse
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

FIRST_DESCRIPTOR = 3
"""The first descriptor that the service manager passes (sd_listen_fds(3))."""
TIMEOUT = 60
"""The limit for each step of the measurement, in seconds."""
IDLE = 1
"""The seconds after the start at which the idle memory is read."""
SOCKETS = ("requests", "admin")
HELLO = b'{"op":"hello"}\n'
TOKEN = b'{"op":"token","subject":"user-1"}\n'
ANSWERING = """
import socket
listening = socket.socket(fileno=3)
connection = listening.accept()[0]
connection.recv(4096)
connection.sendall(b"{}\\n")
listening.accept()
"""
"""A program that answers the first line on the first socket that is passed to it."""


class Notifications:
    """The socket on which a daemon says that it is ready."""

    def __init__(self, path):
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(path)
        self._socket.settimeout(TIMEOUT)

    def wait_until_ready(self):
        while True:
            message, descriptors, _, _ = socket.recv_fds(self._socket, 65536, 16)
            # The descriptor of a BARRIER=1: closing it confirms that all earlier notifications were read.
            for descriptor in descriptors:
                os.close(descriptor)
            if b"READY=1" in message.splitlines():
                return


class Tenant:
    """A stand-in tenant, with the configuration of a daemon that calls it."""

    def __init__(self, programs, directory):
        self.configuration = directory / "tokencached.yaml"
        (directory / "secret").write_text("bench-secret")
        (directory / "secret").chmod(0o600)
        ready = directory / "tenant"
        options = {"--client-id": "bench", "--client-secret": "bench-secret", "--ready-file": ready}
        self._process = subprocess.Popen(
            [programs / "standin-tenant", *(word for option in options.items() for word in option)],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + TIMEOUT
        while not ready.exists():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError("the tenant did not start")
            time.sleep(0.01)
        settings = f"client_id: bench, client_secret: {{ file: {directory}/secret }}"
        # The second tenant is never called. It has TLS, so that the daemon reads the system's certificate authorities.
        self.configuration.write_text(
            "default_tenant: main\n"
            "tenants:\n"
            f"  main: {{ host: '{ready.read_text().strip()}', {settings} }}\n"
            f"  other: {{ host: 'https://tenant.example', {settings} }}\n"
        )

    def end(self):
        self._process.kill()
        self._process.wait()


class Start:
    """One start of a daemon with sockets that were bound before."""

    def __init__(self, command, directory, log):
        self._directory = pathlib.Path(tempfile.mkdtemp(dir=directory))
        self._notifications = Notifications(str(self._directory / "notifications"))
        self._listening = [self._listen(name) for name in SOCKETS]
        self.began = time.monotonic()
        self.process = self._spawn(command, log)

    def _listen(self, name):
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(self._directory / name))
        listening.listen(4096)
        return listening

    def _spawn(self, command, log):
        environment = {
            **os.environ,
            "NOTIFY_SOCKET": self._notifications.path,
            "LISTEN_FDS": str(len(SOCKETS)),
            "LISTEN_FDNAMES": ":".join(SOCKETS),
        }
        process = os.fork()
        if process:
            return process
        try:
            # Far above their final numbers first, so that none is overwritten before it is moved.
            moved = [os.dup2(listening.fileno(), 100 + index) for index, listening in enumerate(self._listening)]
            for index, descriptor in enumerate(moved):
                os.dup2(descriptor, FIRST_DESCRIPTOR + index)
            for stream in (1, 2):
                os.dup2(log.fileno(), stream)
            os.closerange(FIRST_DESCRIPTOR + len(moved), 256)
            os.execve(command[0], command, {**environment, "LISTEN_PID": str(os.getpid())})
        finally:
            os._exit(127)

    def ask(self, line):
        """Returns the reply to a line on a new connection."""
        return ask(self._directory / SOCKETS[0], line)

    def wait_until_ready(self):
        self._notifications.wait_until_ready()

    def memory(self):
        """Returns the resident memory in MiB: all of it, and the part that no file backs."""
        status = pathlib.Path(f"/proc/{self.process}/status").read_text()
        return [int(status.split(f"{name}:")[1].split()[0]) / 1024 for name in ("VmRSS", "RssAnon")]

    def end(self):
        os.kill(self.process, signal.SIGTERM)
        os.waitpid(self.process, 0)
        for listening in self._listening:
            listening.close()


def ask(path, line):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(TIMEOUT)
        connection.connect(str(path))
        connection.sendall(line)
        with connection.makefile("rb") as replies:
            reply = replies.readline()
    if not reply.endswith(b"\n"):
        raise RuntimeError(f"no reply to {line!r}")
    return reply


def seconds(command, directory, log, wait):
    """Returns the seconds from exec until a start has come as far as a function waits for."""
    start = Start(command, directory, log)
    try:
        wait(start)
        return time.monotonic() - start.began
    finally:
        start.end()


def activated(command, directory, log):
    """Returns the seconds from the connection to systemd-socket-activate until the first reply."""
    directory = pathlib.Path(tempfile.mkdtemp(dir=directory))
    paths = [directory / name for name in SOCKETS]
    activate = ["systemd-socket-activate", *(f"--listen={path}" for path in paths)]
    environment = [f"--setenv={name}" for name in os.environ if name.startswith("LC_")]
    process = subprocess.Popen(
        [*activate, *environment, f"--fdname={':'.join(SOCKETS)}", *command], stderr=log, stdout=log
    )
    try:
        deadline = time.monotonic() + TIMEOUT
        while not listens(paths[-1]):
            if time.monotonic() > deadline or process.poll() is not None:
                raise RuntimeError("systemd-socket-activate did not start")
            time.sleep(0.01)
        began = time.monotonic()
        ask(paths[0], HELLO)
        return time.monotonic() - began
    finally:
        process.terminate()
        process.wait()


def listens(path):
    """Returns true once a socket is bound there and listens, without connecting to it."""
    # The flags of a listening socket (__SO_ACCEPTCON).
    lines = pathlib.Path("/proc/net/unix").read_text().splitlines()
    return any(line.endswith(f" {path}") and line.split()[3] == "00010000" for line in lines)


def memories(command, directory, log):
    """Returns the memory of a daemon that was started a second ago, and that after its first mint."""
    start = Start(command, directory, log)
    try:
        start.wait_until_ready()
        time.sleep(IDLE)
        idle = start.memory()
        if b'"access_token"' not in (reply := start.ask(TOKEN)):
            raise RuntimeError(f"no token: {reply!r}")
        time.sleep(IDLE)
        return idle, start.memory()
    finally:
        start.end()


def print_times(title, values):
    low, middle, high = (1_000 * figure(values) for figure in (min, statistics.median, max))
    print(f"| {title} | {low:.1f} | {middle:.1f} | {high:.1f} |")


def kinds_of_start(daemon, directory, log):
    """Returns the kinds of start by title, each a function that measures one."""

    def reply(start):
        start.ask(HELLO)

    def end(start):
        os.waitid(os.P_PID, start.process, os.WEXITED | os.WNOWAIT)

    answering = [sys.executable, "-S", "-E", "-c", ANSWERING]
    kinds = {
        "first reply": lambda: seconds(daemon, directory, log, reply),
        "ready": lambda: seconds(daemon, directory, log, Start.wait_until_ready),
        "end of `tokencached --version`": lambda: seconds([daemon[0], "--version"], directory, log, end),
    }
    if shutil.which("systemd-socket-activate"):
        kinds["first reply through systemd-socket-activate"] = lambda: activated(daemon, directory, log)
        kinds["the same, of a script that answers at once"] = lambda: activated(answering, directory, log)
        kinds["that script's first reply without it"] = lambda: seconds(answering, directory, log, reply)
    return kinds


def measure(programs, starts, directory):
    tenant = Tenant(programs, directory)
    daemon = [str(programs / "tokencached"), "--config", str(tenant.configuration)]
    try:
        with open(directory / "log", "a") as log:
            kinds = kinds_of_start(daemon, directory, log)
            times = {title: [] for title in kinds}
            # In turn, so that a disturbance of the machine meets all kinds.
            for _ in range(starts):
                for title, kind in kinds.items():
                    times[title].append(kind())
            for title, values in times.items():
                print_times(title, values)
            idle, minted = memories(daemon, directory, log)
    finally:
        tenant.end()
    print("\nResident memory in MiB, and the part of it that no file backs\n")
    print("| | resident | of no file |\n|---|---:|---:|")
    rows = {"a second after the start": idle, "a second after the first mint": minted}
    for title, (resident, anonymous) in rows.items():
        print(f"| {title} | {resident:.1f} | {anonymous:.1f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", type=pathlib.Path, help="the directory of the built programs")
    parser.add_argument("--starts", type=int, default=20)
    arguments = parser.parse_args()
    print(f"{arguments.starts} starts of each kind; ms from exec, or from the connection\n")
    print("| until | least | median | most |\n|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as name:
        measure(arguments.programs.resolve(), arguments.starts, pathlib.Path(name))


if __name__ == "__main__":
    main()
