"""Work that goes on in a process of its own while hits are measured.

Each kind of work is a function that is called with an `Until`, and returns once that is over. Its processes take only
the time that the measured ones leave, as if they ran on other machines.
"""

import contextlib
import multiprocessing
import os
import select
import socket
import time

import servers


class Until:
    """The time at which work ends, and what it has done."""

    def __init__(self):
        self._ended = multiprocessing.Event()
        self._started = multiprocessing.Event()
        self._done = multiprocessing.Value("q", 0)

    def every(self, seconds):
        """Yields at regular times, the first one at once, until the work is to end."""
        due = time.monotonic()
        while True:
            yield
            self._started.set()
            due = max(due + seconds, time.monotonic())
            if self._ended.wait(max(0, due - time.monotonic())):
                return

    def count(self, number=1):
        """Counts what was done."""
        self._done.value += number

    def run(self, work):
        """Does the work in this process."""
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        work(self)

    def wait_for_start(self, process):
        """Waits until the first round is over."""
        deadline = time.monotonic() + servers.TIMEOUT
        while not self._started.wait(0.05):
            if process.exitcode is not None or time.monotonic() > deadline:
                raise RuntimeError("the work beside the hits failed")

    def end(self):
        """Lets the work end."""
        self._ended.set()

    @property
    def done(self):
        """The number of things done."""
        return self._done.value


@contextlib.contextmanager
def beside(work):
    """Does work while the caller measures, and fails if the work has failed."""
    until = Until()
    process = multiprocessing.get_context("fork").Process(target=until.run, args=(work,), daemon=True)
    process.start()
    try:
        until.wait_for_start(process)
        yield until
    finally:
        until.end()
        process.join(servers.TIMEOUT)
    if process.exitcode != 0:
        raise RuntimeError("the work beside the hits failed")


def nothing(until):
    """Waits."""
    for _ in until.every(0.1):
        pass


def mint(daemon, per_second, first):
    """Requests the tokens of new users at a steady rate."""

    def work(until):
        number, owed, began = first, 0, time.monotonic()
        with contextlib.closing(connect(daemon.socket)) as connection:
            for _ in until.every(0.005):
                due = first + int((time.monotonic() - began) * per_second)
                lines = [
                    b'{"op":"token","subject":"%s"}\n' % key.encode() for key in servers.keys(due - number, number)
                ]
                connection.sendall(b"".join(lines))
                number, owed = due, owed + len(lines)
                while owed and select.select([connection], [], [], 0)[0]:
                    count = connection.recv(1 << 20).count(b"\n")
                    owed -= count
                    until.count(count)

    return work


def ask(daemon, line, seconds):
    """Makes an administrator's request at regular times."""

    def work(until):
        for _ in until.every(seconds):
            daemon.ask(line)
            until.count()

    return work


def reload(daemon, seconds, **settings):
    """Reloads at regular times, each time with another tenant's setting and, with settings, with those in turn."""

    def work(until):
        for number, _ in enumerate(until.every(seconds)):
            chosen = {name: values[number % len(values)] for name, values in settings.items()}
            daemon.configure(max_concurrent=64 + number % 2, **chosen)
            daemon.ask('{"op":"reload"}')
            until.count()

    return work


def connect(path):
    """Returns a new connection."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    return connection


class Hostile:
    """A connection that sends something and neither waits nor, if `reads` is false, reads."""

    def __init__(self, path, data, reads):
        self._path, self._data, self._reads = path, data, reads
        self._open()

    def _open(self):
        self._connection = connect(self._path)
        self._connection.setblocking(False)

    def go_on(self):
        """Sends once more as much as the socket takes, and reads what has come."""
        try:
            if self._reads and not self._connection.recv(1 << 20):
                raise ConnectionResetError
        except BlockingIOError:
            pass
        except ConnectionError:
            return self._reopen()
        try:
            self._connection.send(self._data)
        except BlockingIOError:
            pass
        except ConnectionError:
            self._reopen()

    def _reopen(self):
        self._connection.close()
        self._open()


def crowd(daemon, idle=500, hostile=50):
    """Keeps idle and hostile connections open.

    Of five hostile ones, two send malformed lines in batches, two send the beginning of a line piece by piece, and one
    requests tokens and reads no reply.
    """
    kinds = [
        (b'{"op":"token","subject":\n' * 25 + b"\xff\xfe{]\n" * 25, True),
        (b'{"op":"token","subject":"' + b"x" * 900, True),
        (b'{"op":"tok\n' * 50, True),
        (b"x" * 100, True),
        (b'{"op":"token","subject":"%s"}\n' % next(servers.keys(1)).encode() * 50, False),
    ]

    def work(until):
        waiting = [connect(daemon.socket) for _ in range(idle)]
        attacking = [Hostile(daemon.socket, *kinds[number % len(kinds)]) for number in range(hostile)]
        for _ in until.every(0.05):
            for connection in attacking:
                connection.go_on()
                until.count()
        for connection in waiting:
            connection.close()

    return work
