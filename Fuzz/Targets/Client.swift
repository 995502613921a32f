import Foundation
import NIOCore

@testable import TokenCacheClient

/// Fuzzes the client with a daemon's bytes, divided anywhere: each call ends once, and no reply can end the process.
///
/// The input is a number of bytes that choose what happens, these bytes, then what the daemon sends.
func fuzzClient(_ input: [UInt8]) throws(BrokenPromise) {
    guard let count = input.first else { return }
    let chosen = input.dropFirst().prefix(Int(count))
    var choices = Choices(chosen)
    var session = ClientSession(calls: 1 + choices.below(20))
    var rest = input.dropFirst(1 + chosen.count)
    while !rest.isEmpty {
        let length = choices.next()
        try session.receive(Array(rest.prefix(length == 0 ? rest.count : length)))
        rest = rest.dropFirst(length == 0 ? rest.count : length)
        if choices.next() % 8 == 1 { session.giveUp(choices.below(20)) }
        if choices.next() % 16 == 1 { session.disconnect() }
    }
    try session.end()
}

private struct ClientSession {
    private static let longestReply = 1_024

    private var framer = LineFramer(longestLine: longestReply)
    private var exchange = Exchange<Int>()
    private var ended: Set<Int> = []
    private let calls: Int
    /// The number of the present connection.
    private var connection = 1

    init(calls: Int) {
        self.calls = calls
        exchange.connected(connection)
        for id in 0..<calls {
            guard let line = try? RequestLine(TokenCacheClient.Request("token", user: .subject("ann"))) else {
                continue
            }
            exchange.add(.init(line: line, deadline: .now() + .seconds(10), caller: id), id: id)
        }
        send()
    }

    mutating func receive(_ bytes: [UInt8]) throws(BrokenPromise) {
        framer.append(ByteBuffer(bytes: bytes))
        var lines: [ByteBuffer] = []
        do throws(LineFramer.LineTooLong) {
            while let line = try framer.next() { lines.append(line) }
        } catch {
            try take(exchange.receive(lines, on: connection).completions)
            try take(exchange.receiveMalformed(on: connection).completions)
            return disconnect()
        }
        for line in lines { try check(line.readableBytes <= Self.longestReply, "no line is longer than a reply") }
        let effect = exchange.receive(lines, on: connection)
        try take(effect.completions)
        if !effect.isConnectionUsable { disconnect() }
    }

    mutating func giveUp(_ id: Int) {
        if let call = exchange.giveUp(id) { ended.insert(call.caller) }
    }

    mutating func disconnect() {
        framer = LineFramer(longestLine: Self.longestReply)
        exchange.disconnected(connection)
        connection += 1
        exchange.connected(connection)
        send()
    }

    mutating func end() throws(BrokenPromise) {
        try take(exchange.end(.closed))
        try check(ended.count == calls, "each call ends")
    }

    private mutating func send() {
        var buffer = ByteBuffer()
        exchange.send(on: connection, at: .now(), into: &buffer)
    }

    private mutating func take(_ completions: [Exchange<Int>.Completion]) throws(BrokenPromise) {
        for completion in completions {
            try check(ended.insert(completion.caller).inserted, "a call ends once")
            guard case .success(let data) = completion.result else { continue }
            let decoder = JSONDecoder()
            _ = try? decoder.decode(TokenCacheClient.Token.self, from: data)
            _ = try? decoder.decode(TokenCacheClient.Prefetch.self, from: data)
            _ = try? decoder.decode(TokenCacheClient.Invalidation.self, from: data)
            _ = try? decoder.decode(TokenCacheClient.Revocation.self, from: data)
            _ = try? decoder.decode(TokenCacheClient.ProvisionedUser.self, from: data)
            _ = try? decoder.decode(TokenCacheClient.Hello.self, from: data)
        }
    }
}
