"""Judges the history of a fleet: the mints, drops and answers that were recorded while the engine had faults.

The time in which the programs worked, or waited for a processor, counts for nothing. So the verdict depends neither on
the speed of the machine nor on other programs that keep it busy.

All times are seconds of the monotonic clock, which all programs of one system share.
"""

import bisect
from dataclasses import dataclass, field
from typing import Optional

ARRIVAL = 0.1
"""The seconds in which a drop holds on all machines that are connected."""
RECOVERY = 15
"""The seconds after which a tenant's circuit and leases that nobody has given back are no hindrance any more."""
REFRESH = 0.65
"""The part of a token's life in which no machine refreshes it: `refresh.ahead` is 70 %."""


@dataclass
class Answer:
    """The answer to a request for a token."""

    machine: int
    user: str
    sent: float
    received: float
    token: Optional[str]
    error: Optional[str] = None
    source: str = ""


@dataclass
class Drop:
    """A logout or an eviction, which drops all tokens of a user, or a report, which drops one."""

    machine: int
    kind: str
    user: str
    sent: float
    answered: float
    token: Optional[str] = None
    is_remembered: bool = True
    """False for the report of a token that the machine doesn't have, which isn't repeated later."""


@dataclass
class Calm:
    """A time in which all machines are connected and no call to the engine fails."""

    start: float
    end: float


@dataclass
class Fault:
    """A promise that was broken."""

    user: str
    at: float
    text: str


@dataclass
class History:
    """Everything that was recorded."""

    answers: list = field(default_factory=list)
    drops: list = field(default_factory=list)
    calls: list = field(default_factory=list)
    """The calls in the tenant's log."""
    calms: list = field(default_factory=list)
    busy: list = field(default_factory=list)
    """Times, and the seconds of work and of waits for a processor by then: of tenant, engine, each machine."""
    starved: list = field(default_factory=list)
    """The times at which the programs had waited for a processor for most of a second."""
    faults: list = field(default_factory=list)
    """When the engine was broken, and how."""
    timeout: float = 5
    lifetimes: dict = field(default_factory=dict)
    """The lifetimes of users' tokens, if they aren't hours."""

    def idle(self, start, end, machines=None):
        """Returns the seconds in which the programs waited for something else than a processor.

        The programs are the engine and two machines, or the tenant, the engine and all machines.
        """
        if not self.busy or end <= start:
            return end - start
        first = max(bisect.bisect_right(self.busy, (start,)) - 1, 0)
        last = min(bisect.bisect_left(self.busy, (end,)), len(self.busy) - 1)
        before, after = self.busy[first][1], self.busy[last][1]
        parts = range(len(after)) if machines is None else {1, *(2 + machine for machine in machines)}
        return end - start - sum(after[part] - before[part] for part in parts)

    def is_starved(self, start, end):
        """Returns if calls may have failed in a time, or a little before it, because nobody got a processor."""
        return any(start - RECOVERY <= at <= end for at in self.starved)


class Judge:
    """Finds what breaks a promise."""

    def __init__(self, history):
        self.history = history
        self.mints = {call["token"]: call for call in history.calls if call["kind"] == "mint"}
        self.drops = {}
        for drop in history.drops:
            self.drops.setdefault(drop.user, []).append(drop)

    def faults(self):
        """Returns all faults."""
        parts = [self.foreign, self.dropped, self.repeated, self.late, self.failed, self.revoked_twice, self.unrevoked]
        return [fault for part in parts for fault in part()]

    def foreign(self):
        """Yields answers with another user's token, or with one that the tenant never gave."""
        for answer in self.history.answers:
            if answer.token is None:
                continue
            mint = self.mints.get(answer.token)
            if mint is None or mint["user"] != answer.user:
                yield Fault(answer.user, answer.sent, f"{answer.user} got {answer.token} on machine {answer.machine}")

    def dropped(self):
        """Yields answers with a token whose mint began before a drop that holds."""
        for answer in self.history.answers:
            mint = self.mints.get(answer.token)
            for drop in self.drops.get(answer.user, []) if mint else []:
                if not self._drops(drop, answer.token, mint):
                    continue
                if self.holds(drop, answer.machine, answer.sent) and not self._is_unverified(drop, answer):
                    text = (
                        f"machine {answer.machine} answered {answer.sent - drop.answered:.3f} s after the {drop.kind} "
                        f"on machine {drop.machine} with {answer.token} ({answer.source}) at {answer.sent:.3f}"
                    )
                    yield Fault(answer.user, answer.sent, text)

    @staticmethod
    def _drops(drop, token, mint):
        return drop.token == token if drop.token else mint["arrived"] < drop.sent

    def holds(self, drop, machine, at):
        """Returns if a drop has to hold on a machine at a time."""
        if machine == drop.machine and drop.is_remembered:
            return drop.answered <= at
        for calm in self.history.calms:
            if not drop.is_remembered and not calm.start <= drop.sent <= calm.end:
                continue
            known, until = max(drop.answered, calm.start), min(at, calm.end)
            if self.history.idle(known, until, (drop.machine, machine)) >= ARRIVAL:
                return True
        return False

    def _is_unverified(self, drop, answer):
        """Returns if somebody has emptied the engine, so that the drop's event may be lost, and the engine is away now.

        The token is looked up before it is served again, unless there is nobody to ask.
        """
        is_lost = any(name == "empty" and drop.sent <= at + ARRIVAL for at, name in self.history.faults)
        return is_lost and not any(
            calm.start <= answer.sent and answer.received <= calm.end for calm in self.history.calms
        )

    def repeated(self):
        """Yields second mints for one need, while all machines were connected."""
        last = {}
        for mint in sorted(self.mints.values(), key=lambda call: call["arrived"]):
            earlier = last.get(mint["user"])
            last[mint["user"]] = mint
            if earlier is None or not any(self._covers(calm, earlier, mint) for calm in self.history.calms):
                continue
            lifetime = self.history.lifetimes.get(mint["user"], 3_600)
            drops = self.drops.get(mint["user"], [])
            needed = any(
                drop.sent <= mint["arrived"] and self.history.idle(drop.answered, earlier["arrived"]) <= 2 * ARRIVAL
                for drop in drops
            )
            if not needed and mint["arrived"] - earlier["arrived"] < REFRESH * lifetime:
                after = mint["arrived"] - earlier["arrived"]
                text = f"{mint['user']} was minted again after {after:.3f} s without need, at {mint['arrived']:.3f}"
                yield Fault(mint["user"], mint["arrived"], text)

    @staticmethod
    def _covers(calm, earlier, later):
        return calm.start + ARRIVAL <= earlier["arrived"] and later["arrived"] <= calm.end

    def late(self):
        """Yields requests that weren't answered in their time."""
        for answer in self.history.answers:
            waited = self.history.idle(answer.sent, answer.received)
            if waited > self.history.timeout + 0.5 and not self.history.is_starved(answer.sent, answer.received):
                text = f"{answer.user} waited {waited:.3f} s on machine {answer.machine} from {answer.sent:.3f}"
                yield Fault(answer.user, answer.sent, text)

    def failed(self):
        """Yields errors, of which there is none but for a user who is logged out in the meantime."""
        for answer in self.history.answers:
            if answer.error is None or self.history.is_starved(answer.sent, answer.received):
                continue
            if not any(self._may_fail(drop, answer) for drop in self.drops.get(answer.user, [])):
                text = f"{answer.user} got {answer.error} on machine {answer.machine} at {answer.sent:.3f}"
                yield Fault(answer.user, answer.sent, text)

    def _may_fail(self, drop, answer):
        is_over = self.holds(drop, answer.machine, answer.sent)
        return drop.kind == "revoke" and drop.sent <= answer.received and not is_over

    def revoked_twice(self):
        """Yields tokens that two machines have revoked while both were connected."""
        seen = {}
        for call in self.history.calls:
            if call["kind"] != "revoke":
                continue
            earlier = seen.setdefault(call["token"], call)
            if earlier is call or self._is_logged_out_twice(call):
                continue
            if any(self._covers(calm, earlier, call) for calm in self.history.calms):
                text = f"{call['token']} was revoked twice, the second time at {call['arrived']:.3f}"
                yield Fault(call["user"], call["arrived"], text)

    def _is_logged_out_twice(self, call):
        """Returns if two machines had logged a user out before a call, the second one before it knew of the first."""
        logouts = [
            drop for drop in self.drops.get(call["user"], []) if drop.kind == "revoke" and drop.sent <= call["arrived"]
        ]
        return any(
            one.machine != other.machine
            and one.answered >= self.mints[call["token"]]["arrived"]
            and one.sent <= other.sent
            and not self.holds(one, other.machine, other.sent)
            for one in logouts
            for other in logouts
        )

    def unrevoked(self):
        """Yields tokens that a logout didn't revoke, though it was the only drop while all were connected."""
        revoked = {call["token"] for call in self.history.calls if call["kind"] == "revoke"}
        newest = {}
        for mint in sorted(self.mints.values(), key=lambda call: call["arrived"]):
            newest.setdefault(mint["user"], []).append(mint)
        for drop in self.history.drops:
            before = [mint for mint in newest.get(drop.user, []) if mint["arrived"] < drop.sent]
            if drop.kind != "revoke" or not before or before[-1]["token"] in revoked:
                continue
            since = before[-1]["arrived"] - ARRIVAL
            is_only = (
                sum(1 for other in self.drops[drop.user] if other.answered >= since and other.sent <= drop.sent) == 1
            )
            settled = self.history.idle(before[-1]["answered"], drop.sent) >= ARRIVAL
            calm = any(calm.start <= since and drop.answered + ARRIVAL <= calm.end for calm in self.history.calms)
            if is_only and calm and settled:
                text = (
                    f"the logout of {drop.user} on machine {drop.machine} at {drop.sent:.3f} left {before[-1]['token']}"
                )
                yield Fault(drop.user, drop.sent, text)


def prove():
    """Raises `AssertionError` unless the judge finds each of some planted faults, and nothing else."""

    def mint(user, number, at):
        return {"kind": "mint", "user": user, "token": f"{user}.{number}", "arrived": at, "answered": at + 0.01}

    def history(**changes):
        good = {
            "answers": [Answer(0, "a", 1, 1.02, "a.1"), Answer(1, "a", 3.2, 3.21, "a.2")],
            "drops": [Drop(0, "revoke", "a", 3, 3.01)],
            "calls": [mint("a", 1, 1.01), {**mint("a", 1, 3.005), "kind": "revoke"}, mint("a", 2, 3.201)],
            "calms": [Calm(0, 10)],
        }
        return History(**{**good, **changes})

    calls = history().calls
    assert Judge(history()).faults() == []
    planted = {
        "foreign": history(answers=[Answer(0, "b", 1, 1.02, "a.1")]),
        "dropped": history(answers=[Answer(1, "a", 3.12, 3.13, "a.1")]),
        "repeated": history(calls=[*calls, mint("a", 3, 4), mint("a", 4, 5)]),
        "late": history(answers=[Answer(0, "a", 1, 7, "a.1")]),
        "failed": history(answers=[Answer(0, "b", 1, 1.1, None, "upstream")]),
        "revoked_twice": history(calls=[*calls, {**mint("a", 1, 4), "kind": "revoke"}]),
        "unrevoked": history(calls=[call for call in calls if call["kind"] == "mint"]),
    }
    for name, bad in planted.items():
        assert len(list(getattr(Judge(bad), name)())) == 1, f"the judge doesn't see that it is {name}"
    within = history(answers=[Answer(1, "a", 3.08, 3.09, "a.1")])
    assert Judge(within).faults() == [], "a drop takes a tenth of a second to arrive"
    cut_off = history(answers=[Answer(1, "a", 3.5, 3.6, "a.1")], calms=[Calm(0, 2), Calm(4, 10)])
    assert Judge(cut_off).faults() == [], "a machine that is cut off doesn't know of the drop"
    caught_up = history(answers=[Answer(1, "a", 4.2, 4.3, "a.1")], calms=[Calm(0, 2), Calm(4, 10)])
    assert len(Judge(caught_up).faults()) == 1, "a machine that has caught up does"
    logouts = [Drop(0, "revoke", "a", 3, 3.01), Drop(1, "revoke", "a", 3.005, 3.02)]
    both = history(drops=logouts, calls=planted["revoked_twice"].calls)
    assert Judge(both).faults() == [], "both logouts revoke it"
    slow = history(
        answers=[Answer(1, "a", 4.2, 4.3, "a.1")],
        calms=caught_up.calms,
        busy=[(4, (0, 3, 5, 6)), (4.3, (0, 3, 5, 6.2))],
    )
    assert Judge(slow).faults() == [], "the programs had no time for it"
    starved = history(answers=[Answer(0, "b", 1, 1.1, None, "upstream")], starved=[0.5])
    assert Judge(starved).faults() == [], "the tenant had no time for it"
    emptied = history(answers=[Answer(1, "a", 4.2, 4.3, "a.1")], calms=[Calm(0, 4.15)], faults=[(3.05, "empty")])
    assert Judge(emptied).faults() == [], "the event is lost, and the engine is away"
    emptied.calms = [Calm(0, 10)]
    assert len(Judge(emptied).faults()) == 1, "the engine is asked"
