"""Exposes three real daemons that share an engine to the faults of that engine, and prints a table by phase.

    python3 Drills/fleet.py PROGRAMS [--seconds S] [--seed N]

2,000 users' page views are spread at random over the daemons, which share one tenant and its rate. Each fault lasts S
seconds, as does the time after it. All other times are scaled with S: with 60 s the users begin within the first
minute, a fault takes a minute, and tokens live for 20 to 80 minutes. One user in eight has tokens of 4 to 10 minutes,
so that some are due in each phase.

The drill fails if a user who had a valid token on the daemon that was asked got an error, if the tenant got more than
1.3 times the calls that are needed if each token of a user is renewed once for all daemons, if the tenant had to refuse
a call although all daemons were connected for a second, or if more calls came in a second than the rate and the burst
allow. In that first second the engine's bucket doesn't know yet of the calls that were made without it.
"""

import argparse
import asyncio
import bisect
import collections
import gc
import json
import math
import random
import signal
import sys
import time

from machines import Fleet, Settings, wait_until

MACHINES = 3
USERS = 2_000
VIEWS_PER_SECOND = 900
MOST_CALLS = 1.3
SHORT, LONG = (4, 10), (20, 80)
"""Lifetimes of tokens, in phases."""
TIMEOUT = 10
BUNCHED = 0.25
"""The seconds by which calls may reach the tenant late on a busy machine, and then together with later ones."""
SETTLING = 1
"""The seconds after a fault in which the machines connect again."""


class Views:
    """Page views of random users on random machines, and an account of the users' tokens on each."""

    CONNECTIONS = 4

    def __init__(self, machines, users, chance):
        self.machines, self.users, self.chance = machines, users, chance
        self.open, self.lives, self.writers = {}, {}, {}
        self.done = []
        """Of each view: its begin, the wait, the error, the source, and if that machine had a valid token."""
        self.number = 0
        self.is_running = True
        self.per_second = VIEWS_PER_SECOND

    async def connect(self):
        """Opens all connections."""
        self.readers = []
        for number, machine in enumerate(self.machines):
            for index in range(self.CONNECTIONS):
                reader, writer = await asyncio.open_unix_connection(machine.socket)
                self.writers[number, index] = writer
                self.readers.append(asyncio.create_task(self._read(reader)))

    async def run(self):
        """Makes views until it is told to end, and waits for all answers."""
        due = time.monotonic()
        while self.is_running:
            due += 1 / self.per_second
            await asyncio.sleep(max(0, due - time.monotonic()))
            self.view(self.chance.choice(self.users), self.chance.randrange(len(self.machines)))
        for _ in range(50 * (TIMEOUT + 5)):
            if self.open:
                await asyncio.sleep(0.02)
        for _, _, since, had_token in self.open.values():
            self.done.append((since, TIMEOUT + 5, "no reply", "", had_token))
        for reader in self.readers:
            reader.cancel()
        await asyncio.gather(*self.readers, return_exceptions=True)

    def view(self, user, machine):
        """Requests a user's token on a machine."""
        self.number += 1
        ends, margin = self.lives.get((user, machine), (0, 0))
        now = time.monotonic()
        # A reply has whole seconds, rounded down, so its lifetime is never too long.
        self.open[self.number] = (user, machine, now, ends - now > margin + 1)
        line = b'{"op":"token","subject":"%s","id":%d,"timeout":%d}\n' % (user.encode(), self.number, TIMEOUT)
        self.writers[machine, self.number % self.CONNECTIONS].write(line)

    async def _read(self, reader):
        while line := await reader.readline():
            now, reply = time.monotonic(), json.loads(line)
            user, machine, since, had_token = self.open.pop(reply["id"])
            error = reply.get("error")
            self.done.append((since, now - since, error, reply.get("source", ""), had_token))
            if error is None and (reply["source"] != "cache" or (user, machine) not in self.lives):
                left = reply["expires_in"]
                self.lives[user, machine] = (now + left, min(30, 0.05 * max(left, 1)))


class Phase:
    """A part of the drill."""

    def __init__(self, title, start, is_away):
        self.title, self.start, self.is_away = title, start, is_away
        self.end = math.inf


class Drill:
    """The script of faults."""

    def __init__(self, fleet, views, seconds):
        self.fleet, self.views, self.seconds = fleet, views, seconds
        self.phases = []

    async def run(self):
        """Runs all phases."""
        # A garbage collection stops the views for longer than a hit takes.
        gc.disable()
        await self.views.connect()
        running = asyncio.create_task(self.views.run())
        self._begin_phase("all users begin")
        await self._begin()
        await self._phase("quiet")
        engine = self.fleet.engine
        faults = [
            ("the engine is away", engine.kill, engine.start),
            ("an empty engine takes over", engine.fail_over, None),
            ("a stale copy takes over", lambda: engine.fail_over(to_copy=True), None),
            ("FLUSHALL", lambda: engine.run("FLUSHALL"), None),
            ("the engine hangs", lambda: engine.signal(signal.SIGSTOP), lambda: engine.signal(signal.SIGCONT)),
            ("the engine is slow", self._make_slow, self._make_fast),
            ("the engine is full", self._fill, lambda: engine.run("CONFIG", "SET", "maxmemory", 0)),
        ]
        for title, begin, end in faults:
            if title.startswith("a stale"):
                await self._work(engine.keep_copy)
                await asyncio.sleep(0.2 * self.seconds)
            await self._work(begin)
            await self._phase(title, is_away=end is not None)
            if end:
                await self._work(end)
            await self._phase("after it")
        self.views.is_running = False
        self.phases[-1].end = time.monotonic()
        await running

    async def _begin(self):
        """Views each user on each machine, in a random order, and waits until the rate has let all begin."""
        pairs = [(user, machine) for user in self.views.users for machine in range(MACHINES)]
        self.views.chance.shuffle(pairs)
        due = time.monotonic()
        for user, machine in pairs:
            self.views.view(user, machine)
            due += self.seconds / len(pairs)
            await asyncio.sleep(max(0, due - time.monotonic()))
        await asyncio.sleep(0.5 * self.seconds)

    def _begin_phase(self, title, is_away=False):
        now = time.monotonic()
        if self.phases:
            self.phases[-1].end = now
        self.phases.append(Phase(title, now, is_away))

    async def _phase(self, title, is_away=False):
        self._begin_phase(title, is_away)
        await asyncio.sleep(self.seconds)

    async def _work(self, work):
        await asyncio.get_running_loop().run_in_executor(None, work)

    def _make_slow(self):
        """Lets the engine run for 50 ms of each 200 ms, so that many calls take longer than their limit."""
        self._slowness = asyncio.run_coroutine_threadsafe(self._stutter(), self._loop)

    async def _stutter(self):
        try:
            while True:
                self.fleet.engine.signal(signal.SIGSTOP)
                await asyncio.sleep(0.15)
                self.fleet.engine.signal(signal.SIGCONT)
                await asyncio.sleep(0.05)
        finally:
            self.fleet.engine.signal(signal.SIGCONT)

    def _make_fast(self):
        self._slowness.cancel()
        self.fleet.engine.signal(signal.SIGCONT)

    def _fill(self):
        self.fleet.engine.run("CONFIG", "SET", "maxmemory-policy", "noeviction")
        self.fleet.engine.run("CONFIG", "SET", "maxmemory", 1)

    @property
    def _loop(self):
        return self.views.readers[0].get_loop()


class Report:
    """The table, and what the drill has to hold."""

    def __init__(self, drill, calls, per_minute, burst):
        self.drill, self.per_minute, self.burst = drill, per_minute, burst
        self.calls = sorted(calls, key=lambda call: call["arrived"])
        self.faults = []

    def lines(self):
        """Yields the table, and then the sums."""
        yield (
            "| phase | views | errors | with a living token | 99.9 % with one waited, ms | calls / least "
            "| peak a second | 429s |"
        )
        yield "|---|---:|---|---:|---:|---:|---:|---:|"
        total = least = 0
        for phase in self.drill.phases:
            called, due = self._calls(phase), self._due(phase)
            total += len(called)
            least += due
            yield self._row(phase, called, due)
        if total > MOST_CALLS * least:
            self.faults.append(f"{total} calls, of which {least} were needed")
        yield ""
        yield f"{total} calls / {least} = {total / least:.2f}; {'; '.join(self.faults) or 'held'}"

    def _calls(self, phase):
        return [call for call in self.calls if phase.start <= call["arrived"] < phase.end]

    def _due(self, phase):
        """Returns the calls that a fleet needs: one for each user, and one by 75 % of each token's life."""
        begin = self.drill.phases[0].start
        due = USERS if phase is self.drill.phases[0] else 0
        for user in self.drill.views.users:
            period = 0.75 * lifetime(user)
            due += math.floor((phase.end - begin) / period) - math.floor((phase.start - begin) / period)
        return due

    def _row(self, phase, called, due):
        views = self.drill.views.done
        first = bisect.bisect_left(views, (phase.start,))
        last = bisect.bisect_left(views, (phase.end,))
        errors = collections.Counter(view[2] for view in views[first:last] if view[2])
        broken = sum(1 for view in views[first:last] if view[2] and view[4])
        waits = sorted(view[1] for view in views[first:last] if view[4])
        longest = waits[int(len(waits) * 0.999)] * 1000 if waits else 0
        peak, refused = self._peak(called), [call for call in called if call["kind"] == "throttled"]
        if broken:
            self.faults.append(f"{broken} errors with a living token: {phase.title}")
        if not phase.is_away and any(call["arrived"] > phase.start + SETTLING for call in refused):
            self.faults.append(f"calls beyond the limit: {phase.title}")
        if peak > self.per_minute / 60 * (1 + BUNCHED) + self.burst:
            self.faults.append(f"a stampede of {peak} calls in a second: {phase.title}")
        text = ", ".join(f"{count} {code}" for code, count in sorted(errors.items())) or "none"
        cells = [
            phase.title,
            last - first,
            text,
            broken,
            f"{longest:.2f}",
            f"{len(called)} / {due}",
            peak,
            len(refused),
        ]
        return "| " + " | ".join(map(str, cells)) + " |"

    @staticmethod
    def _peak(called):
        """Returns the largest number of calls within a second."""
        times = [call["arrived"] for call in called]
        return max((number + 1 - bisect.bisect_left(times, at - 1) for number, at in enumerate(times)), default=0)


def lifetime(user):
    """Returns the lifetime of a user's tokens, in seconds."""
    return int(user[1:].split("-")[0])


def main():
    """Runs the drill, and exits with 1 if it doesn't hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=4_242)
    arguments = parser.parse_args()
    seconds = arguments.seconds
    chance = random.Random(arguments.seed)
    users = [
        f"l{max(20, round(seconds * chance.uniform(*(SHORT if number % 8 == 0 else LONG))))}-{number}"
        for number in range(USERS)
    ]
    # All users begin within the first phase; a real tenant allows 100 calls a minute, and tokens live for hours.
    per_minute, burst = round(USERS * 60 / seconds), 20
    settings = Settings(per_minute, burst)
    tenant = ("--per-minute", str(per_minute), "--burst", str(burst + round(per_minute / 60 * BUNCHED)))
    with Fleet(arguments.programs, MACHINES, settings, tenant) as fleet:
        wait_until(lambda: all(each.fleet()["machines"] == MACHINES for each in fleet.machines), "all see each other")
        views = Views(fleet.machines, users, chance)
        drill = Drill(fleet, views, seconds)
        asyncio.run(drill.run())
        views.done.sort(key=lambda view: view[0])
        calls = fleet.tenant.calls()
    report = Report(drill, calls, per_minute, burst)
    print(f"{MACHINES} daemons, {USERS} users, {per_minute} calls a minute, each phase {seconds:g} s", end="\n\n")
    print("\n".join(report.lines()))
    sys.exit(1 if report.faults else 0)


if __name__ == "__main__":
    main()
