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
        switch random.below(6) {
        case 0, 1, 2:
            let number = random.below(machines.count)
            guard !machines[number].isCut else { return }
            machines[number].isCut = true
            try disconnect(number)
            at(random.duration(.milliseconds(50), .seconds(60)), .mend(number))
        case 3: try restart(keeping: false)
        case 4: try restart(keeping: true)
        default: try failOver()
        }
    }

    private func restart(keeping: Bool) throws {
        epochs += 1
        engine.restart(epoch: "epoch-\(epochs)", keeping: keeping)
        try cutAll()
    }

    private func failOver() throws {
        epochs += 1
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
            let delay = random.duration(.milliseconds(20), .seconds(3))
            at(delay, .connect(number, link: machines[number].link))
        }
    }
}
