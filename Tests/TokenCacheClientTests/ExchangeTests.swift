import NIOCore
import Testing

@testable import TokenCacheClient

@Suite("What the Swift client decides about its calls and connections")
struct ExchangeTests {
    /// An exchange whose callers are the calls' numbers, from 1.
    private struct Calls {
        var exchange = Exchange<Int>()
        private var last = 0

        init(_ count: Int = 0) throws { try add(count) }

        mutating func add(_ count: Int = 1) throws {
            for _ in 0..<count {
                last += 1
                let line = try RequestLine(ClientRequest("revoke", user: .subject("u\(last)")))
                exchange.add(
                    Exchange.Call(line: line, deadline: .uptimeNanoseconds(0) + .seconds(10), caller: last),
                    id: last
                )
            }
        }

        /// The calls that go on that connection now.
        mutating func take(_ connection: Int) -> [Int] {
            var lines = ByteBuffer()
            exchange.take(on: connection, at: .uptimeNanoseconds(0), into: &lines)
            return String(buffer: lines).split(separator: "\n").compactMap {
                Int($0.dropFirst(#"{"id":"#.count).prefix { $0.isNumber })
            }
        }

        /// Whether the connection is of further use, and those whose calls have ended.
        mutating func receive(_ line: String, _ connection: Int) -> (isUseful: Bool, ended: [Int]) {
            let reading = exchange.receive([ByteBuffer(string: line)], on: connection)
            return (reading.isUseful, reading.endings.map(\.caller))
        }

        mutating func answer(_ id: Int, _ connection: Int) -> [Int] {
            receive(#"{"id":\#(id),"revoked":true}"#, connection).ended
        }
    }

    /// A thousand calls on the connection 1.
    private func full() throws -> Calls {
        var calls = try Calls(1_000)
        calls.exchange.connected(1)
        #expect(calls.take(1) == Array(1...1_000))
        return calls
    }

    @Test("A connection is wanted when there is a call, and not before.")
    func first() throws {
        var calls = try Calls()
        #expect(!calls.exchange.wantsConnection)
        try calls.add()
        #expect(calls.exchange.wantsConnection)
        _ = calls.exchange.giveUp(1)
        #expect(!calls.exchange.wantsConnection)
    }

    @Test("A connection has a thousand requests, those that were given up included.")
    func window() throws {
        var calls = try full()
        #expect(calls.exchange.giveUp(1) == 1)
        try calls.add()
        #expect(calls.take(1).isEmpty)
        #expect(calls.answer(1, 1).isEmpty)
        #expect(calls.take(1) == [1_001])
    }

    @Test("Where all connections are full another one is wanted, which isn't needed any more when the first has room.")
    func another() throws {
        var calls = try full()
        #expect(!calls.exchange.wantsConnection)
        try calls.add()
        #expect(calls.exchange.wantsConnection)
        calls.exchange.connected(2)
        #expect(!calls.exchange.wantsConnection)
        #expect(calls.take(2) == [1_001])
        #expect(calls.answer(1_001, 2) == [1_001])
        // As long as the first is full, the next call will need it.
        #expect(!calls.exchange.isDispensable(2))
        #expect(calls.answer(7, 1) == [7])
        #expect(calls.exchange.isDispensable(2))
        #expect(!calls.exchange.isDispensable(1))
    }

    @Test("There are not more connections than the daemon has room for.")
    func most() throws {
        var calls = try Calls(67_000)
        for number in 1...66 {
            #expect(calls.exchange.wantsConnection)
            calls.exchange.connected(number)
            #expect(calls.take(number).count == 1_000)
        }
        #expect(!calls.exchange.wantsConnection)
        #expect(calls.answer(1, 1) == [1])
        #expect(calls.take(1) == [66_001])
    }

    @Test("A connection that is full of calls that were given up is dispensable; one that isn't full stays.")
    func givenUp() throws {
        var calls = try full()
        for id in 1...999 { _ = calls.exchange.giveUp(id) }
        #expect(!calls.exchange.isDispensable(1))
        _ = calls.exchange.giveUp(1_000)
        #expect(calls.exchange.isDispensable(1))
        #expect(calls.answer(1, 1).isEmpty)
        #expect(!calls.exchange.isDispensable(1))
        calls.exchange.disconnected(1)
        #expect(!calls.exchange.wantsConnection)
    }

    @Test("While the daemon drains a connection nothing goes on it and no other is wanted.")
    func draining() throws {
        var calls = try Calls(2)
        calls.exchange.connected(1)
        #expect(calls.take(1) == [1, 2])
        let reading = calls.receive(#"{"id":1,"error":"shutting_down"}"#, 1)
        #expect(reading.isUseful)
        #expect(reading.ended.isEmpty)
        #expect(calls.exchange.isDraining(1))
        #expect(!calls.exchange.wantsConnection)
        #expect(calls.take(1).isEmpty)
        #expect(!calls.exchange.isDispensable(1))
        #expect(calls.answer(2, 1) == [2])
        #expect(calls.exchange.isDispensable(1))
        calls.exchange.disconnected(1)
        #expect(calls.exchange.wantsConnection)
        calls.exchange.connected(2)
        #expect(calls.take(2) == [1])
    }

    @Test("What was under way is asked again before what waits, and what was given up isn't.")
    func again() throws {
        var calls = try Calls(2_500)
        calls.exchange.connected(1)
        calls.exchange.connected(2)
        #expect(calls.take(1) == Array(1...1_000))
        #expect(calls.take(2) == Array(1_001...2_000))
        _ = calls.exchange.giveUp(1_001)
        #expect(!calls.exchange.isUnderWay(1_001))
        calls.exchange.disconnected(2)
        #expect(!calls.exchange.isUnderWay(1_002))
        calls.exchange.connected(3)
        #expect(calls.take(3) == Array(1_002...2_001))
        #expect(calls.exchange.isUnderWay(1_002))
    }

    @Test("Calls that were given up while they waited leave nothing behind.")
    func abandoned() throws {
        var calls = try full()
        try calls.add(10_000)
        for id in 1_001...11_000 { #expect(calls.exchange.giveUp(id) == id) }
        #expect(calls.exchange.giveUp(11_000) == nil)
        #expect(!calls.exchange.wantsConnection)
        try calls.add()
        #expect(calls.exchange.wantsConnection)
        calls.exchange.connected(2)
        #expect(calls.take(2) == [11_001])
    }

    @Test(
        "What is no reply, or is about the connection, ends what is under way there and nothing else.",
        arguments: ["7", "", #"{"revoked":true}"#, #"{"error":"overloaded"}"#]
    )
    func invalidReply(line: String) throws {
        var calls = try full()
        try calls.add(2)
        calls.exchange.connected(2)
        #expect(calls.take(2) == [1_001, 1_002])
        let reading = calls.receive(line, 2)
        #expect(!reading.isUseful)
        #expect(reading.ended == [1_001, 1_002])
        #expect(calls.exchange.isUnderWay(1))
    }

    @Test("A call that is answered on another connection than its own isn't answered.")
    func elsewhere() throws {
        var calls = try full()
        try calls.add()
        calls.exchange.connected(2)
        #expect(calls.take(2) == [1_001])
        #expect(calls.answer(1, 2).isEmpty)
        #expect(calls.answer(1, 1) == [1])
    }
}
