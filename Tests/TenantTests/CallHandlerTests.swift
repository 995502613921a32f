import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import Tenant

@Suite("The calls of one connection")
struct CallHandlerTests {
    private let channel = EmbeddedChannel()
    private let handler: CallHandler

    init() throws {
        let encoder = RequestEncoder()
        handler = CallHandler(encoder)
        try channel.pipeline.syncOperations.addHandlers([encoder, handler])
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    private func call(within time: Duration) -> EventLoopPromise<Answer> {
        let promise = channel.eventLoop.makePromise(of: Answer.self)
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/")
        handler.call(head, TenantRequest(method: .GET, target: "/"), until: .now + time, promise)
        return promise
    }

    private func answer() throws {
        try channel.writeInbound(HTTPClientResponsePart.head(HTTPResponseHead(version: .http1_1, status: .ok)))
        try channel.writeInbound(HTTPClientResponsePart.end(nil))
    }

    private func result(of promise: EventLoopPromise<Answer>) -> Result<Int, AnswerError>? {
        var result: Result<Int, AnswerError>?
        promise.futureResult.assumeIsolated().whenComplete { outcome in
            result = outcome.map(\.status).mapError {
                $0 as? AnswerError ?? AnswerError(reason: .notDecompressed, isUnanswered: false)
            }
        }
        return result
    }

    @Test("A call fails at its deadline, not before, and its connection is closed.")
    func deadline() throws {
        let call = call(within: .seconds(3_600))
        channel.embeddedEventLoop.advanceTime(by: .minutes(30))
        #expect(result(of: call) == nil)
        channel.embeddedEventLoop.advanceTime(by: .minutes(30))
        #expect(throws: AnswerError.self) { try result(of: call)?.get() }
        guard case .failure(let error) = result(of: call) else { return }
        #expect(error.reason == .incomplete(CallFault(.answerTimeout)))
        #expect(error.isUnanswered)
        #expect(!channel.isActive)
    }

    @Test("Once a call has its answer, neither its deadline nor its cancellation reaches the next call.")
    func nextCall() throws {
        let first = call(within: .seconds(60))
        try answer()
        #expect(try result(of: first)?.get() == 200)
        let second = call(within: .seconds(3_600))
        handler.abandon(first, CallFault(.shutDown))
        channel.embeddedEventLoop.advanceTime(by: .minutes(30))
        #expect(result(of: second) == nil)
        try answer()
        #expect(try result(of: second)?.get() == 200)
        #expect(channel.isActive)
    }

    @Test("Nothing is left of a call that has ended, long before its deadline.", arguments: [true, false])
    func ended(isAnswered: Bool) throws {
        weak var left: EventLoopFuture<Answer>?
        do {
            let call = call(within: .seconds(3_600))
            left = call.futureResult
            if isAnswered { try answer() } else { handler.abandon(call, CallFault(.shutDown)) }
            #expect(result(of: call) != nil)
        }
        channel.embeddedEventLoop.run()
        #expect(left == nil)
    }
}
