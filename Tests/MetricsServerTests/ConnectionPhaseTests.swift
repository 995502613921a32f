import Testing

@testable import MetricsServer

@Suite("The life of an HTTP connection")
struct ConnectionPhaseTests {
    private var phase = ConnectionPhase()

    @Test("One request is answered, and the client closes.")
    mutating func life() {
        #expect(phase.receiveHead(hasBody: false) == .pass)
        #expect(phase.receiveEnd() == .pass)
        #expect(phase.responseEnded() == .linger)
        #expect(phase.inputEnded() == .close)
        #expect(phase.responseEnded() == .drop)
    }

    @Test("Further requests of the connection are dropped.")
    mutating func pipelined() {
        _ = (phase.receiveHead(hasBody: false), phase.receiveEnd())
        #expect(phase.receiveHead(hasBody: false) == .drop)
        #expect(phase.receiveBody() == .drop)
        #expect(phase.receiveEnd() == .drop)
        #expect(phase.fail(.malformed) == .drop)
        #expect(phase.responseEnded() == .linger)
        #expect(phase.receiveHead(hasBody: true) == .drop)
    }

    @Test("A body is refused, and nothing of its request reaches the server.")
    mutating func body() {
        #expect(phase.receiveHead(hasBody: true) == .refuse(.body))
        #expect(phase.receiveBody() == .drop)
        #expect(phase.receiveEnd() == .drop)
        #expect(phase.responseEnded() == .linger)
    }

    @Test("A body that no field announces is refused too.")
    mutating func hiddenBody() {
        #expect(phase.receiveHead(hasBody: false) == .pass)
        #expect(phase.receiveBody() == .refuse(.body))
    }

    @Test("What can't be parsed is refused once.")
    mutating func malformed() {
        #expect(phase.fail(.malformed) == .refuse(.malformed))
        #expect(phase.fail(.malformed) == .drop)
    }

    @Test("A client that sends no more still gets its response, and the connection ends with it.")
    mutating func halfClosed() {
        _ = (phase.receiveHead(hasBody: false), phase.receiveEnd())
        #expect(phase.inputEnded() == .drop)
        #expect(phase.responseEnded() == .close)
    }

    @Test("A client that ends without a request has no connection any more.")
    mutating func noRequest() { #expect(phase.inputEnded() == .close) }

    @Test("At the deadline a slow client is told so, and one that doesn't read is cut off.")
    mutating func deadline() {
        #expect(phase.expired() == .refuse(.tooSlow))
        #expect(phase.expired() == .close)
        var answering = ConnectionPhase()
        _ = (answering.receiveHead(hasBody: false), answering.receiveEnd())
        #expect(answering.expired() == .close)
        var lingering = ConnectionPhase()
        _ = (lingering.receiveHead(hasBody: false), lingering.receiveEnd(), lingering.responseEnded())
        #expect(lingering.expired() == .close)
    }

    @Test("When the server stops, only a connection with a response under way stays.")
    mutating func stop() {
        #expect(phase.serverStops() == .close)
        var answering = ConnectionPhase()
        _ = (answering.receiveHead(hasBody: false), answering.receiveEnd())
        #expect(answering.serverStops() == .pass)
        _ = answering.responseEnded()
        #expect(answering.serverStops() == .close)
    }
}
