import TokenProtocol

/// What is remembered of keys besides tokens, bounded in number: past it, what would be forgotten soonest goes.
struct KeyMemories {
    private var memories: [TokenKey: KeyMemory] = [:]
    private var ends = DueTimes<TokenKey>()
    private(set) var refusalCount = 0

    /// What is remembered of a key.
    subscript(key: TokenKey) -> KeyMemory? { memories[key] }

    /// How many keys.
    var count: Int { memories.count }

    /// Changes what is remembered of a key, and makes room if there are too many.
    mutating func change(_ key: TokenKey, now: Instant, limit: Int, _ change: (inout KeyMemory) -> Void) {
        var memory = memories[key] ?? KeyMemory(now: now)
        refusalCount -= memory.refusal == nil ? 0 : 1
        change(&memory)
        refusalCount += memory.refusal == nil ? 0 : 1
        memories[key] = memory
        ends.plan(key, at: memory.forgetAt)
        while memories.count > limit, let soonest = takeSoonest() { forget(soonest) }
        ends.sweep(wanted: memories.count) { memories[$0] != nil }
    }

    /// Forgets a key.
    mutating func forget(_ key: TokenKey) {
        guard let memory = memories.removeValue(forKey: key) else { return }
        refusalCount -= memory.refusal == nil ? 0 : 1
    }

    /// Forgets the keys for which something holds.
    mutating func forget(where isToGo: (TokenKey, KeyMemory) -> Bool) {
        for key in memories.filter({ isToGo($0.key, $0.value) }).map(\.key) { forget(key) }
    }

    /// Forgets what has ended.
    mutating func forgetDue(at now: Instant) {
        while let key = ends.takeDue(at: now) {
            if let memory = memories[key], memory.forgetAt <= now { forget(key) }
        }
    }

    /// When something is to be forgotten next.
    mutating func nextEnd() -> Instant? { ends.soonest { memories[$0] != nil } }

    private mutating func takeSoonest() -> TokenKey? {
        guard let at = nextEnd() else { return nil }
        return ends.takeDue(at: at)
    }
}
