/// Which script is for whom, and how far each has got.
package struct ScriptBook: Sendable {
    private var usual = Script.usual
    private var byValue: [String: Script] = [:]
    private var nextCalls: Script?
    private var revocation = Script.usual
    private var progress: [StandInTenant.MintKey: Int] = [:]
    private var nextCallsProgress = 0
    private var revocationProgress = 0

    /// The usual reply for everyone whose subject asks for nothing else.
    package init() {}

    /// The play for a call of a key: of the script for the next calls, the value's own, the subject's, or the usual one.
    package mutating func next(for key: StandInTenant.MintKey) throws -> Script.Play {
        if let play = nextOfNextCalls() { return play }
        let script = try byValue[key.value] ?? BehaviourTable.script(ofSubject: key.value) ?? usual
        let index = progress[key, default: 0]
        progress[key] = index + 1
        return script.play(at: index)
    }

    private mutating func nextOfNextCalls() -> Script.Play? {
        guard let script = nextCalls else { return nil }
        defer {
            nextCallsProgress += 1
            if nextCallsProgress == script.length { nextCalls = nil }
        }
        return script.play(at: nextCallsProgress)
    }

    /// The play for a revocation.
    package mutating func nextRevocation() -> Script.Play {
        defer { revocationProgress += 1 }
        return revocation.play(at: revocationProgress)
    }

    /// Sets what everyone gets of whom nothing else is said, from its beginning.
    package mutating func setUsual(_ script: Script) {
        usual = script
        progress = [:]
    }

    /// Sets what one subject or user id gets, from its beginning.
    package mutating func set(_ script: Script, forValue value: String) {
        byValue[value] = script
        progress = progress.filter { $0.key.value != value }
    }

    /// Sets what the next calls get, as many as the script is long.
    package mutating func setNextCalls(_ script: Script) {
        nextCalls = script
        nextCallsProgress = 0
    }

    /// Sets what revocations get, from its beginning.
    package mutating func setRevocation(_ script: Script) {
        revocation = script
        revocationProgress = 0
    }

    /// Begins every script anew; one for the next calls is dropped.
    package mutating func restart() {
        progress = [:]
        nextCalls = nil
        revocationProgress = 0
    }
}
