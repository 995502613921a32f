import FleetModel
import FleetProtocol
import TestSupport
import TokenProtocol

@testable import TokenCache

/// The network between the machines and the engine.
///
/// Each connection keeps the order of messages. A cut loses what is on its way, in either direction.
extension FleetRun {
    /// The time by which the engine's replica lags behind at most.
    private static let replicationPause = Duration.seconds(1)

    /// True if a message is lost.
    private var isLost: Bool {
        guard isFaulty, random.once(in: 40) else { return false }
        tally.count(.lostMessage)
        return true
    }

    private var way: Duration {
        let slow = isFaulty && random.once(in: 20)
        if slow { tally.count(.slowMessage) }
        return random.duration(.microseconds(100), slow ? .milliseconds(150) : scene.delay)
    }

    /// Sends what a cache orders.
    func send(_ order: FleetOrder, _ number: Int) {
        var asked: UInt64 = 0
        if case .drop(let id, let drop) = order, drop.fence == nil {
            let name = DropName(machine: number, life: machines[number].life, id: id)
            dropTimes[name] = dropTimes[name] ?? timeOfUnsent(drop, number)
        }
        if let question = order.question {
            lastQuestion += 1
            asked = lastQuestion
            machines[number].questions[question] = asked
            let isAway = machines[number].epoch == nil
            at(isAway ? .milliseconds(1) : Self.timeout, .timeout(number, question, asked: asked))
        }
        guard machines[number].epoch != nil, !isLost else { return }
        let arrival = max(machines[number].lastArrival + .nanoseconds(1), now + way)
        machines[number].lastArrival = arrival
        let message = Message(link: machines[number].link, sent: time(of: number), asked: asked)
        _ = events.insert(.order(number, order, message), at: arrival)
    }

    /// Returns the time at which a drop was made that is sent for the first time.
    private func timeOfUnsent(_ drop: FleetDrop, _ number: Int) -> Instant {
        guard case .user(let key, _) = drop.target, case .logout = drop.reason else { return now }
        let user = Self.number(in: key.user.value)
        guard machines[number].unsentLogouts[user]?.isEmpty == false else { return now }
        return machines[number].unsentLogouts[user]?.removeFirst() ?? now
    }

    /// Lets the engine do what has arrived.
    func arrive(_ number: Int, _ order: FleetOrder, _ message: Message) {
        if now - replicaTime > Self.replicationPause { (replica, replicaTime) = (engine, now) }
        guard message.link == machines[number].link, machines[number].epoch == engine.epoch else { return }
        if case .drop = order, isFaulty, message.asked > 0, random.once(in: 5) {
            // The answer is late, and the client tries again.
            let again = Message(link: message.link, sent: message.sent, asked: 0)
            at(random.duration(.zero, .milliseconds(300)), .order(number, order, again))
            tally.count(.repeatedDrop)
        }
        guard let reply = perform(order, of: number, sent: message.sent), !isLost
        else { return }
        let arrival = max(machines[number].lastReturn + .nanoseconds(1), now + way)
        machines[number].lastReturn = arrival
        _ = events.insert(.reply(number, reply, message), at: arrival)
    }

    /// Lets a cache take what the engine has answered.
    func take(_ reply: Reply, _ number: Int, _ message: Message) throws {
        guard message.link == machines[number].link else { return }
        if let question = reply.question {
            // It may have timed out, and the same call may have asked again.
            guard machines[number].questions[question] == message.asked else { return }
            machines[number].questions[question] = nil
        }
        switch reply {
        case .look(let call, let answer): try feed(number) { $0.fleetAnswered(call, answer, now: $1) }
        case .drop(let drop, let answer): try feed(number) { $0.fleetDropAnswered(drop, answer, now: $1) }
        case .claim(let call, let isOurs): try feed(number) { $0.revocationClaimed(call, isOurs, now: $1) }
        case .limits(let limits): try feed(number) { $0.fleetHappened(.limits(Self.tenant, limits), now: $1) }
        }
    }

    /// Tells a cache that a question is not answered.
    func giveUp(_ question: FleetMachine.Question, _ number: Int, asked: UInt64) throws {
        guard machines[number].questions[question] == asked else { return }
        machines[number].questions[question] = nil
        tally.unavailable += 1
        switch question {
        case .call(let call): try feed(number) { $0.fleetAnswered(call, FleetAnswer(.unavailable), now: $1) }
        case .drop(let drop): try feed(number) { $0.fleetDropAnswered(drop, nil, now: $1) }
        case .claim(let call): try feed(number) { $0.revocationClaimed(call, true, now: $1) }
        }
    }

    // MARK: Connections

    /// Ends a machine's connection.
    func disconnect(_ number: Int) throws {
        machines[number].link += 1
        machines[number].epoch = nil
        machines[number].connectedAt = nil
        let questions = machines[number].questions.sorted { $0.value < $1.value }
        for (question, asked) in questions { try giveUp(question, number, asked: asked) }
        try feed(number) { $0.fleetHappened(.disconnected(Self.tenant), now: $1) }
    }

    /// Connects a machine, which reads the events that it has missed first of all.
    func connect(_ number: Int, link: Int) throws {
        guard link == machines[number].link, machines[number].epoch == nil, !machines[number].isCut else { return }
        machines[number].epoch = engine.epoch
        machines[number].connectedAt = now
        try catchUp(number)
        let epoch = engine.epoch
        try feed(number) { $0.fleetHappened(.connected(Self.tenant, epoch: epoch), now: $1) }
        try feed(number) { [machines = scene.machines] in $0.fleetHappened(.machines(machines), now: $1) }
    }

    // MARK: Events

    /// Lets the other machines read an event that the engine has.
    func announce(by number: Int) {
        for other in machines.indices where other != number && machines[other].epoch != nil {
            let delay = random.duration(.milliseconds(1), scene.delay * 2)
            at(delay, .read(other, link: machines[other].link))
        }
    }

    func read(_ number: Int, link: Int) throws {
        guard link == machines[number].link, machines[number].epoch == engine.epoch else { return }
        try readEvents(number, after: machines[number].place?.id ?? "0-0", count: machines[number].place?.count ?? 0)
    }

    private func catchUp(_ number: Int) throws {
        let highest = machines[number].highestFence
        let state = engine.perform(.state(EngineState(names: Self.names, rate: rate, fence: highest)), at: engineTime)
        hear(state.events?.fence ?? 0, number)
        let position = state.events ?? .init(count: 0, id: "0-0")
        guard let place = machines[number].place else {
            machines[number].place = .init(id: position.id, count: position.count, epoch: engine.epoch)
            return
        }
        if place.epoch != engine.epoch || position.count < place.count {
            try readEvents(number, after: "0-0", count: place.count, isAnew: true)
        } else if position.count > place.count {
            try readEvents(number, after: place.id, count: place.count)
        }
        machines[number].place?.epoch = engine.epoch
    }

    private func readEvents(_ number: Int, after id: String, count: Int64, isAnew: Bool = false) throws {
        let found = engine.events(of: Self.names, after: id, at: engineTime)
        let last = machines[number].place?.epoch ?? engine.epoch
        let isGap = isAnew ? found.first.map { $0.number > count + 1 } ?? false : found.first?.number != count + 1
        if !found.isEmpty, isGap {
            tally.lostEvents += 1
            tally.count(.lostEvents)
            let time = FleetFence(max(engineTime, machines[number].highestFence, found.first?.fence ?? 0))
            try feed(number) { $0.fleetHappened(.eventsLost(Self.tenant, upTo: time), now: $1) }
        }
        for event in found {
            machines[number].place = .init(id: event.id, count: event.number, epoch: last)
            hear(event.fence, number)
            guard event.text.machine != name(of: number) else { continue }
            try tell(event, number)
        }
        if found.isEmpty, isAnew { machines[number].place = .init(id: "0-0", count: 0, epoch: last) }
    }

    private func tell(_ event: EngineEvent, _ number: Int) throws {
        switch details[Self.number(in: event.text.sealed)] {
        case .drop(let drop, let time, let keys):
            repeatDrop(drop, event.fence, of: number, sender: keys)
            if case .user(let user, _) = drop.target, case .logout = drop.reason {
                let user = Self.number(in: user.user.value)
                machines[number].logouts[user] = max(machines[number].logouts[user] ?? time, time)
            }
            let fence = FleetFence(event.fence)
            try feed(number) { $0.fleetHappened(.dropped(drop, fence: fence), now: $1) }
        case .changed(let key): try feed(number) { $0.fleetHappened(.changed(key), now: $1) }
        case .hold: try feed(number) { $0.fleetHappened(.holdChanged(Self.tenant), now: $1) }
        }
    }
}

extension FleetOrder {
    /// The answer, or nil if there is none.
    var question: FleetMachine.Question? {
        switch self {
        case .look(let call, _), .pay(let call, _, _): .call(call)
        case .drop(let drop, _): .drop(drop)
        case .claimRevocation(let call, _, _): .claim(call)
        case .store, .release, .renew, .hold, .state: nil
        }
    }
}

extension FleetRun.Reply {
    /// The question that it answers, or nil if it is none.
    var question: FleetMachine.Question? {
        switch self {
        case .look(let call, _): .call(call)
        case .drop(let drop, _): .drop(drop)
        case .claim(let call, _): .claim(call)
        case .limits: nil
        }
    }
}
