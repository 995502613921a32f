"""Counts the instructions of the whole daemon for a hit, under callgrind.

Counts repeat within a hundredth: the input is the same in each run, and the daemon is stopped while a round of requests
is sent, so that it finds all of them in one turn. Only what the daemon runs itself is counted, not the kernel.

    python3 Benchmarks/daemon_instructions.py PROGRAMS OWN SHAPE...

A shape is `CONNECTIONSxREQUESTS`: the requests that are sent together on each of some connections. Prints a line with
`daemon/SHAPE` and the count for each.
"""

import os
import pathlib
import signal
import socket
import subprocess
import sys

import servers

USERS = 64
BATCHES = 8
ROUNDS = 50
"""The rounds of a batch."""
WARM_UP = 100
DETERMINISTIC = {
    "SWIFT_DETERMINISTIC_HASHING": "1",
    # The functions that every processor of the architecture has. callgrind would also count each byte of `rep stosb`.
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX,-AVX2,-AVX_Fast_Unaligned_Load,-AVX512F,-AVX512VL,-ERMS,-FSRM",
}


class CountedDaemon(servers.Daemon):
    """The daemon under callgrind."""

    def spawn(self, command, log):
        """Returns a new process."""
        # valgrind can't read the debug information of a program with Swift's libraries in it.
        program = self._directory / "tokencached"
        subprocess.run(["strip", "--strip-debug", "-o", program, command[0]], check=True)
        self._counts = self._directory / "counts"
        tool = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={self._counts}", program]
        return subprocess.Popen([*tool, *command[1:]], stdout=log, stderr=log, env=dict(os.environ, **DETERMINISTIC))

    def count(self):
        """Returns the number of instructions since the last call."""
        process = str(self.process.pid)
        subprocess.run(["callgrind_control", "--dump", process], check=True, capture_output=True)
        newest = max(self._directory.glob("counts.*"), key=lambda path: int(path.suffix[1:]))
        totals = [line for line in newest.read_text().splitlines() if line.startswith("totals:")]
        return int(totals[0].split()[1])

    def stop_for_a_moment(self):
        """Stops the process."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitpid(self.process.pid, os.WUNTRACED)

    def continue_again(self):
        """Lets the process go on."""
        self.process.send_signal(signal.SIGCONT)


class Load:
    """Some connections, and the requests that are sent on them together."""

    def __init__(self, daemon, connections, requests):
        self._daemon, self._requests, self._next = daemon, requests, 0
        self._sockets = []
        for _ in range(connections):
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(servers.TIMEOUT)
            connection.connect(daemon.socket)
            self._sockets.append(connection)

    def play(self, rounds):
        """Sends some rounds of requests, receives all replies, and returns the number of requests."""
        for _ in range(rounds):
            self._daemon.stop_for_a_moment()
            for connection in self._sockets:
                connection.sendall(b"".join(self._line(number) for number in range(self._requests)))
            self._daemon.continue_again()
            for connection in self._sockets:
                self._receive(connection)
        return rounds * len(self._sockets) * self._requests

    def close(self):
        """Closes the connections."""
        for connection in self._sockets:
            connection.close()

    def _line(self, number):
        self._next = (self._next + 1) % USERS
        return b'{"id":%d,"op":"token","subject":"%s"}\n' % (number, (servers.KEY % self._next).encode())

    def _receive(self, connection):
        replies = b""
        while replies.count(b"\n") < self._requests:
            replies += connection.recv(1 << 20) or sys.exit("the daemon has closed a connection")
        if replies.count(b'"source":"cache"') != self._requests:
            raise RuntimeError("the daemon should have answered from its cache")


def measure(programs, own, shapes):
    """Prints the instructions of a hit for each shape."""
    with servers.Stage(servers.Tools(programs, own)) as stage:
        daemon = CountedDaemon(stage, servers.Tenant(stage))
        for _ in range(2):
            daemon.fill(servers.keys(USERS))
        for shape in shapes:
            load = Load(daemon, *map(int, shape.split("x")))
            load.play(WARM_UP)
            daemon.count()
            # Timers go by the time that passes. Other work on the machine adds to a batch, and never takes from it.
            count = min(daemon.count() // hits for hits in (load.play(ROUNDS) for _ in range(BATCHES)))
            print(f"daemon/{shape} {count}", flush=True)
            load.close()


if __name__ == "__main__":
    measure(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:])
