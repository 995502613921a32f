/// Something that changes the series of a metric, or that a metric always shows.
struct MetricMove: Sendable {
    /// The subject that is changed.
    enum Subject: Sendable {
        /// The cache alone, whose clock the test moves.
        case cache(@Sendable (inout MovedCache) throws -> Void)
        /// A daemon, with what is kept while its metrics are rendered.
        case daemon(@Sendable (TestDaemon) async throws -> [any Sendable])
        /// A daemon whose successor in the same store shows another value.
        case nextDaemon(@Sendable (TestDaemon) async throws -> Void)
        /// A daemon whose metric never changes, with the value that it has to show.
        case constant(@Sendable (TestDaemon) async throws -> Double)
    }

    let name: String
    let subject: Subject

    static func cache(_ name: String, _ act: @escaping @Sendable (inout MovedCache) throws -> Void) -> MetricMove {
        MetricMove(name: name, subject: .cache(act))
    }

    static func daemon(
        _ name: String,
        _ act: @escaping @Sendable (TestDaemon) async throws -> [any Sendable]
    ) -> MetricMove {
        MetricMove(name: name, subject: .daemon(act))
    }

    static func nextDaemon(
        _ name: String,
        _ act: @escaping @Sendable (TestDaemon) async throws -> Void
    ) -> MetricMove {
        MetricMove(name: name, subject: .nextDaemon(act))
    }

    static func constant(
        _ name: String,
        _ value: @escaping @Sendable (TestDaemon) async throws -> Double
    ) -> MetricMove {
        MetricMove(name: name, subject: .constant(value))
    }
}
