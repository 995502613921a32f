"""The time in which the programs of a fleet have a processor, or wait for one."""

import asyncio
import contextlib
import os
import time


class Processor:
    """Adds up the time in which the programs work, or wait for a processor."""

    INTERVAL = 0.01

    def __init__(self, fleet, history):
        self.fleet, self.history = fleet, history
        self.threads = {}
        self.totals = [0.0] * (2 + len(fleet.machines))
        self.is_running = True

    async def run(self):
        """Looks at the threads until it is told to end."""
        while self.is_running:
            self._look()
            await asyncio.sleep(self.INTERVAL)

    def _look(self):
        now = time.monotonic()
        programs = [self.fleet.engine.process.numbers, *map(self.fleet.numbers_of, range(len(self.fleet.machines)))]
        for part, processes in enumerate([[os.getpid()], *programs]):
            for thread, nanoseconds in (times for process in processes for times in thread_times(process)):
                self.totals[part] += max(0, nanoseconds - self.threads.get(thread, 0)) / 1e9
                self.threads[thread] = nanoseconds
        self.history.busy.append((now, tuple(self.totals)))


def thread_times(process):
    """Yields the threads of a process, and the nanoseconds in which each has worked or waited for a processor."""
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{process}/task"):
            with contextlib.suppress(OSError), open(f"/proc/{process}/task/{thread}/schedstat", "rb") as file:
                worked, waited, _ = file.read().split()
                yield thread, int(worked) + int(waited)
