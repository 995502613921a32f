"""Measures the time until a restarted daemon answers with the tokens that were kept for it.

A stand-in for the service manager holds the sockets and the stored descriptors, as systemd does. An application
connects at once and requests one token. The time from the start of the process until the reply is measured for the
token that was used longest ago and for the one that was used last, beside the time until the daemon is ready.

    python3 Benchmarks/warm_start.py PROGRAMS OWN [--quick] [--large] [--results FILE]
"""

import statistics
import time

import servers
from manager import Manager

MIB = 1 << 20


class Restarts:
    """A daemon that is killed and started again, and the times until it answers."""

    def __init__(self, stage, users):
        self._users = users
        self._manager = Manager(stage.directory)
        cache = f"max_entries: {users}, keep_across_restarts: true"
        self._daemon = servers.Daemon(stage, servers.Tenant(stage), cache, self._manager)
        self._times = {}
        self._memory = {}

    def run(self, starts):
        """Starts the daemon without tokens, and with all, this often each."""
        for _ in range(starts):
            self._restart("no tokens", b'{"op":"hello"}\n', b'{"server"')
        self._memory["empty"] = self._daemon.memory() / MIB
        self._daemon.fill(servers.keys(self._users))
        self._memory["full"] = self._daemon.memory() / MIB
        kept = f"{self._users:,} tokens"
        for start in range(starts):
            # Each of these was used longest ago, because the one before it has been used since.
            self._restart(f"{kept}, the one that was used longest ago", self._request(start))
            self._restart(f"{kept}, the one that was used last", self._request(self._users - 1))
        self._memory["after a warm start"] = self._daemon.memory() / MIB
        self._check()
        times = {
            title: {kind: self._figures(found) for kind, found in kinds.items()} for title, kinds in self._times.items()
        }
        return {"times": times, "memory_mib": self._memory, "starts": starts}

    @staticmethod
    def _request(number):
        return b'{"op":"token","subject":"%s"}\n' % next(servers.keys(1, number)).encode()

    def _restart(self, title, request, expected=b'{"access_token"'):
        """Kills the daemon as a crash would, starts it, and measures its times."""
        self._daemon.stop()
        began = time.monotonic()
        self._daemon.begin()
        with self._daemon.open() as lines:
            lines.exchange([request], expected)
        replied = time.monotonic()
        self._manager.wait_until_ready()
        kinds = self._times.setdefault(title, {"ready": [], "reply": []})
        kinds["ready"].append(1_000 * (self._manager.ready_at - began))
        kinds["reply"].append(1_000 * (replied - began))

    def _check(self):
        """Fails if a token was minted instead of being kept."""
        self._daemon.fill(servers.keys(self._users))
        if minted := self._daemon.ask('{"op":"stats"}')["mints"]["started"]:
            raise RuntimeError(f"of {self._users} tokens {minted} were not kept")

    @staticmethod
    def _figures(values):
        return {"least": min(values), "median": statistics.median(values), "most": max(values)}


def measure(arguments):
    """Returns the results by number of tokens."""
    counts, starts = ([10_000], 2) if arguments.quick else ([100_000], 7)
    if arguments.large:
        counts.append(1_000_000)
    results = {}
    for users in counts:
        with servers.Stage(servers.Tools(arguments.programs, arguments.own)) as stage:
            results[users] = Restarts(stage, users).run(starts)
    return results


def table(results):
    """Returns the results as text."""
    starts = next(iter(results.values()))["starts"]
    lines = [
        f"Times in ms from the start of the process, of {starts} starts of each kind:",
        "",
        "| start | ready: least | median | most | reply: least | median | most |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for number, found in enumerate(results.values()):
        # The row without tokens is the same for each number.
        for title, kinds in list(found["times"].items())[min(number, 1) :]:
            cells = (f"{kinds[kind][name]:,.0f}" for kind in ("ready", "reply") for name in ("least", "median", "most"))
            lines.append(f"| {title} | " + " | ".join(cells) + " |")
    lines += [
        "",
        "Resident memory in MiB:",
        "",
        "| tokens | empty | full | after a warm start |",
        "|---:|---:|---:|---:|",
    ]
    for users, found in results.items():
        lines.append(f"| {users:,} | " + " | ".join(f"{value:,.0f}" for value in found["memory_mib"].values()) + " |")
    return "\n".join(lines)


def main():
    parser = servers.parser(__doc__)
    parser.add_argument("--large", action="store_true", help="measure a million tokens, too")
    arguments = parser.parse_args()
    results = measure(arguments)
    servers.write_results(arguments, results)
    print(table(results))


if __name__ == "__main__":
    main()
