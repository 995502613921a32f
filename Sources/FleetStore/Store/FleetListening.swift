package import TokenCache

/// Is told of what the second level answers, and of what other machines do.
///
/// The methods are called on the event loop of ``FleetStore``, and must not block.
package protocol FleetListening: AnyObject, Sendable {
    /// A look or a payment has ended.
    func fleetAnswered(_ call: CallID, _ answer: FleetAnswer)
    /// A drop has ended. The answer is nil if the engine has not noted it, as far as is known.
    func fleetDropAnswered(_ drop: FleetDropID, _ answer: FleetDropAnswer?)
    /// A claim of a revocation has ended, with true if this machine has to make it.
    func revocationClaimed(_ call: CallID, _ isOurs: Bool)
    /// Something has happened that nobody ordered.
    func fleetHappened(_ event: FleetEvent)
}
