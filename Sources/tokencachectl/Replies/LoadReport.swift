package import LoadGenerator

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The result of `bench`.
package struct LoadReport: Sendable, Equatable, Encodable {
    package var connections: Int
    package var pipeline: Int
    package var keys: Int
    package var threads: Int
    /// The number of tokens that were minted before the measurement.
    package var mints: Int
    /// The time that was measured, in seconds.
    package var seconds: Double
    /// The replies a second.
    package var rate: Double
    package var tokens: Int
    /// The number of errors by code.
    package var errors: [String: Int]
    /// The quantiles of the time from a request to its reply, in seconds.
    package var latency: Latency
    /// The requests that had no reply at the end.
    package var unanswered: Int
    /// The time for which the oldest of them had waited, in seconds.
    package var oldestUnanswered: Double
    package var lostConnections: Int

    /// Quantiles in seconds.
    package struct Latency: Sendable, Equatable, Encodable {
        package var p50: Double
        package var p90: Double
        package var p99: Double
        package var p999: Double
        package var max: Double
    }

    private enum CodingKeys: String, CodingKey {
        case connections, pipeline, keys, threads, mints, seconds, rate, tokens, errors, latency, unanswered
        case oldestUnanswered = "oldest_unanswered"
        case lostConnections = "lost_connections"
    }

    /// Creates the report of a measurement.
    package init(_ measurement: Measurement, _ settings: LoadSettings, keys: Int, mints: Int) {
        connections = settings.connections
        pipeline = settings.pipeline
        threads = settings.threads
        self.keys = keys
        self.mints = mints
        seconds = Double(measurement.elapsed) / 1e9
        rate = measurement.rate
        tokens = measurement.tokens
        errors = measurement.errors
        latency = Latency(
            p50: measurement.seconds(at: 50),
            p90: measurement.seconds(at: 90),
            p99: measurement.seconds(at: 99),
            p999: measurement.seconds(at: 99.9),
            max: measurement.seconds(at: 100)
        )
        unanswered = measurement.unanswered
        oldestUnanswered = Double(measurement.oldestUnanswered) / 1e9
        lostConnections = measurement.lostConnections
    }

    /// True if every reply had a token and no connection was lost.
    package var isClean: Bool {
        tokens > 0 && errors.isEmpty && lostConnections == 0 && oldestUnanswered < Self.longestWait
    }

    /// The time after which a request that has no reply is one that the daemon doesn't answer, in seconds.
    private static let longestWait = 1.0

    /// The report as a JSON object.
    package var json: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }
}
