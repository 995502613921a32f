import FleetModel
import FleetProtocol
import TestSupport
import Testing

/// Holds the scripts in a real engine against the model, in random runs that a seed repeats.
@Suite("The scripts do what the model says")
struct EngineAgreementTests {
    /// The number of calls of a run.
    private static let calls = 250

    /// A difference between the engine and the model.
    private struct Difference: Error, CustomStringConvertible {
        var description: String
    }

    @Test("Random calls at random times are answered alike, and leave the same events.", arguments: 0..<4)
    func agreement(group: Int) throws {
        let clock = try EngineClock(1_700_000_000_000)
        let engine = try EngineServer(clock: clock)
        let client = try EngineClient(engine)
        var outcomes: [String: Int] = [:]
        for seed in 0..<40 {
            try run(seed: UInt64(group * 1_000 + seed), client, clock, &outcomes)
        }
        // Each outcome was among the answers, so the runs can tell something of each.
        let all = [
            "token", "refused", "wait", "go", "later", "nothing", "done", "lost", "dropped", "drop", "taken", "present",
        ]
        for outcome in all { #expect(outcomes[outcome, default: 0] >= 10, "\(outcome) in \(outcomes)") }
    }

    private func run(
        seed: UInt64,
        _ client: EngineClient,
        _ clock: EngineClock,
        _ outcomes: inout [String: Int]
    ) throws {
        var (world, model) = (EngineWorld(seed: seed), EngineModel(epoch: "e1"))
        var time: Int64 = 1_700_000_000_000
        _ = try client.ask(EngineCommand("FLUSHALL"))
        for number in 0..<Self.calls {
            if world.goesBack() {
                // Both forget first what has expired: the engine does so at any time, and it would live again.
                _ = model.count(at: time)
                _ = try client.ask(
                    EngineCommand(words: [Array("EXISTS".utf8)] + EngineWorld.allNames.map { Array($0.utf8) })
                )
                time -= world.step() % 3_600_000
            } else {
                time += world.step()
            }
            try clock.set(time)
            let call = world.call(at: time)
            let (expected, answer) = (model.perform(call, at: time), try client.ask(call))
            guard answer == expected else {
                throw Difference(description: "seed \(seed), call \(number): \(call): \(answer), not \(expected)")
            }
            world.note(answer, to: call)
            outcomes[Self.word(answer.outcome), default: 0] += 1
            guard number.isMultiple(of: 20) || number == Self.calls - 1 else { continue }
            try compareEvents(client, model, time, seed)
            try compareGenerations(client, model, time, seed)
        }
    }

    private func compareEvents(_ client: EngineClient, _ model: EngineModel, _ time: Int64, _ seed: UInt64) throws {
        let reply = try client.ask(EngineCommand("XRANGE", EngineWorld.names.events, "-", "+"))
        let (found, expected) = (try EngineEntries(reply).events, model.events(of: EngineWorld.names, at: time))
        guard found == expected else {
            throw Difference(description: "seed \(seed): the events are \(found), not \(expected)")
        }
    }

    /// Compares the fences that no answer shows, such as the one of a token that is gone.
    private func compareGenerations(_ client: EngineClient, _ model: EngineModel, _ time: Int64, _ seed: UInt64) throws
    {
        let names = EngineWorld.generations
        let reply = try client.ask(EngineCommand(words: (["MGET"] + names).map { Array($0.utf8) }))
        let (found, expected) = (reply.elements?.map(\.number), names.map { model.generation(named: $0, at: time) })
        guard found == expected else {
            throw Difference(description: "seed \(seed): the generations are \(found ?? []), not \(expected)")
        }
    }

    private static func word(_ outcome: EngineAnswer.Outcome) -> String {
        switch outcome {
        case .token: "token"
        case .refused: "refused"
        case .wait: "wait"
        case .go: "go"
        case .later: "later"
        case .nothing: "nothing"
        case .done: "done"
        case .lost: "lost"
        case .dropped: "dropped"
        case .drop: "drop"
        case .taken(let taken): taken.isEmpty ? "taken nothing" : "taken"
        case .present: "present"
        }
    }
}
