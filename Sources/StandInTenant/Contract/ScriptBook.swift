/// The scripts that are set, and their progress.
struct ScriptBook: Sendable {
    /// A script with its progress.
    private struct Run {
        var script = Script.usual
        var calls = 0

        mutating func next() -> Script.Play {
            defer { calls += 1 }
            return script.play(at: calls)
        }
    }

    private var usual = Script.usual
    private var byValue: [String: Script] = [:]
    private var runs: [StandInTenant.MintKey: Run] = [:]
    private var nextCalls: Run?
    private var revocations = Run()
    private var operations: [StandInTenant.Operation: Run] = [:]

    /// Returns the step for a call of a key, from the script for the next calls, the value's, the subject's or the
    /// usual one.
    mutating func next(for key: StandInTenant.MintKey) throws -> Script.Play {
        if let play = nextCalls?.next() {
            if let run = nextCalls, run.calls == run.script.length { nextCalls = nil }
            return play
        }
        if runs[key] == nil {
            runs[key] = Run(script: try byValue[key.value] ?? BehaviourTable.script(ofSubject: key.value) ?? usual)
        }
        return runs[key, default: Run()].next()
    }

    /// Returns the step for a revocation.
    mutating func nextRevocation() -> Script.Play { revocations.next() }

    /// Returns the step for a call of an operation of the API.
    mutating func next(for operation: StandInTenant.Operation) -> Script.Play {
        operations[operation, default: Run()].next()
    }

    /// Sets the script of an operation of the API.
    mutating func set(_ script: Script, for operation: StandInTenant.Operation) {
        operations[operation] = Run(script: script)
    }

    /// Sets the script for every key without another one.
    mutating func setUsual(_ script: Script) {
        usual = script
        runs = [:]
    }

    /// Sets the script of one subject or user id.
    mutating func set(_ script: Script, forValue value: String) {
        byValue[value] = script
        runs = runs.filter { $0.key.value != value }
    }

    /// Sets the script for the next calls, as many as it is long.
    mutating func setNextCalls(_ script: Script) { nextCalls = Run(script: script) }

    /// Sets the script for revocations.
    mutating func setRevocation(_ script: Script) { revocations = Run(script: script) }

    /// Begins every script anew, and drops the one for the next calls.
    mutating func restart() {
        runs = [:]
        nextCalls = nil
        revocations.calls = 0
        for operation in operations.keys { operations[operation]?.calls = 0 }
    }
}
