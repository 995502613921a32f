"""Records what real daemons do while their engine is killed, stopped, emptied and cut off, and judges it afterwards.

    python3 Drills/fleet_history.py PROGRAMS [--seconds S] [--seeds N …] [--unshared]

Three daemons, each with a way to the engine that can be cut, answer requests for tokens, logouts, evictions and reports
at random. The seed decides the faults and the requests. `--unshared` runs the daemons without a fleet, which has to be
noticed: it shows that the check can fail. `fleet_judge.py` says what is checked.
"""

import argparse
import asyncio
import collections
import hashlib
import json
import random
import signal
import sys
import time

import fleet_judge
from fleet_judge import Answer, Calm, Drop, History, Judge
from fleet_processor import Processor
from machines import Fleet, Settings

PER_SECOND = 400
CONNECTIONS = 4
"""Connections to each machine."""
LONG_LIVED = [f"user-{number}" for number in range(50)]
SHORT_LIVED = {f"l{lifetime}-user": lifetime for lifetime in range(12, 22)}
POLL = 0.05
"""Seconds between two looks at the state of a machine."""


class Recorder:
    """Makes requests at random, and records their answers."""

    def __init__(self, machines, history, chance):
        self.machines, self.history, self.chance = machines, history, chance
        self.users = LONG_LIVED + list(SHORT_LIVED)
        self.open, self.tokens, self.writers = {}, {}, {}
        self.number = 0
        self.is_running = True

    async def connect(self):
        """Opens all connections."""
        self.readers = []
        for number, machine in enumerate(self.machines):
            for index in range(CONNECTIONS):
                reader, writer = await asyncio.open_unix_connection(machine.admin)
                self.writers[number, index] = writer
                self.readers.append(asyncio.create_task(self._read(reader)))

    async def run(self):
        """Makes requests until it is told to end, and waits for all answers."""
        due = time.monotonic()
        while self.is_running:
            due += 1 / PER_SECOND
            await asyncio.sleep(max(0, due - time.monotonic()))
            self._request()
        for _ in range(50 * (self.history.timeout + 5)):
            if self.open:
                await asyncio.sleep(0.02)
        for kind, machine, user, sent, _ in self.open.values():
            if kind == "token":
                self.history.answers.append(Answer(machine, user, sent, time.monotonic() + 60, None))
        for reader in self.readers:
            reader.cancel()
        await asyncio.gather(*self.readers, return_exceptions=True)

    def _request(self):
        machine, user = self.chance.randrange(len(self.machines)), self.chance.choice(self.users)
        kind = self.chance.choices(["token", "revoke", "evict", "invalidate"], [95, 3, 1, 1])[0]
        token = self.tokens.get(user) if kind == "invalidate" else None
        request = {"op": kind, "subject": user, "id": self.number}
        if kind == "token":
            request["timeout"] = self.history.timeout
        elif kind == "invalidate":
            if token is None:
                return
            request["token_sha256"] = hashlib.sha256(token.encode()).hexdigest()
        self.open[self.number] = (kind, machine, user, time.monotonic(), token)
        self.writers[machine, self.number % CONNECTIONS].write(json.dumps(request).encode() + b"\n")
        self.number += 1

    async def _read(self, reader):
        while line := await reader.readline():
            received, reply = time.monotonic(), json.loads(line)
            kind, machine, user, sent, token = self.open.pop(reply["id"])
            if kind == "token":
                got = reply.get("access_token")
                self.tokens[user] = got or self.tokens.get(user)
                source = reply.get("source", "")
                self.history.answers.append(Answer(machine, user, sent, received, got, reply.get("error"), source))
            elif "error" in reply:
                sys.exit(f"{kind} got {reply}")
            elif "retry_after" not in reply:
                # A token that has just replaced a reported one is kept, whatever is reported.
                is_remembered = kind != "invalidate" or reply["invalidated"]
                self.history.drops.append(Drop(machine, kind, user, sent, received, token, is_remembered))


class Watch:
    """Finds the times in which all machines are connected."""

    def __init__(self, fleet, history):
        self.fleet, self.history = fleet, history
        self.is_running = True
        self.has_fault = False
        self.last_fault = 0.0
        self.calm = None

    def begin_fault(self):
        """Ends the calm before a fault."""
        self.has_fault = True
        if self.calm:
            self.calm.end = min(self.calm.end, time.monotonic())
            self.calm = None

    def end_fault(self):
        """Allows calm from now on."""
        self.has_fault, self.last_fault = False, time.monotonic()

    async def run(self):
        """Looks at the machines until it is told to end."""
        links = [await asyncio.open_unix_connection(machine.admin) for machine in self.fleet.machines]
        seen, before = None, time.monotonic()
        while self.is_running:
            began = time.monotonic()
            state = [await self._ask(*link) for link in links]
            is_calm = not self.has_fault and began >= self.last_fault and self._is_connected(state)
            if self.calm and (not is_calm or state != seen):
                # The calls that failed since the last look may have failed right after it.
                self.calm.end = before
                self.calm = None
            elif self.calm:
                self.calm.end = began
            elif is_calm:
                self.calm = Calm(time.monotonic(), time.monotonic())
                self.history.calms.append(self.calm)
            seen, before = state, began
            await asyncio.sleep(POLL)
        for _, writer in links:
            writer.close()

    async def _ask(self, reader, writer):
        writer.write(b'{"op":"stats"}\n')
        fleet = json.loads(await reader.readline()).get("fleet")
        return None if fleet is None else (fleet["connected"], tuple(fleet["epochs"]), tuple(fleet["failed"].items()))

    def _is_connected(self, state):
        if not self.fleet.is_shared:
            return True
        return all(connected for connected, _, _ in state) and len({epochs for _, epochs, _ in state}) == 1


class Faults:
    """Breaks the engine and the ways to it, one fault after the other."""

    def __init__(self, fleet, watch, chance):
        self.fleet, self.watch, self.chance = fleet, watch, chance
        self.kinds = {
            "cut": self.cut,
            "cut all": self.cut_all,
            "hang": self.hang,
            "stop": self.stop,
            "fail over, empty": self.fail_over,
            "fail over, stale": self.fail_over_to_copy,
            "empty": self.empty,
        }
        self.done = collections.Counter()

    async def run(self, until):
        """Makes faults until it is time to end."""
        names = []
        while time.monotonic() < until:
            await asyncio.sleep(self.chance.uniform(1, 2))
            # Each kind comes once before one comes again.
            names = names or self.chance.sample(list(self.kinds), len(self.kinds))
            name = names.pop()
            self.watch.begin_fault()
            self.done[name] += 1
            self.watch.history.faults.append((time.monotonic(), name))
            await self.kinds[name](self.chance.uniform(0.2, 1.2))
            self.watch.end_fault()

    async def _work(self, work, *arguments):
        await asyncio.get_running_loop().run_in_executor(None, work, *arguments)

    async def cut(self, seconds):
        """Cuts off a machine."""
        await self._cut([self.chance.choice(self.fleet.ways)], seconds)

    async def cut_all(self, seconds):
        """Cuts off all machines."""
        await self._cut(self.fleet.ways, seconds)

    async def _cut(self, ways, seconds):
        for way in ways:
            await self._work(way.cut)
        await asyncio.sleep(seconds)
        for way in ways:
            await self._work(way.join)

    async def hang(self, seconds):
        """Lets what a machine sends to the engine wait."""
        way = self.chance.choice(self.fleet.ways)
        way.hang()
        await asyncio.sleep(seconds)
        way.go_on()

    async def stop(self, seconds):
        """Stops the engine."""
        self.fleet.engine.signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        self.fleet.engine.signal(signal.SIGCONT)

    async def fail_over(self, seconds):
        """Kills the engine. An empty one takes its place."""
        await self._work(self.fleet.engine.fail_over)
        await asyncio.sleep(0.2 * seconds)

    async def fail_over_to_copy(self, seconds):
        """Kills the engine. One that lacks its last writes takes its place."""
        await self._work(self.fleet.engine.keep_copy)
        await asyncio.sleep(seconds)
        await self._work(self.fleet.engine.fail_over, True)

    async def empty(self, _):
        """Empties the engine."""
        await self._work(self.fleet.engine.run, "FLUSHALL")


async def record(fleet, seconds, seed):
    """Returns the history of a run, and the number of faults by kind."""
    history = History(lifetimes=SHORT_LIVED)
    recorder = Recorder(fleet.machines, history, random.Random(f"{seed} requests"))
    watch = Watch(fleet, history)
    faults = Faults(fleet, watch, random.Random(f"{seed} faults"))
    await recorder.connect()
    processor = Processor(fleet, history)
    tasks = [asyncio.create_task(work) for work in (recorder.run(), watch.run(), processor.run())]
    await faults.run(time.monotonic() + seconds)
    await asyncio.sleep(2)
    recorder.is_running = watch.is_running = processor.is_running = False
    await asyncio.gather(*tasks)
    history.calls = fleet.tenant.calls()
    return history, faults.done


def summary(history, faults):
    """Returns what was recorded as text."""
    kinds = collections.Counter(drop.kind for drop in history.drops)
    calm = sum(max(0, calm.end - calm.start) for calm in history.calms)
    sources = collections.Counter(answer.source or answer.error for answer in history.answers)
    longest = max(answer.received - answer.sent for answer in history.answers)
    (start, before), (end, after) = history.busy[0], history.busy[-1]
    busy = [f"{(later - earlier) / (end - start):.0%}" for earlier, later in zip(before, after)]
    calls = collections.Counter(call["kind"] for call in history.calls)
    return "\n".join(
        [
            f"faults: {dict(faults)}",
            f"answers: {len(history.answers)} {dict(sources)}, the longest wait {longest:.3f} s",
            f"drops: {dict(kinds)}; calls to the tenant: {dict(calls)}",
            f"calm: {calm:.1f} s in {len(history.calms)} times; "
            f"worked or waited for a processor: tenant, engine, machines {', '.join(busy)}"
            + (", at times for too long" if history.starved else ""),
        ]
    )


def timeline(history, fault):
    """Returns what happened to the user of a fault in the 5 s before it, one line each."""
    lines = [
        (call["arrived"], f"tenant: {call['kind']} {call['token']}")
        for call in history.calls
        if call["user"] == fault.user
    ]
    for drop in history.drops:
        if drop.user == fault.user:
            text = (
                f"machine {drop.machine}: {drop.kind} {drop.token or ''} until {drop.answered:.3f} {drop.is_remembered}"
            )
            lines.append((drop.sent, text))
    for answer in history.answers:
        if answer.user == fault.user:
            text = f"{answer.token or answer.error} ({answer.source}) until {answer.received:.3f}"
            lines.append((answer.sent, f"machine {answer.machine}: {text}"))
    for calm in history.calms:
        lines += [(calm.start, "all are connected"), (calm.end, "no longer")]
    lines += [(at, f"fault: {name}") for at, name in history.faults]
    return [f"{at:.3f} {text}" for at, text in sorted(lines) if fault.at - 5 <= at <= fault.at + 0.2]


def check(arguments, seed):
    """Records and judges one run, and returns the number of faults."""
    print(f"seed {seed}: repeat it with --seeds {seed}", flush=True)
    # Busy machines take longer than the usual 100 ms, which must not look like an absent engine.
    settings = Settings(timeout="500ms", is_shared=not arguments.unshared)
    tenant = ("--slowest", "0.15", "--seed", str(seed))
    with Fleet(arguments.programs, 3, settings, tenant, has_ways=True) as fleet:
        history, faults = asyncio.run(record(fleet, arguments.seconds, seed))
    print(summary(history, faults))
    found = Judge(history).faults()
    for fault in found[:20]:
        print(f"FAULT: {fault.text}", *timeline(history, fault)[-60:], sep="\n    ")
    print(f"{len(found)} faults" if found else "no promise was broken", flush=True)
    return len(found)


def main():
    """Checks all runs, and exits with 1 if a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs")
    parser.add_argument("--seconds", type=float, default=20, help="of each run")
    parser.add_argument("--seeds", type=int, nargs="+", default=[random.randrange(1 << 32)], help="one for each run")
    parser.add_argument("--unshared", action="store_true")
    arguments = parser.parse_args()
    fleet_judge.prove()
    faults = sum(check(arguments, seed) for seed in arguments.seeds)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
