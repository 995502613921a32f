import FleetModel
import TestSupport

@testable import TokenCache

/// Cuts, restarts and failovers.
extension FleetRun {
    /// Makes a fault, and plans the next one.
    func makeFault() throws {
        let lasts = scene.faults == .always || now < endOfRequests
        guard lasts else {
            isFaulty = false
            for number in machines.indices where machines[number].isCut { at(.zero, .mend(number)) }
            return
        }
        at(random.duration(.seconds(1), .seconds(40)), .fault)
        switch random.below(11) {
        case 0, 1, 2: try cut(random.below(machines.count))
        case 3: try restart(keeping: false)
        case 4: try restart(keeping: true)
        case 5, 6: try failOver()
        case 7: advanceEngineClock()
        case 8: setWallClock(of: random.below(machines.count))
        default: try restartMachine(random.below(machines.count))
        }
    }

    private func cut(_ number: Int) throws {
        guard !machines[number].isCut else { return }
        tally.count(.cut)
        machines[number].isCut = true
        try disconnect(number)
        at(random.duration(.milliseconds(50), .seconds(60)), .mend(number))
    }

    // MARK: Clocks

    /// Lets the engine's clock be ahead for a moment.
    private func advanceEngineClock() {
        tally.count(.engineClockAhead)
        at(random.duration(.milliseconds(50), .seconds(5)), .setEngineClock(engineClockError))
        engineClockError += Int64(50 + random.below(450))
    }

    private func setWallClock(of number: Int) {
        tally.count(.wallClockJump)
        machines[number].wallError = Double(random.below(7_200_000)) / 1_000 - 3_600
    }

    // MARK: Machines

    /// Ends a machine's daemon at once.
    ///
    /// The next one takes its tokens and its place in the events over.
    private func restartMachine(_ number: Int) throws {
        tally.count(.machineRestart)
        try disconnect(number)
        guard let (kept, memory) = try machines[number].kept.next() else { return }
        if let wake = machines[number].wake { events.remove(wake) }
        machines[number].wake = nil
        machines[number].cache = cache(in: memory)
        machines[number].kept = kept
        machines[number].life += 1
        machines[number].requests = [:]
        machines[number].questions = [:]
        machines[number].unsentLogouts = [:]
        machines[number].highestFence = 0
        let count = scene.machines
        try feed(number) { $0.setFleet(FleetPolicy(machines: count), now: $1) }
        try feed(number) { $0.beginRestoring(now: $1) }
        at(random.duration(.milliseconds(1), .seconds(2)), .connect(number, link: machines[number].link))
    }

    // MARK: Keys

    /// Plans the move to a new key: behind the old one on all machines, then in front, then alone.
    func planRotation() {
        var time = Duration.seconds(20 + random.below(100))
        for keys in [[0, 1], [1, 0], [1]] {
            for number in machines.indices {
                at(time + random.duration(.zero, .seconds(10)), .rotate(number, keys: keys))
            }
            time += keys.first == 0 ? .seconds(20) : scene.lifetime + .seconds(60)
        }
    }

    // MARK: The engine

    private func restart(keeping: Bool) throws {
        tally.count(keeping ? .engineRestart : .emptiedEngine)
        epochs += 1
        engine.restart(epoch: "epoch-\(epochs)", keeping: keeping)
        try cutAll()
    }

    private func failOver() throws {
        tally.count(.failover)
        epochs += 1
        // The clocks of both differ by less than the time that a failover takes.
        engineClockError += Int64(random.below(401)) - 200
        engineClockError = min(200, max(-200, engineClockError))
        engine = replica
        engine.restart(epoch: "epoch-\(epochs)", keeping: true)
        try cutAll()
    }

    private func cutAll() throws {
        tally.failovers += 1
        // The engine may lose the drops that it has noted.
        notedLogouts = [:]
        for number in machines.indices where machines[number].epoch != nil {
            try disconnect(number)
            let delay = random.duration(.milliseconds(420), .seconds(3))
            at(delay, .connect(number, link: machines[number].link))
        }
    }
}
