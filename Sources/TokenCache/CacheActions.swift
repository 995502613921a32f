/// Everything that the caller of an event has to do to complete it.
package struct CacheActions: Equatable {
    /// Replies to requests that waited.
    package var deliveries: [Delivery] = []
    /// Calls to send to tenants now.
    package var calls: [CallOrder] = []
    /// Orders to the second level.
    package var fleetOrders: [FleetOrder] = []
    /// Notices for operators.
    package var notices: [CacheNotice] = []
    /// Records for the audit trail.
    package var records: [AuditRecord] = []
    /// The time at which ``CacheStateMachine/timePassed(now:)`` has to be called next, or nil if no timer is set.
    package var wake: Instant?

    /// Creates actions that do nothing.
    package init() {}
}

/// The answer to an event, and the actions that complete it.
package struct Outcome<Answer: Equatable>: Equatable {
    /// The answer.
    package var answer: Answer
    /// The actions that complete the event.
    package var actions: CacheActions
}
