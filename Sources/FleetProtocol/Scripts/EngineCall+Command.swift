extension EngineCall {
    /// The script that the call runs.
    package var script: EngineScript {
        switch self {
        case .look: .look
        case .pay: .pay
        case .store: .store
        case .release: .release
        case .renew: .renew
        case .drop: .drop
        case .take: .take
        case .hold: .hold
        case .claim: .claim
        case .state: .state
        case .move: .move
        case .present: .present
        }
    }

    /// The command that runs the script by its hash, which fails with `NOSCRIPT` where it isn't loaded.
    package var command: EngineCommand { command("EVALSHA", script.hash) }

    /// The command that loads and runs the script.
    package var loadingCommand: EngineCommand { command("EVAL", script.text) }

    private func command(_ name: String, _ script: String) -> EngineCommand {
        var command = EngineCommand(name, script)
        command.append(keys.count)
        command.append(contentsOf: keys)
        for argument in arguments { command.append(argument) }
        return command
    }

    /// The names of all keys that the script touches, at least one, which all belong to one slot.
    package var keys: [String] {
        switch self {
        case .look(let look): look.names.keys + look.token.flatMap(\.keys)
        case .pay(let pay): pay.names.keys
        case .store(let store): store.names.keys + store.token.flatMap(\.keys)
        case .release(let release): release.names.keys + release.token.flatMap(\.keys)
        case .renew(let renew): renew.token.flatMap(\.keys)
        case .drop(let drop): drop.names.keys + drop.target.names.flatMap(\.keys)
        case .take(let names, let values, _): names.keys + values
        case .hold(let hold): hold.names.keys
        case .claim(let name, _): [name]
        case .state(let state): state.names.keys
        case .move(let move): move.names.keys + move.token.flatMap(\.keys)
        case .present(let present): [present.name]
        }
    }

    private var arguments: [[UInt8]] {
        switch self {
        case .look(let look): look.arguments
        case .pay(let pay): pay.rate.arguments + [number(max(0, pay.reserve))]
        case .store(let store):
            [bytes(store.epoch), bytes(store.nonce), number(store.fence), bytes(store.mark)]
                + [number(max(1, store.left)), store.sealed] + store.event.arguments + [number(store.ends ?? -1)]
        case .release(let release):
            [bytes(release.nonce), number(max(0, release.refusal?.left ?? 0)), release.refusal?.sealed ?? []]
                + release.event.arguments
        case .renew(let renew): [bytes(renew.nonce), number(max(1, renew.lease))]
        case .drop(let drop):
            [bytes(drop.target.word), number(drop.fence ?? -1)] + (drop.event?.arguments ?? [[], [], []])
                + drop.target.marks.map(bytes)
        case .take(_, _, let fence): [number(fence)]
        case .hold(let hold):
            [number(hold.left.map { max(1, $0) } ?? -1), bytes(hold.cause)] + hold.event.arguments
        case .claim(_, let milliseconds): [number(max(1, milliseconds))]
        case .state(let state): state.rate.arguments + [number(min(state.fence, EngineScript.largestNumber))]
        case .move(let move):
            [bytes(move.epoch), number(move.fence), number(move.from + 1), bytes(move.mark), move.sealed]
        case .present(let present): [bytes(present.note), bytes(present.earlier ?? ""), number(max(1, present.life))]
        }
    }
}

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
private func number(_ number: some BinaryInteger) -> [UInt8] { bytes(String(number)) }

extension EngineLook {
    fileprivate var arguments: [[UInt8]] {
        let limits = [
            bytes(epoch), number(max(0, minLeft)), number(newerThan ?? -1), bytes(ignoresRefusal ? "1" : "0"),
        ]
        return limits + rate.arguments + purpose.arguments
    }
}

extension EngineLook.Purpose {
    fileprivate var arguments: [[UInt8]] {
        switch self {
        case .peek: [[], number(0), number(0)]
        case .claim(let claim): [bytes(claim.nonce), number(max(1, claim.lease)), number(max(0, claim.reserve))]
        }
    }
}

extension EngineRate {
    fileprivate var arguments: [[UInt8]] { [number(max(1, perMinute)), number(max(1, burst))] }
}

extension EngineEventText {
    fileprivate var arguments: [[UInt8]] { [bytes(machine), bytes(kind), sealed] }
}

extension EngineDrop.Target {
    fileprivate var word: String {
        switch self {
        case .tenant: "tenant"
        case .user: "user"
        case .token: "token"
        case .marked: "marked"
        }
    }

    fileprivate var names: [EngineTokenNames] {
        switch self {
        case .tenant: []
        case .user(let names), .token(let names), .marked(let names, _): names
        }
    }

    fileprivate var marks: [String] {
        guard case .marked(_, let marks) = self else { return [] }
        return marks
    }
}

extension EngineNames {
    /// The names in the order of the scripts.
    fileprivate var keys: [String] { [bucket, hold, generation, fence, events, eventCount] }
}

extension EngineTokenNames {
    /// The names in the order of the scripts.
    fileprivate var keys: [String] { [value, lease, refusal, generation, userGeneration, index] }
}
