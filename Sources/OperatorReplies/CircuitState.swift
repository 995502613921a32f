/// The state of a tenant's circuit breaker.
package struct CircuitState: OpenName, Omissible {
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }

    /// Creates the state of a tenant of which the daemon says nothing.
    package init() { self = "unknown" }

    /// Calls go to the tenant.
    package static var closed: CircuitState { "closed" }
    /// No calls go to the tenant.
    package static var open: CircuitState { "open" }
    /// A single call finds out if the tenant has recovered.
    package static var halfOpen: CircuitState { "half_open" }
}
