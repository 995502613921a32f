/// The costs of the steps of long work, as multiples of a look at one slot, which takes about a microsecond.
///
/// The parts of long work that one event may do have a cost in sum, and not a number of steps, so that each event takes
/// less than half a millisecond, whatever its steps do.
enum StepCost {
    /// Something is looked at, forgotten or given another position.
    static let look = 1
    /// An entry is removed, and its token is overwritten.
    static let removal = 2
    /// A waiter gets its reply, with the connection's part.
    static let reply = 2
    /// A tenant's next calls are chosen and its timer is set.
    static let tenant = 2
    /// A call is queued, sent or ended, or a wait is cancelled, which may end one.
    static let call = 4
}

extension CacheStateMachine {
    /// Repeats a step while there is one and it costs no more than half of a budget.
    ///
    /// So work of all kinds that share the budget goes on, whatever the first of them has to do.
    ///
    /// - Parameters:
    ///   - budget: The cost that all kinds of work may have, reduced by that of the steps.
    ///   - step: Does a step and returns its cost, or nil if there is nothing to do.
    mutating func repeatStep(_ budget: inout Int, _ step: (inout CacheStateMachine) -> Int?) {
        var share = max(1, budget / 2)
        while share > 0, let cost = step(&self) {
            share -= cost
            budget -= cost
        }
    }
}
