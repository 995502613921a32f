import Testing
import TokenProtocol

@Suite("A connection's bytes")
struct ConnectionStateMachineTests {
    private static let lines = [
        #"{"op":"token","subject":"ann","id":1}"#, "", #"{"op":"hello"}"#, "not JSON",
        "{\"op\":\"token\",\"subject\":\"日本\"}\r",
    ]

    @Test("The result doesn't depend on how the bytes are divided.")
    func everySplit() {
        let bytes = Array((Self.lines.joined(separator: "\n") + "\n").utf8)
        let whole = Exchange()
        whole.receive(bytes)
        #expect(whole.requests.count == 3)
        #expect(whole.rejected == [.invalidRequest])
        for cut in bytes.indices {
            let exchange = Exchange()
            exchange.receive(Array(bytes[..<cut]))
            exchange.receive(Array(bytes[cut...]))
            #expect(exchange.requests.map(\.request) == whole.requests.map(\.request))
            #expect(exchange.rejected == whole.rejected)
        }
        let single = Exchange()
        for byte in bytes { single.receive([byte]) }
        #expect(single.requests.map(\.request) == whole.requests.map(\.request))
    }

    @Test("Replies with an id are sent when they are known, others in the order of the requests.")
    func order() throws {
        let exchange = Exchange()
        exchange.receive(
            """
            {"op":"hello","id":"slow"}
            {"op":"hello"}
            {"op":"hello","id":"fast"}
            {"op":"hello"}
            not JSON

            """
        )
        let tickets = exchange.requests.map(\.ticket)
        #expect(exchange.sent().isEmpty, "the error waits for the replies before it")
        exchange.deliver(.flushed(2), to: tickets[2])
        #expect(exchange.sent() == [#"{"id":"fast","flushed":2}"#])
        exchange.deliver(.flushed(3), to: tickets[3])
        #expect(exchange.sent().isEmpty)
        exchange.deliver(.flushed(1), to: tickets[1])
        let sent = exchange.sent()
        #expect(sent.prefix(2) == [#"{"flushed":1}"#, #"{"flushed":3}"#])
        #expect(try members(sent[2])["error"] == .text("invalid_request"))
        exchange.deliver(.flushed(0), to: tickets[0])
        #expect(exchange.sent() == [#"{"id":"slow","flushed":0}"#])
        let again = exchange.isDelivered(.flushed(0), to: tickets[0])
        #expect(!again, "a reply is sent once")
    }

    @Test("A line of 65,536 bytes is read. A longer one is answered once and skipped, and the next line is read.")
    func longLines() {
        func line(_ length: Int) -> String {
            let frame = #"{"op":"hello","x":""}"#
            return #"{"op":"hello","x":"\#(String(repeating: "x", count: length - frame.utf8.count))"}"#
        }
        for end in ["\n", "\r\n"] {
            let exchange = Exchange()
            exchange.receive(line(65_536) + end)
            #expect(exchange.requests.count == 1)
            exchange.receive(line(65_537) + end + #"{"op":"hello"}"# + end)
            #expect(exchange.rejected == [.invalidRequest])
            #expect(exchange.requests.count == 2)
        }
    }

    @Test(
        "A line that is too long is rejected at once, unless its last byte so far may be the carriage return."
    )
    func atOnce() {
        let exchange = Exchange()
        exchange.receive([UInt8](repeating: 0x61, count: 65_536))
        #expect(exchange.rejected.isEmpty)
        exchange.receive("\r")
        #expect(exchange.rejected.isEmpty)
        exchange.receive("a")
        #expect(exchange.rejected == [.invalidRequest])
        let other = Exchange()
        other.receive([UInt8](repeating: 0x61, count: 65_537))
        #expect(other.rejected == [.invalidRequest])
    }

    @Test("200 kB without a line end are answered at once and not kept.")
    func noLineEnd() {
        let exchange = Exchange()
        for _ in 0..<200 { exchange.receive([UInt8](repeating: 0x61, count: 1_000)) }
        #expect(exchange.rejected == [.invalidRequest])
        #expect(exchange.sent().count == 1)
        exchange.receive("\n" + #"{"op":"hello"}"# + "\n")
        #expect(exchange.requests.count == 1)
        #expect(exchange.rejected.count == 1)
    }

    @Test("At 1,024 waiting requests no more are processed, until some are answered.")
    func backPressure() {
        let exchange = Exchange()
        let lines = (0..<1_100).map { #"{"op":"hello","id":\#($0)}"# + "\n" }.joined()
        exchange.receive(lines)
        #expect(exchange.requests.count == 1_024)
        #expect(exchange.isFull)
        for request in exchange.requests.prefix(50) { exchange.deliver(.evicted, to: request.ticket) }
        exchange.resume()
        #expect(exchange.requests.count == 1_074)
        for request in exchange.requests.dropFirst(50) {
            exchange.deliver(.evicted, to: request.ticket)
        }
        exchange.resume()
        #expect(exchange.requests.map(\.request.id) == (0..<1_100).map { .integer($0) })
    }

    @Test("While the peer doesn't read its replies no request is processed.")
    func blocked() {
        let exchange = Exchange()
        exchange.isBlocked = true
        exchange.receive(#"{"op":"hello"}"# + "\n")
        #expect(exchange.requests.isEmpty)
        exchange.isBlocked = false
        exchange.resume()
        #expect(exchange.requests.count == 1)
    }

    @Test("A half-closed connection gets its replies, then it is done. An unfinished line is rejected.")
    func halfClose() {
        let exchange = Exchange()
        exchange.receive(#"{"op":"hello"}"# + "\n" + #"{"op":"hello"}"#)
        exchange.endInput()
        #expect(exchange.rejected == [.invalidRequest])
        #expect(!exchange.isDone)
        exchange.deliver(.evicted, to: exchange.requests[0].ticket)
        #expect(exchange.sent().count == 2)
        #expect(exchange.isDone)
    }

    @Test("In a drain new requests get an error with their id, and earlier ones are answered.")
    func drain() throws {
        let exchange = Exchange()
        exchange.receive(#"{"op":"hello","id":1}"# + "\n")
        exchange.drain()
        #expect(!exchange.isDone)
        exchange.receive(#"{"op":"hello","id":2}"# + "\n")
        #expect(exchange.rejected == [.shuttingDown])
        #expect(exchange.rejectedOperations == [.hello])
        #expect(try members(exchange.sent()[0])["id"] == .number(2))
        exchange.deliver(.evicted, to: exchange.requests[0].ticket)
        #expect(exchange.isDone)
    }

    @Test("An idle connection is done as soon as it drains. The tickets are those of all waiting requests.")
    func tickets() {
        let exchange = Exchange()
        exchange.receive(#"{"op":"hello","id":1}"# + "\n" + #"{"op":"hello"}"# + "\n")
        #expect(Set(exchange.tickets) == Set(exchange.requests.map(\.ticket)))
        #expect(exchange.operations == [.hello, .hello])
        let idle = Exchange()
        #expect(!idle.isDone)
        idle.drain()
        #expect(idle.isDone)
    }
}
