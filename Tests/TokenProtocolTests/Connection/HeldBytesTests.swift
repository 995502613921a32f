import Testing
import TokenProtocol

@Suite("Bytes that were read while the connection was full")
struct HeldBytesTests {
    /// A connection that has read 1,100 requests and processed the first 1,024.
    private func full() -> Exchange {
        let exchange = Exchange()
        exchange.receive((0..<1_100).map { #"{"op":"hello","id":\#($0)}"# + "\n" }.joined())
        #expect(exchange.requests.count == 1_024)
        return exchange
    }

    private func answerAll(_ exchange: Exchange, from first: Int = 0) {
        for request in exchange.requests[first...] { exchange.deliver(.evicted, to: request.ticket) }
    }

    @Test("Later bytes wait for them, even if the connection is no longer full.")
    func order() {
        let exchange = full()
        exchange.deliver(.evicted, to: exchange.requests[0].ticket)
        exchange.receive(#"{"op":"hello","id":"late"}"# + "\n")
        #expect(exchange.requests.count == 1_024)
        answerAll(exchange, from: 1)
        exchange.resume()
        #expect(
            exchange.requests.map(\.request.id) == (0..<1_100).map { .integer($0) } + [
                .text(json: Array(#""late""#.utf8))
            ]
        )
    }

    @Test("The end of the input is processed after them, and an unfinished last line is rejected.")
    func end() {
        let exchange = full()
        exchange.receive(#"{"op":"hello""#)
        exchange.endInput()
        #expect(exchange.rejected.isEmpty)
        answerAll(exchange)
        #expect(!exchange.isDone)
        exchange.resume()
        #expect(exchange.requests.count == 1_100)
        #expect(exchange.rejected == [.invalidRequest])
        answerAll(exchange, from: 1_024)
        #expect(exchange.isDone)
    }

    @Test("The end of the input doesn't divide a line whose beginning was processed and whose rest is held.")
    func dividedLine() {
        let exchange = Exchange()
        exchange.receive(#"{"op":"hello","x":"#)
        exchange.isBlocked = true
        exchange.receive(#"{"op":"flush"}}"# + "\n")
        exchange.endInput()
        #expect(exchange.rejected.isEmpty)
        exchange.isBlocked = false
        exchange.resume()
        #expect(exchange.requests.map(\.request.operation) == [.hello])
        #expect(exchange.rejected.isEmpty)
    }

    @Test("In a drain each of their requests gets an error before the connection is done.")
    func drain() {
        let exchange = full()
        exchange.drain()
        answerAll(exchange)
        #expect(!exchange.isDone)
        exchange.resume()
        #expect(exchange.rejected == Array(repeating: .shuttingDown, count: 76))
        #expect(exchange.isDone)
    }

    @Test("When the connection is closed, they are dropped and no request waits.")
    func close() {
        let exchange = full()
        let tickets = exchange.close()
        #expect(Set(tickets) == Set(exchange.requests.map(\.ticket)))
        #expect(!exchange.hasHeld)
        #expect(exchange.output == 0)
        exchange.receive(#"{"op":"hello"}"# + "\n")
        #expect(exchange.requests.count == 1_024)
        let isDelivered = exchange.isDelivered(.evicted, to: tickets[0])
        #expect(!isDelivered)
        #expect(!exchange.isDone)
        #expect(exchange.tickets.isEmpty)
    }
}
