"""Measures how long hits wait while something happens to many tokens, by the number of tokens.

One application requests cached tokens of one tenant at a steady rate, while the tokens of another tenant are refreshed,
expire, are flushed, and so on.

    python3 Benchmarks/curves.py PROGRAMS OWN [--quick] [--large] [--results FILE]

`--large` adds a million tokens, which takes a quarter of an hour.
"""

import math
import time

import background
import servers
from manager import Manager

PER_SECOND = 2_000
PROBED = 100
"""The number of tokens that are requested in turn."""
FILLS = 4
"""The number of times that the mints are tried before a measurement fails."""
LEAST_LIFETIME = 6
"""The least lifetime in seconds of tokens that expire at the same time: a second more than the tenant's."""
SAMPLE = 1_000
"""The number of tokens whose mints show the time for all."""
REFRESH = "ahead: 0.1, last_chance: 0.5, jitter: 0"
"""The settings with which the refreshes begin after the last mint, and end before the first expiry."""
POLL = 0.5
"""The time between two looks at the number of tokens, in seconds."""


class Curve:
    """A daemon with a number of tokens, and the times of hits while things happen to them."""

    def __init__(self, stage, size):
        self._size = size
        self._tools = stage.tools
        self._tenant = servers.Tenant(stage)
        self._cache = f"max_entries: {size + PROBED}, keep_across_restarts: %s, idle_ttl: %s"
        # A token that nobody requests for a second is not refreshed.
        self._daemon = servers.Daemon(stage, self._tenant, self._cache % ("true", "1s"), Manager(stage.directory))
        self._daemon.fill(servers.keys(PROBED), tenant="probe")
        self._value = len(self._daemon.fill(servers.keys(1), tenant="probe"))
        self._fresh = size
        self._seconds_each = self._sample()
        self.results = {}

    def run(self):
        """Measures everything."""
        self._measure("nothing", lambda: time.sleep(2))
        self._expire()
        self._refresh()
        self._beside("statistics 20 times a second", background.ask(self._daemon, '{"op":"stats"}', 0.05))
        cache = [self._cache % ("true", "24h")]
        reloading = background.reload(self._daemon, 0.5, cache=cache, refresh=["ahead: 0.6", "ahead: 0.7"])
        self._beside("reloads that change all refresh times", reloading)
        self._measure("evictions", self._evict)
        self._measure("keeping is switched off", lambda: self._keep("false"))
        self._measure("keeping is switched on", lambda: self._keep("true"))
        self._measure("flush", self._flush)

    def _sample(self):
        """Returns a generous time for the mint of a token."""
        began = time.monotonic()
        self._daemon.fill(servers.keys(SAMPLE))
        self._daemon.ask('{"op":"flush","tenant":"main"}')
        return 1.5 * (time.monotonic() - began) / SAMPLE

    def _fill(self, fills):
        """Has all tokens minted, which expire at the same time, after that of some fills. Returns that time."""
        for _ in range(FILLS):
            seconds = LEAST_LIFETIME + math.ceil(fills * self._size * self._seconds_each)
            self._tenant.set_end(seconds)
            end = time.monotonic() + seconds
            self._daemon.fill(servers.keys(self._size))
            if time.monotonic() < end - seconds * (fills - 1) / fills:
                return end
            # The machine has become slower. The next try has more time.
            self._daemon.ask('{"op":"flush","tenant":"main"}')
            self._seconds_each *= 2
        raise RuntimeError("the mints take too long")

    def _expire(self):
        end = self._fill(fills=1.5)
        time.sleep(max(0, end - time.monotonic() - 1))
        self._measure("all tokens expire", lambda: self._wait(lambda stats: stats["entries"] <= PROBED))

    def _refresh(self):
        self._configure("true", "24h", REFRESH)
        self._fill(fills=3)
        self._tenant.set_lifetime(21_600)
        before = self._refreshed(self._daemon.ask('{"op":"stats"}'))
        self._measure(
            "all tokens are refreshed", lambda: self._wait(lambda stats: self._refreshed(stats) - before >= self._size)
        )

    @staticmethod
    def _refreshed(stats):
        """Returns the number of refreshes that were made, or came too late to be made."""
        return stats["refreshes"]["done"] + stats["refreshes"]["skipped_idle"]

    def _evict(self):
        count = min(self._size, 5_000)
        self._daemon.fill(servers.keys(count, self._fresh))
        self._fresh += count

    def _keep(self, keeps):
        self._configure(keeps, "24h")
        time.sleep(2)

    def _flush(self):
        self._daemon.ask('{"op":"flush","tenant":"main"}')
        time.sleep(1)

    def _configure(self, keeps, idle_ttl, refresh=""):
        self._daemon.configure(self._cache % (keeps, idle_ttl), refresh)
        self._daemon.ask('{"op":"reload"}')

    def _wait(self, is_over):
        deadline = time.monotonic() + servers.TIMEOUT + self._size / 1_000
        while not is_over(self._daemon.ask('{"op":"stats"}')):
            if time.monotonic() > deadline:
                raise RuntimeError("the tokens were not refreshed, or did not expire")
            time.sleep(POLL)

    def _beside(self, title, work):
        with background.beside(work):
            self._measure(title, lambda: time.sleep(2))

    def _measure(self, title, happen):
        """Measures hits while something happens."""
        probe = self._tools.start_probe(
            self._daemon, tenant="probe", keys=PROBED, value=self._value, per_second=PER_SECOND, seconds=10_000
        )
        time.sleep(0.2)
        happen()
        probe.terminate()
        self.results[title] = servers.finish(probe)["times"]


def measure(arguments):
    """Returns the times by size and title."""
    sizes = [1_000] if arguments.quick else [1_000, 10_000, 100_000]
    if arguments.large:
        sizes.append(1_000_000)
    results = {}
    for size in sizes:
        with servers.Stage(servers.Tools(arguments.programs, arguments.own)) as stage:
            curve = Curve(stage, size)
            curve.run()
            results[size] = curve.results
    return {"per_second": PER_SECOND, "sizes": results}


def table(results):
    """Returns the results as text."""
    sizes = results["sizes"]
    lines = [
        f"{results['per_second']:,} hits a second on one connection. p99.9 and longest time in µs, by tokens:",
        "",
        "| meanwhile | " + " | ".join(f"{size:,}" for size in sizes) + " |",
        "|---|" + "---:|" * len(sizes),
    ]
    for title in next(iter(sizes.values())):
        cells = (f"{found[title]['p999']:,.0f}, {found[title]['longest']:,.0f}" for found in sizes.values())
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
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
