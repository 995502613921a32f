/*
 * The engine of a fleet as its machines see it, for one user's token: leases, fences, values, drops, events, and an engine
 * whose replica takes over without its last writes.
 *
 * `scripts/check-models` runs it. Documentation/fleet.md says what it shows and what it doesn't. Its rules are those of the
 * scripts in Sources/FleetProtocol and of the machine in Sources/TokenCache/Fleet. Each step of a process is one call of a
 * script, or one decision of a machine, so that every order of these steps is examined.
 *
 * The names that a broken variant defines (-D), each of which leaves one rule out:
 *   NO_EPOCH       a value and a lease count in every life of the engine
 *   PROCESS_EPOCH  the epoch names the engine's process, also if that was a replica in between
 *   NO_GENERATION  a value counts although a drop came after its lease
 *   NO_REPEAT      senders don't repeat their drops after a failover
 *   NO_RECALL      a look's answer that crosses a drop is used
 *   NO_ORDER       a machine looks a token up before the engine has its own logouts
 *   NO_LOSS        a machine goes on although the stream was cut behind its position
 *   CLOCK_BACK     after a failover the engine's clock is behind the last fences
 *   NO_TIMER       a machine that waits for another one has no timer
 */

#ifndef DROPS
#define DROPS 1      /* logouts */
#endif
#ifndef FAILOVERS
#define FAILOVERS 1
#endif
#ifndef LEASES
#define LEASES 2     /* leases that are taken */
#endif
#ifndef TICKS
#define TICKS 0      /* steps of the engine's clock, besides those of a failover */
#endif
#ifndef KEPT
#define KEPT 1       /* events that the stream keeps */
#endif

#define MACHINES 2
#define EVENTS (DROPS * (FAILOVERS + 1) + 1)     /* repeats included */
#define NOBODY 9

#define MAX(a, b) ((a) > (b) -> (a) : (b))

/* The data of both of the engine's processes, one of which is the primary. */
byte last[2];             /* the last fence */
byte generation[2];       /* the fence up to which values and leases are void */
byte valueEpoch[2];       /* 0: there is no value */
byte valueFence[2];
byte valueBorn[2];        /* the logouts that were ordered when its mint began */
byte leaseEpoch[2];       /* 0: there is no lease */
byte leaseFence[2];
byte leaseOwner[2];
byte count[2];            /* the events so far */
byte eventFence[2 * EVENTS];
byte eventDrop[2 * EVENTS];

bit primary;
byte promotions = 1;
byte now = 1;             /* the primary's clock */
byte highest;             /* the highest fence that was ever given out, which no machine knows */
byte leases, failovers, ticks, lostAnswers;

#ifdef PROCESS_EPOCH
#define EPOCH (primary + 1)
#else
#define EPOCH promotions
#endif

#ifdef NO_EPOCH
#define IS_LIFE(epoch) ((epoch) != 0)
#else
#define IS_LIFE(epoch) ((epoch) == EPOCH)
#endif

#ifdef NO_GENERATION
#define IS_ABOVE(fence) true
#else
#define IS_ABOVE(fence) ((fence) > generation[primary])
#endif

#define IS_VALUE (IS_LIFE(valueEpoch[primary]) && IS_ABOVE(valueFence[primary]))
#define IS_LEASE (IS_LIFE(leaseEpoch[primary]) && IS_ABOVE(leaseFence[primary]))
#define NEXT_FENCE MAX(MAX(last[primary] + 1, now), generation[primary] + 1)

/* The logouts. */
byte ordered;             /* how many were ordered */
byte executed;            /* one more than the number of the latest one that an engine has noted */
byte sender[DROPS];
byte dropFence[DROPS];    /* 0: no engine has answered it */
byte notedBy[DROPS];      /* the epoch that has noted it, or 0 */

/* The machines. */
mtype = { idle, answered, minting, storing, yielding };
mtype = { nothing, found, wait, go };
mtype phase[MACHINES] = idle;
mtype answer[MACHINES] = nothing;
byte answerFence[MACHINES];
byte answerBorn[MACHINES];
byte connected[MACHINES]; /* the epoch that the machine is connected to, or 0 */
byte seenEpoch[MACHINES]; /* the position in the stream of events */
byte seen[MACHINES];
bit isCached[MACHINES];   /* the machine's own token */
byte cachedFence[MACHINES];
byte cachedBorn[MACHINES];
bit isSuspect[MACHINES];  /* events were lost, so it is looked up before it is served */
byte known[MACHINES];     /* the highest fence that the machine knows */

/* The number of machines that hold a living lease, for the rule of one lease. */
bit holds[MACHINES];

inline copy(from, to) {
    last[to] = last[from]; generation[to] = generation[from];
    valueEpoch[to] = valueEpoch[from]; valueFence[to] = valueFence[from]; valueBorn[to] = valueBorn[from];
    leaseEpoch[to] = leaseEpoch[from]; leaseFence[to] = leaseFence[from]; leaseOwner[to] = leaseOwner[from];
    count[to] = count[from];
    i = 0;
    do
    :: i < EVENTS ->
        eventFence[(to) * EVENTS + i] = eventFence[(from) * EVENTS + i];
        eventDrop[(to) * EVENTS + i] = eventDrop[(from) * EVENTS + i];
        i++
    :: else -> break
    od;
    i = 0
}

inline forget(which) {
    last[which] = 0; generation[which] = 0;
    valueEpoch[which] = 0; valueFence[which] = 0; valueBorn[which] = 0;
    leaseEpoch[which] = 0; leaseFence[which] = 0; leaseOwner[which] = 0;
    count[which] = 0;
    i = 0;
    do
    :: i < EVENTS -> eventFence[(which) * EVENTS + i] = 0; eventDrop[(which) * EVENTS + i] = 0; i++
    :: else -> break
    od;
    i = 0
}

inline clearValue() { valueEpoch[primary] = 0; valueFence[primary] = 0; valueBorn[primary] = 0 }
inline clearLease() { leaseEpoch[primary] = 0; leaseFence[primary] = 0; leaseOwner[primary] = 0; holds[0] = 0; holds[1] = 0 }
inline clearAnswer(m) { answer[m] = nothing; answerFence[m] = 0; answerBorn[m] = 0 }
inline uncache(m) { isCached[m] = 0; cachedFence[m] = 0; cachedBorn[m] = 0; isSuspect[m] = 0 }
inline learn(m, f) { known[m] = MAX(known[m], f) }

inline cache(m, fence, born) {
    isCached[m] = 1; cachedFence[m] = fence; cachedBorn[m] = born; isSuspect[m] = 0
}

/* A machine hears of a drop: its token goes, and so does what is under way, if it isn't above the drop's fence. */
inline hear(m, fence, drop) {
    learn(m, fence);
    if
    :: isCached[m] && cachedFence[m] <= fence -> uncache(m)
    :: else
    fi;
    if
#ifndef NO_RECALL
    :: phase[m] == answered && (answer[m] == found || answer[m] == go) && answerFence[m] <= fence ->
        clearAnswer(m); phase[m] = idle
#endif
    :: (phase[m] == minting || phase[m] == storing) && answerFence[m] <= fence -> clearAnswer(m); phase[m] = idle
    :: else
    fi;
    /* Nothing is served whose mint began before a logout that the machine has heard of. */
    assert(!isCached[m] || cachedBorn[m] > drop)
}

/* A machine reads the next event of the stream. */
inline readNext(m) {
    hear(m, eventFence[primary * EVENTS + seen[m]], eventDrop[primary * EVENTS + seen[m]]);
    seen[m] = seen[m] + 1
}

/* A machine takes the end of the stream as its position, and suspects its token, as events were lost. */
inline loseEvents(m) {
#ifndef NO_LOSS
    if
    :: isCached[m] && cachedFence[m] <= MAX(now, last[primary]) -> isSuspect[m] = 1
    :: else
    fi;
    /* Looks and mints under way could be of before the lost events, too. */
    if
    :: phase[m] == answered || phase[m] == minting || phase[m] == storing -> clearAnswer(m); phase[m] = idle
    :: else
    fi;
#endif
    known[m] = MAX(known[m], MAX(now, last[primary]));
    seen[m] = count[primary] - KEPT
}

inline catchUp(m) {
    if
    :: seenEpoch[m] != EPOCH || seen[m] > count[primary] ->
        /* Another life of the engine: everything that is there is read again, and what isn't there any more is lost. */
        seen[m] = 0;
        seenEpoch[m] = EPOCH
    :: else
    fi;
    if
    :: count[primary] > KEPT && seen[m] < count[primary] - KEPT -> loseEvents(m)
    :: else
    fi;
    do
    :: seen[m] < count[primary] -> readNext(m)
    :: else -> break
    od
}

/* All senders have told the present engine of their logouts. */
#ifdef NO_REPEAT
#define IS_NOTED(d) (ordered <= d || notedBy[d] != 0)
#else
#define IS_NOTED(d) (ordered <= d || notedBy[d] == EPOCH)
#endif
#define ARE_NOTED (IS_NOTED(0) && IS_NOTED(DROPS - 1))
#define IS_CURRENT(m) (connected[m] == EPOCH && seenEpoch[m] == EPOCH && seen[m] == count[primary])

inline look(m) {
    if
    :: IS_VALUE ->
        /* The engine gives no token whose mint began before a logout that any engine has noted. */
        assert(valueBorn[primary] >= executed);
        answer[m] = found; answerFence[m] = valueFence[primary]; answerBorn[m] = valueBorn[primary]
    :: !IS_VALUE && IS_LEASE && leaseOwner[primary] != m -> answer[m] = wait
    :: !IS_VALUE && IS_LEASE && leaseOwner[primary] == m ->
        answer[m] = go; answerFence[m] = leaseFence[primary]; answerBorn[m] = ordered
    :: else ->
        /* There is never a second living lease. */
        assert(!holds[0] && !holds[1]);
        leases++;
        last[primary] = NEXT_FENCE;
        highest = MAX(highest, last[primary]);
        leaseEpoch[primary] = EPOCH; leaseFence[primary] = last[primary]; leaseOwner[primary] = m;
        holds[m] = 1;
        answer[m] = go; answerFence[m] = last[primary]; answerBorn[m] = ordered
    fi;
    phase[m] = answered
}

inline receive(m) {
    if
    :: answer[m] == found ->
        learn(m, answerFence[m]);
        cache(m, answerFence[m], answerBorn[m]);
        clearAnswer(m); phase[m] = idle
    :: answer[m] == wait -> clearAnswer(m); phase[m] = yielding
    :: answer[m] == go -> learn(m, answerFence[m]); phase[m] = minting
    fi
}

#define IS_OWN_LEASE(m) (IS_LIFE(leaseEpoch[primary]) && leaseOwner[primary] == m && leaseFence[primary] == answerFence[m])

inline store(m) {
    if
    :: IS_OWN_LEASE(m) && IS_ABOVE(answerFence[m]) ->
        valueEpoch[primary] = EPOCH; valueFence[primary] = answerFence[m]; valueBorn[primary] = answerBorn[m];
        clearLease()
    :: else
    fi;
    clearAnswer(m); phase[m] = idle
}

inline drop(m, d) {
    if
    :: dropFence[d] == 0 ->
        fence = NEXT_FENCE;
        last[primary] = fence;
        highest = MAX(highest, fence);
        executed = MAX(executed, d + 1)
    :: else -> fence = dropFence[d]
    fi;
    generation[primary] = MAX(generation[primary], fence);
    if
    :: leaseFence[primary] <= generation[primary] -> clearLease()
    :: else
    fi;
    assert(count[primary] < EVENTS);
    eventFence[primary * EVENTS + count[primary]] = fence;
    eventDrop[primary * EVENTS + count[primary]] = d;
    /* The reader ignores its own machine's events. */
    if
    :: IS_CURRENT(m) -> seen[m] = seen[m] + 1
    :: else
    fi;
    count[primary] = count[primary] + 1;
    if
    :: lostAnswers == 0 && dropFence[d] == 0 && d == 0 -> lostAnswers = 1
    :: dropFence[d] = fence; notedBy[d] = EPOCH; learn(m, fence)
    fi;
    fence = 0
}

#ifdef NO_REPEAT
#define MUST_SEND(d) (notedBy[d] == 0)
#else
#define MUST_SEND(d) (notedBy[d] != EPOCH)
#endif

#define IS_OWED(m, d) (ordered > d && sender[d] == m && MUST_SEND(d))
#ifdef NO_ORDER
#define HAS_SENT(m) true
#else
/* A machine's calls keep their order, and after a new connection its logouts go first. */
#define HAS_SENT(m) (!IS_OWED(m, 0) && !IS_OWED(m, (DROPS - 1)))
#endif
#define MAY_LOOK(m) (leases < LEASES || IS_VALUE || IS_LEASE)

proctype Machine(byte m) {
    byte d, fence;
    bit isReady;
end:
    do
    :: atomic { connected[m] == 0 -> connected[m] = EPOCH; catchUp(m) }
    :: atomic { connected[m] == EPOCH && seen[m] < count[primary] -> catchUp(m) }

    /* A token. */
    :: atomic { connected[m] == EPOCH && phase[m] == idle && (!isCached[m] || isSuspect[m]) && MAY_LOOK(m) && HAS_SENT(m) ->
        look(m) }
    :: atomic { phase[m] == answered -> receive(m) }
    /* The answer is lost: the machine mints as without a fleet, with the highest fence that it knows. */
    :: atomic { phase[m] == answered -> clearAnswer(m); cache(m, known[m], ordered); phase[m] = idle }
    :: atomic { phase[m] == minting -> cache(m, answerFence[m], answerBorn[m]); phase[m] = storing }
    :: atomic { phase[m] == storing && connected[m] == EPOCH -> store(m) }
    :: atomic { phase[m] == storing -> clearAnswer(m); phase[m] = idle }
#ifndef NO_TIMER
    :: atomic { phase[m] == yielding -> phase[m] = idle }
#else
    :: atomic { phase[m] == yielding && IS_VALUE -> phase[m] = idle }
#endif

    /* A token is served. */
    :: atomic { isCached[m] && !isSuspect[m] && IS_CURRENT(m) && ARE_NOTED ->
        assert(cachedBorn[m] >= executed);
        /* It expires, or is served again. */
        if :: uncache(m) :: skip fi }

    /* A logout, of which the engine hears sooner or later. The machines are alike, so the first one is of machine 0. */
    :: atomic { ordered < DROPS && (ordered > 0 || m == 0) ->
        sender[ordered] = m; ordered++;
        uncache(m);
        if
        :: phase[m] == yielding || phase[m] == idle
        :: else -> clearAnswer(m); phase[m] = idle
        fi }
    :: atomic { connected[m] == EPOCH && IS_OWED(m, 0) -> d = 0; drop(m, d) }
    :: atomic { connected[m] == EPOCH && DROPS > 1 && IS_OWED(m, (DROPS - 1)) -> d = DROPS - 1; drop(m, d); d = 0 }
    od
}

/* A machine that is cut off waits for nobody. After a failover it has to connect again, too. */
inline cut(m) {
    connected[m] = 0;
    if
    :: phase[m] == yielding -> phase[m] = idle
    :: else
    fi
}

proctype Surroundings() {
    byte i;
end:
    do
    :: atomic { connected[0] != 0 -> cut(0) }
    :: atomic { connected[1] != 0 -> cut(1) }
    :: atomic { leaseEpoch[primary] != 0 -> clearLease() }
    :: atomic { valueEpoch[primary] != 0 -> clearValue() }
    :: atomic { ticks < TICKS -> ticks++; now++ }
    /* The replica gets all that the primary has, or takes over without that. */
    :: atomic { failovers < FAILOVERS -> copy(primary, 1 - primary) }
    :: atomic { failovers < FAILOVERS ->
        failovers++;
        primary = 1 - primary;
        promotions++;
        holds[0] = 0; holds[1] = 0;
        /* No one asks the old primary any more. */
        if :: failovers == FAILOVERS -> forget(1 - primary) :: else fi;
#ifdef CLOCK_BACK
        now = 1
#else
        now = MAX(now, highest) + 1
#endif
        }
    od
}

init {
    atomic {
        run Machine(0);
        run Machine(1);
        run Surroundings()
    }
}

/* Every wait for another machine ends. */
ltl yields { [] ((phase[0] == yielding) -> <> (phase[0] != yielding)) }
