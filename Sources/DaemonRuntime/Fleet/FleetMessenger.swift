import FleetStore
import TokenCache

/// Brings what the second level tells from its event loop to the cache, in the order in which it was told.
final class FleetMessenger: FleetListening {
    private let frontend: Frontend

    /// Creates a messenger to the cache of a frontend.
    init(to frontend: Frontend) { self.frontend = frontend }

    func fleetAnswered(_ call: CallID, _ answer: FleetAnswer) {
        frontend.tellCache { $0.fleetAnswered(call, answer) }
    }

    func fleetDropAnswered(_ drop: FleetDropID, _ answer: FleetDropAnswer?) {
        frontend.tellCache { $0.fleetDropAnswered(drop, answer) }
    }

    func revocationClaimed(_ call: CallID, _ isOurs: Bool) {
        frontend.tellCache { $0.revocationClaimed(call, isOurs) }
    }

    func fleetHappened(_ event: FleetEvent) {
        frontend.tellCache { $0.fleetHappened(event) }
    }
}
