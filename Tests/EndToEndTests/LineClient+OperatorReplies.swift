import Foundation
import OperatorReplies
import TestSupport

extension LineClient {
    /// Asks for the daemon's statistics.
    func stats() throws -> StatsReply { try reply(to: #"{"op":"stats"}"#) }

    /// Asks for the daemon's health.
    func health() throws -> HealthReply { try reply(to: #"{"op":"health"}"#) }

    /// Asks what a user's next answer would be.
    func explain(_ subject: String) throws -> ExplainReply {
        try reply(to: #"{"op":"explain","subject":"\#(subject)"}"#)
    }

    private func reply<Reply: Decodable>(to request: String) throws -> Reply {
        try send(request)
        let reply = try line()
        return try JSONDecoder().decode(Reply.self, from: Data((reply ?? "").utf8))
    }
}
