package import CoreMetrics
package import Dispatch
import SafeText
import Synchronization
import Systemd
package import TokenCache

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Writes audit records to a destination, in order and without delaying its callers.
package final class AuditTrail: Sendable {
    /// The most bytes of records that may wait to be written: an hour's worth at the tenants' pace.
    package static let maxWaiting = 16 * 1_024 * 1_024
    /// The share of that for forbidden requests, which any peer can send, so that the rest is left for actions.
    private static let forbiddenShare = 0.25
    /// The id of audit records in the journal: `journalctl MESSAGE_ID=…` shows them all.
    package static let messageID = "8ef0e71883da49b1bc1a87e3e039ddb2"

    private let queue: WriteQueue
    private let sink: Mutex<AuditSink>
    private let forbidden = Mutex(ForbiddenRequestCounts())
    /// The number of records that have been lost since the last one that was written.
    private let missing = Mutex(0)
    private let report: @Sendable (Report) -> Void
    private let written: Counter
    private let lost: Counter

    /// A change in the trail's own state, for operators.
    package enum Report: Sendable, Equatable {
        /// Records are lost from now on, for this reason.
        case losesRecords(String)
        /// Records are written again, after one with the number of those that are missing.
        case recovers(missing: Int)
    }

    /// A destination that has been opened for writing.
    package struct Opened: Sendable {
        let sink: AuditSink
    }

    /// Opens a destination.
    ///
    /// A file is opened even if it is open already, as it may have been rotated.
    package static func open(_ destination: AuditDestination) throws(AuditTrailError) -> Opened {
        Opened(sink: try AuditSink(destination))
    }

    /// Returns a sentence on why a destination can't be opened, without creating it, or nil if no reason is found.
    package static func problem(with destination: AuditDestination) -> String? {
        switch destination {
        case .journal: Journal.isAvailable ? nil : AuditSink.noJournal
        case .file(let path): AuditFile.problem(with: path)
        case .standardError, .nowhere: nil
        }
    }

    /// Creates a trail that writes to a destination.
    ///
    /// - Parameters:
    ///   - bound: The most bytes of records that may wait to be written.
    ///   - metrics: Makes the counters of records.
    ///   - report: Called when records begin to be lost, and when they are written again.
    package init(
        to opened: Opened,
        bound: Int = maxWaiting,
        metrics: any MetricsFactory = NOOPMetricsHandler.instance,
        report: @escaping @Sendable (Report) -> Void
    ) {
        written = Counter(label: "tokencached_audit_records_total", factory: metrics)
        lost = Counter(label: "tokencached_audit_records_lost_total", factory: metrics)
        queue = WriteQueue("tokencached.audit", bound: bound)
        sink = Mutex(opened.sink)
        self.report = report
    }

    /// True if this machine has a journal that takes entries.
    package static var hasJournal: Bool { Journal.isAvailable }

    /// Writes to another destination from now on.
    package func move(to opened: Opened) { sink.withLock { $0 = opened.sink } }

    /// Queues a record to be written.
    ///
    /// Of forbidden requests that are alike, only the first is written. The others are counted, and ``recordCounts()``
    /// writes their number.
    package func append(_ record: AuditRecord) {
        if case .nowhere = sink.withLock({ $0 }) { return }
        guard case .forbidden(let request) = record.act else {
            return write(record.fields, isNotable: record.isFailure)
        }
        let kind = ForbiddenRequestCounts.Kind(
            uid: record.peer?.uid,
            operation: request.operation,
            reason: request.reason
        )
        guard forbidden.withLock({ $0.add(kind) }) else { return }
        write(record.fields, isNotable: true, share: Self.forbiddenShare)
    }

    /// Queues records with the numbers of forbidden requests that were only counted.
    ///
    /// It is called every few seconds.
    package func recordCounts() {
        let (kinds, others) = forbidden.withLock { $0.take() }
        for (kind, count) in kinds {
            write(AuditField.forbiddenRequests(count, kind), isNotable: true, share: Self.forbiddenShare)
        }
        if others > 0 { write(AuditField.forbiddenRequests(others, nil), isNotable: true, share: Self.forbiddenShare) }
    }

    /// The number of bytes that wait to be written.
    var waiting: Int { queue.waiting }

    /// Waits until all records are written, but no longer than a timeout.
    ///
    /// - Returns: True if no record is lost.
    @discardableResult
    package func flush(within timeout: DispatchTimeInterval = .seconds(5)) -> Bool {
        recordCounts()
        let sink = sink.withLock { $0 }
        let isDone = queue.flush(within: timeout) { dropped in
            if dropped > 0 { self.miss(dropped, Self.tooFast) }
            _ = self.recordLoss(Date(), sink)
        }
        return isDone && missing.withLock { $0 } == 0
    }

    // MARK: Writing

    private func write(_ fields: [AuditField], isNotable: Bool, share: Double = 1) {
        let sink = sink.withLock { $0 }
        if case .nowhere = sink { return }
        let now = Date()
        queue.write(size: fields.reduce(0) { $0 + $1.size }, share: share) { dropped in
            if dropped > 0 { self.miss(dropped, Self.tooFast) }
            // The loss is recorded where it happened, before the first record after it.
            if self.recordLoss(now, sink), self.put(fields, isNotable: isNotable, now, to: sink) { return }
            self.miss(1, "a record could not be written")
        }
    }

    private func put(_ fields: [AuditField], isNotable: Bool, _ time: Date, to sink: AuditSink) -> Bool {
        guard Self.put(fields, isNotable: isNotable, time, to: sink) else { return false }
        written.increment()
        return true
    }

    private static let tooFast = "records came faster than they could be written"

    private func miss(_ count: Int, _ reason: String) {
        lost.increment(by: count)
        let before = missing.withLock { missing in
            defer { missing += count }
            return missing
        }
        if before == 0 { report(.losesRecords(reason)) }
    }

    /// Writes a record with the number of lost records, if there are any.
    ///
    /// - Returns: True if there were none, or the record is written.
    private func recordLoss(_ time: Date, _ sink: AuditSink) -> Bool {
        let count = missing.withLock { $0 }
        guard count > 0 else { return true }
        let loss = [AuditField("event", "loss"), AuditField("outcome", "failed"), AuditField("count", count)]
        guard put(loss, isNotable: true, time, to: sink) else { return false }
        missing.withLock { $0 -= count }
        report(.recovers(missing: count))
        return true
    }
}
