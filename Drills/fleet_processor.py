"""The time in which the programs of a fleet have a processor, or wait for one."""

import asyncio
import collections
import contextlib
import os
import time


class Processor:
    """Adds up the time in which the programs work, or wait for a processor."""

    INTERVAL = 0.01
    STARVED = 0.7
    """The seconds of waits in a second, of one program, which make calls fail."""

    def __init__(self, fleet, history):
        self.fleet, self.history = fleet, history
        self.threads = {}
        self.totals, self.waits = [], []
        self.second = collections.deque()
        self.is_running = True

    async def run(self):
        """Looks at the threads until it is told to end."""
        while self.is_running:
            self._look()
            await asyncio.sleep(self.INTERVAL)

    def _look(self):
        now = time.monotonic()
        programs = [[os.getpid()], self.fleet.tenant.process.numbers, self.fleet.engine.process.numbers]
        programs += map(self.fleet.numbers_of, range(len(self.fleet.machines)))
        self.totals = self.totals or [0.0] * len(programs)
        self.waits = self.waits or [0.0] * len(programs)
        for part, processes in enumerate(programs):
            for thread, worked, waited in (times for process in processes for times in thread_times(process)):
                worked_before, waited_before = self.threads.get(thread, (0, 0))
                self.waits[part] += max(0, waited - waited_before) / 1e9
                self.totals[part] += max(0, worked + waited - worked_before - waited_before) / 1e9
                self.threads[thread] = (worked, waited)
        # The recorder's own work delays nobody.
        self.history.busy.append((now, tuple(self.totals[1:])))
        self._find_starvation(now)

    def _find_starvation(self, now):
        self.second.append((now, tuple(self.waits)))
        while len(self.second) > 1 and self.second[1][0] < now - 1:
            self.second.popleft()
        if any(later - earlier > self.STARVED for later, earlier in zip(self.waits, self.second[0][1])):
            self.history.starved.append(now)


def thread_times(process):
    """Yields the threads of a process, and the nanoseconds in which each has worked, and has waited for a processor."""
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{process}/task"):
            with contextlib.suppress(OSError), open(f"/proc/{process}/task/{thread}/schedstat", "rb") as file:
                worked, waited, _ = file.read().split()
                yield thread, int(worked), int(waited)
