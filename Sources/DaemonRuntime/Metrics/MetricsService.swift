import ServiceLifecycle
import TokenProtocol

/// Renders the metrics whenever someone asks for them.
package struct MetricsService: DaemonService {
    private let exporter: MetricsExporter
    private let frontend: Frontend
    private let output: LogOutput

    /// Prepares the service.
    ///
    /// - Parameter output: The output whose dropped lines are counted.
    package init(_ exporter: MetricsExporter, _ frontend: Frontend, output: LogOutput) {
        self.exporter = exporter
        self.frontend = frontend
        self.output = output
    }

    package func run() async throws {
        await withGracefulShutdownHandler {
            for await _ in exporter.requests { await serve() }
            // For those that asked just before the end.
            await serve()
        } onGracefulShutdown: {
            exporter.end()
        }
    }

    private func serve() async {
        let readers = exporter.takeReaders()
        guard !readers.isEmpty else { return }
        let isEncoded = readers.contains { if case .waiter = $0 { true } else { false } }
        let snapshot = await frontend.snapshot
        let (text, reply) = await exporter.text(
            snapshot,
            droppedLogLines: output.droppedLines,
            isEncoded: isEncoded
        )
        for reader in readers {
            switch reader {
            case .task(let continuation): continuation.resume(returning: text)
            case .waiter(let waiter): if let reply { await frontend.deliver(.metrics(reply), to: waiter) }
            }
        }
    }
}
