import NIOCore
import Testing

@testable import TokenCacheClient

@Suite("Calls and connections of the Swift client")
struct ExchangeTests {
    /// An exchange whose callers are the calls' numbers, from 1.
    private struct Calls {
        var exchange = Exchange<Int>()
        private var last = 0

        init(_ count: Int = 0) throws { try add(count) }

        mutating func add(_ count: Int = 1) throws {
            for _ in 0..<count {
                last += 1
                let line = try RequestLine(TokenCacheClient.Request("revoke", user: .subject("u\(last)")))
                exchange.add(
                    Exchange.Call(line: line, deadline: .uptimeNanoseconds(0) + .seconds(10), caller: last),
                    id: last
                )
            }
        }

        /// The ids of the calls that are sent on that connection now.
        mutating func send(_ connection: Int) -> [Int] {
            var lines = ByteBuffer()
            exchange.send(on: connection, at: .uptimeNanoseconds(0), into: &lines)
            return String(buffer: lines).split(separator: "\n").compactMap {
                Int($0.dropFirst(#"{"id":"#.count).prefix { $0.isNumber })
            }
        }

        /// Indicates whether the connection can be used further, and which calls have ended.
        mutating func receive(_ line: String, _ connection: Int) -> (isUsable: Bool, ended: [Int]) {
            let effect = exchange.receive([ByteBuffer(string: line)], on: connection)
            return (effect.isConnectionUsable, effect.completions.map(\.caller))
        }

        mutating func answer(_ id: Int, _ connection: Int) -> [Int] {
            receive(#"{"id":\#(id),"revoked":true}"#, connection).ended
        }
    }

    /// A thousand calls on the connection 1.
    private func full() throws -> Calls {
        var calls = try Calls(1_000)
        calls.exchange.connected(1)
        #expect(calls.send(1) == Array(1...1_000))
        return calls
    }

    @Test("The first call needs a connection, and nothing else does.")
    func first() throws {
        var calls = try Calls()
        #expect(!calls.exchange.needsConnection)
        try calls.add()
        #expect(calls.exchange.needsConnection)
        _ = calls.exchange.giveUp(1)
        #expect(!calls.exchange.needsConnection)
    }

    @Test("A connection has at most a thousand requests without a reply, also those that were given up.")
    func window() throws {
        var calls = try full()
        #expect(calls.exchange.giveUp(1)?.caller == 1)
        try calls.add()
        #expect(calls.send(1).isEmpty)
        #expect(calls.answer(1, 1).isEmpty)
        #expect(calls.send(1) == [1_001])
    }

    @Test("If all connections are full another one is needed, until the first has capacity again.")
    func another() throws {
        var calls = try full()
        #expect(!calls.exchange.needsConnection)
        try calls.add()
        #expect(calls.exchange.needsConnection)
        calls.exchange.connected(2)
        #expect(!calls.exchange.needsConnection)
        #expect(calls.send(2) == [1_001])
        #expect(calls.answer(1_001, 2) == [1_001])
        // While the first is full, the next call will need the second.
        #expect(!calls.exchange.isDispensable(2))
        #expect(calls.answer(7, 1) == [7])
        #expect(calls.exchange.isDispensable(2))
        #expect(!calls.exchange.isDispensable(1))
    }

    @Test("There are at most as many connections as the daemon has capacity for.")
    func most() throws {
        var calls = try Calls(67_000)
        for number in 1...66 {
            #expect(calls.exchange.needsConnection)
            calls.exchange.connected(number)
            #expect(calls.send(number).count == 1_000)
        }
        #expect(!calls.exchange.needsConnection)
        #expect(calls.answer(1, 1) == [1])
        #expect(calls.send(1) == [66_001])
    }

    @Test("A connection is closed when it is full of calls that were given up, and not before.")
    func givenUp() throws {
        var calls = try full()
        for id in 1...999 { _ = calls.exchange.giveUp(id) }
        #expect(!calls.exchange.isDispensable(1))
        _ = calls.exchange.giveUp(1_000)
        #expect(calls.exchange.isDispensable(1))
        #expect(calls.answer(1, 1).isEmpty)
        #expect(!calls.exchange.isDispensable(1))
        calls.exchange.disconnected(1)
        #expect(!calls.exchange.needsConnection)
    }

    @Test("While the daemon shuts down, nothing is sent on its connection and no other is needed.")
    func draining() throws {
        var calls = try Calls(2)
        calls.exchange.connected(1)
        #expect(calls.send(1) == [1, 2])
        let reply = calls.receive(#"{"id":1,"error":"shutting_down"}"#, 1)
        #expect(reply.isUsable)
        #expect(reply.ended.isEmpty)
        #expect(calls.exchange.isDraining(1))
        #expect(!calls.exchange.needsConnection)
        #expect(calls.send(1).isEmpty)
        #expect(!calls.exchange.isDispensable(1))
        #expect(calls.answer(2, 1) == [2])
        #expect(calls.exchange.isDispensable(1))
        calls.exchange.disconnected(1)
        #expect(calls.exchange.needsConnection)
        calls.exchange.connected(2)
        #expect(calls.send(2) == [1])
    }

    @Test("Calls that were under way are sent again before those that wait, unless they were given up.")
    func again() throws {
        var calls = try Calls(2_500)
        calls.exchange.connected(1)
        calls.exchange.connected(2)
        #expect(calls.send(1) == Array(1...1_000))
        #expect(calls.send(2) == Array(1_001...2_000))
        _ = calls.exchange.giveUp(1_001)
        #expect(!calls.exchange.isUnderWay(1_001))
        calls.exchange.disconnected(2)
        #expect(!calls.exchange.isUnderWay(1_002))
        calls.exchange.connected(3)
        #expect(calls.send(3) == Array(1_002...2_001))
        #expect(calls.exchange.isUnderWay(1_002))
    }

    @Test("Calls that were given up while they waited take no capacity.")
    func abandoned() throws {
        var calls = try full()
        try calls.add(10_000)
        for id in 1_001...11_000 { #expect(calls.exchange.giveUp(id)?.caller == id) }
        #expect(calls.exchange.giveUp(11_000)?.caller == nil)
        #expect(!calls.exchange.needsConnection)
        try calls.add()
        #expect(calls.exchange.needsConnection)
        calls.exchange.connected(2)
        #expect(calls.send(2) == [11_001])
    }

    @Test(
        "A malformed line, or an error of the connection, ends the calls under way there and no others.",
        arguments: ["7", "", #"{"revoked":true}"#, #"{"error":"overloaded"}"#]
    )
    func invalidReply(line: String) throws {
        var calls = try full()
        try calls.add(2)
        calls.exchange.connected(2)
        #expect(calls.send(2) == [1_001, 1_002])
        let reply = calls.receive(line, 2)
        #expect(!reply.isUsable)
        #expect(reply.ended == [1_001, 1_002])
        #expect(calls.exchange.isUnderWay(1))
    }

    @Test("A reply on another connection than that of its call is ignored.")
    func elsewhere() throws {
        var calls = try full()
        try calls.add()
        calls.exchange.connected(2)
        #expect(calls.send(2) == [1_001])
        #expect(calls.answer(1, 2).isEmpty)
        #expect(calls.answer(1, 1) == [1])
    }

    @Test("The error of a call says whether its request was sent, on its connection or on an earlier one.")
    func requestState() throws {
        var calls = try Calls(2)
        calls.exchange.connected(1)
        #expect(calls.send(1) == [1, 2])
        try calls.add()
        #expect(calls.exchange.giveUp(1)?.requestState == .sent)
        #expect(calls.exchange.giveUp(3)?.requestState == .notSent)
        try calls.add()
        calls.exchange.disconnected(1)
        let states = calls.exchange.end(.closed).map { completion in
            if case .failure(let error) = completion.result {
                error.requestState
            } else {
                TokenCacheError.RequestState?.none
            }
        }
        #expect(states == [.sent, .notSent])
    }

    @Test("An error from the daemon is a reply. A malformed line is none.")
    func answeredState() throws {
        func state(_ line: String) throws -> TokenCacheError.RequestState? {
            var calls = try Calls(1)
            calls.exchange.connected(1)
            _ = calls.send(1)
            let completion = calls.exchange.receive([ByteBuffer(string: line)], on: 1).completions.first
            guard case .failure(let error) = completion?.result else { return nil }
            return error.requestState
        }
        #expect(try state(#"{"id":1,"error":"denied"}"#) == .answered)
        #expect(try state("7") == .sent)
        #expect(try state(#"{"error":"overloaded"}"#) == .sent)
    }
}
