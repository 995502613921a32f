"""Measures a daemon with many tenants: start, memory, reload, statistics, scrape, and a hit beside them.

    python3 Benchmarks/many_tenants.py PROGRAMS [--tenants N] [--repeats N]

Each tenant is a file of `tenants_directory` with a secret of its own. One of them is a stand-in, the others are never
called.
"""

import argparse
import json
import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import tempfile
import threading
import time

TIMEOUT = 120
"""The limit for each step of the measurement, in seconds."""


class Daemon:
    """A daemon of its own, with its sockets in a directory."""

    def __init__(self, programs, directory):
        self._directory = directory
        self._program = programs / "tokencached"
        self.process = None

    def start(self):
        """Starts it, and returns the seconds until it answers."""
        began = time.monotonic()
        log = (self._directory / "log").open("w")
        self.process = subprocess.Popen(
            [self._program, "--config", self._directory / "c.yaml"], stderr=log, stdout=log
        )
        while self.process.poll() is None and time.monotonic() - began < TIMEOUT:
            try:
                self.ask('{"op":"hello"}')
                return time.monotonic() - began
            except OSError:
                time.sleep(0.002)
        self.process.kill()
        raise RuntimeError(f"the daemon doesn't start: {(self._directory / 'log').read_text()}")

    def ask(self, line, name="r"):
        """Returns the reply to a line on a new connection."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(TIMEOUT)
            connection.connect(str(self._directory / name))
            connection.sendall(line.encode() + b"\n")
            return connection.makefile("rb").readline()

    def memory(self):
        """Returns the resident memory in MiB."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024

    def descriptors(self):
        """Returns the number of open files."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def processor_time(self):
        """Returns the seconds of processor time so far."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        """Ends it."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(TIMEOUT)


class Hits(threading.Thread):
    """Asks for one cached token again and again on one connection, and keeps the slowest reply."""

    def __init__(self, path, line):
        super().__init__(daemon=True)
        self._path, self._line = path, line
        self._ends = threading.Event()
        self.times = []

    def run(self):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._path))
            replies = connection.makefile("rb")
            while not self._ends.is_set():
                began = time.monotonic()
                connection.sendall(self._line)
                replies.readline()
                self.times.append((began, time.monotonic() - began))
                time.sleep(0.0002)

    def slowest(self, began, ended):
        """Returns the slowest reply in milliseconds of those that were asked for in a time."""
        return 1_000 * max((taken for asked, taken in self.times if began - 0.5 < asked <= ended), default=0)

    def end(self):
        """Ends it."""
        self._ends.set()
        self.join()


def configure(directory, tenants, stand_in):
    """Writes a configuration of this many tenants, of which `t0` is the stand-in."""
    (directory / "tenants.d").mkdir()
    (directory / "secrets").mkdir()
    (directory / "c.yaml").write_text(
        f"sockets: {{ requests: {{ path: {directory}/r }}, admin: {{ path: {directory}/a }} }}\n"
        f"tenants_directory: {directory}/tenants.d\n"
        "default_tenant: t0\n"
        "audit: { to: none }\n"
    )
    for number in range(tenants):
        secret = directory / "secrets" / f"t{number}"
        secret.write_text("standin-secret")
        secret.chmod(0o600)
        write_tenant(directory, number, stand_in if number == 0 else f"https://t{number}.example")


def write_tenant(directory, number, host, options=""):
    """Writes the file of one tenant."""
    (directory / "tenants.d" / f"t{number}.yaml").write_text(
        f"host: {host}\n"
        "client_id: standin-client\n"
        f"client_secret: {{ file: {directory}/secrets/t{number} }}\n"
        f"{options}"
    )


def start_stand_in(programs):
    """Starts a stand-in tenant, and returns its process and its URL."""
    process = subprocess.Popen([programs / "standin-tenant"], stdout=subprocess.PIPE, text=True)
    return process, process.stdout.readline().strip()


def measure(step, repeats, hits):
    """Returns the median time of a step, and the slowest hit beside it, in milliseconds."""
    times, slowest = [], []
    for repeat in range(repeats):
        time.sleep(0.1)
        began = time.monotonic()
        step(repeat)
        ended = time.monotonic()
        times.append(1_000 * (ended - began))
        time.sleep(0.1)
        slowest.append(hits.slowest(ended - times[-1] / 1_000, ended))
    return statistics.median(times), statistics.median(slowest)


def run(programs, tenants, repeats):
    """Prints one table."""
    process, stand_in = start_stand_in(programs)
    try:
        with tempfile.TemporaryDirectory(prefix="tkc-", dir="/tmp") as path:
            directory = pathlib.Path(path)
            configure(directory, tenants, stand_in)
            daemon = Daemon(programs, directory)
            starts = []
            for _ in range(repeats):
                starts.append(1_000 * daemon.start())
                daemon.stop()
            daemon.start()
            try:
                report(daemon, directory, stand_in, tenants, repeats, statistics.median(starts))
            finally:
                daemon.stop()
    finally:
        process.terminate()
        process.wait()


def report(daemon, directory, stand_in, tenants, repeats, start):
    """Measures a running daemon, and prints the results."""
    line = b'{"op":"token","subject":"ann"}\n'
    reply = json.loads(daemon.ask(line.decode().strip()))
    assert "access_token" in reply, reply
    before = daemon.processor_time()
    time.sleep(5)
    idle = 1_000 * (daemon.processor_time() - before) / 5
    memory, files = daemon.memory(), daemon.descriptors()
    hits = Hits(directory / "r", line)
    hits.start()

    def change(repeat):
        host = stand_in if tenants == 1 else f"https://t{tenants - 1}.example"
        write_tenant(directory, tenants - 1, host, f"max_concurrent: {repeat % 2 + 1}\n")
        reply = json.loads(daemon.ask('{"op":"reload"}', "a"))
        assert reply.get("reloaded"), reply

    rows = [
        ("nothing", measure(lambda _: time.sleep(0.1), repeats, hits)),
        ("`reload` that changes one tenant", measure(change, repeats, hits)),
        ("`stats`", measure(lambda _: daemon.ask('{"op":"stats"}', "a"), repeats, hits)),
        ("`metrics`", measure(lambda _: daemon.ask('{"op":"metrics"}', "a"), repeats, hits)),
        ("`health`", measure(lambda _: daemon.ask('{"op":"health"}', "a"), repeats, hits)),
    ]
    hits.end()
    print(
        f"{tenants} tenants: start {start:.0f} ms, resident memory {memory:.0f} MiB, {files} open files, "
        f"idle {idle:.1f} ms of processor time a second, resident memory after the measurement {daemon.memory():.0f} MiB"
    )
    for name, (taken, slowest) in rows:
        print(f"  {name:34} {taken:8.1f} ms, slowest hit beside it {slowest:6.2f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("programs", type=pathlib.Path, help="the directory of the programs")
    parser.add_argument("--tenants", type=int, nargs="+", default=[1, 1_000])
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    for tenants in arguments.tenants:
        run(arguments.programs.resolve(), tenants, arguments.repeats)


if __name__ == "__main__":
    main()
