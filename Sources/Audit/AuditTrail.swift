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

// Audit: who had which token minted, revoked or refused, and what operators did.
//
// Why it exists: whoever reaches the daemon can act as any user, so what it did has to be found out afterwards. Each
// record is one entry of the journal with fields of its own, or one line of JSON; nothing that a peer says can end an
// entry, begin another or steer the terminal that it is read on. Records are written in order on a thread of their own,
// what could not be written is counted and said, and no peer can crowd the others' records out.

/// Where the audit trail goes.
package enum AuditDestination: Sendable, Equatable {
    /// To systemd's journal.
    case journal
    /// To standard error.
    case standardError
    /// To a file.
    case file(String)
    /// Nowhere.
    case nowhere
}

/// Keeps the records of what was done with the daemon's power.
package final class AuditTrail: Sendable {
    /// Records may wait to be written up to so many bytes: at the tenants' pace an hour's worth.
    package static let mostWaiting = 16 * 1_024 * 1_024
    /// Refusals, which any peer can cause, leave the rest to what was done.
    private static let refusalsShare = 0.25
    /// Names audit records in the journal: `journalctl MESSAGE_ID=…` shows them all.
    package static let messageID = "8ef0e71883da49b1bc1a87e3e039ddb2"

    private let queue: WriteQueue
    private let sink: Mutex<AuditSink>
    private let refusals = Mutex(RefusalCounts())
    /// The number of records that are missing since the last one that was written.
    private let missing = Mutex(0)
    private let report: @Sendable (Report) -> Void

    /// A change in the trail's own state, for operators.
    package enum Report: Sendable, Equatable {
        /// Records are missing from now on, for this reason.
        case hasGap(String)
        /// Records are written again; so many are missing, and a record says so.
        case goesOn(missing: Int)
    }

    /// A destination that has been opened and can be written.
    package struct Opened: Sendable {
        let sink: AuditSink
    }

    /// Opens a destination; a file that is open already is opened anew, as after a rotation.
    package static func open(_ destination: AuditDestination) throws(AuditTrailError) -> Opened {
        Opened(sink: try AuditSink(destination))
    }

    /// A sentence on why a destination can't be opened, found without making anything; nil: nothing that can be seen.
    package static func problem(with destination: AuditDestination) -> String? {
        switch destination {
        case .journal: Journal.isThere ? nil : AuditSink.noJournal
        case .file(let path): AuditFile.problem(with: path)
        case .standardError, .nowhere: nil
        }
    }

    /// A trail that goes to a destination.
    ///
    /// - Parameters:
    ///   - bound: Records may wait to be written up to so many bytes.
    ///   - report: Is told when records begin to be missing, and when they are written again.
    package init(to opened: Opened, bound: Int = mostWaiting, report: @escaping @Sendable (Report) -> Void) {
        queue = WriteQueue("tokencached.audit", bound: bound)
        sink = Mutex(opened.sink)
        self.report = report
    }

    /// Whether there is a journal that records could go to.
    package static var hasJournal: Bool { Journal.isThere }

    /// Goes on at another destination.
    package func move(to opened: Opened) { sink.withLock { $0 = opened.sink } }

    /// Keeps a record; it doesn't wait.
    ///
    /// Of refusals that are alike the first is kept; the others are counted, and ``recordCounts()`` keeps their number.
    package func keep(_ record: AuditRecord) {
        if case .nowhere = sink.withLock({ $0 }) { return }
        guard case .forbidden(let refusal) = record.act else {
            return write(record.fields, isNotable: record.isFailure)
        }
        let kind = RefusalCounts.Kind(uid: record.peer?.uid, operation: refusal.operation, reason: refusal.reason)
        guard refusals.withLock({ $0.isFirst(kind) }) else { return }
        write(record.fields, isNotable: true, share: Self.refusalsShare)
    }

    /// Keeps the numbers of refusals that were only counted; to be called every few seconds.
    package func recordCounts() {
        let (kinds, others) = refusals.withLock { $0.take() }
        for (kind, count) in kinds {
            write(AuditField.refusals(count, kind), isNotable: true, share: Self.refusalsShare)
        }
        if others > 0 { write(AuditField.refusals(others, nil), isNotable: true, share: Self.refusalsShare) }
    }

    /// The number of bytes that wait to be written.
    var waiting: Int { queue.waiting }

    /// Waits until all is written, but no longer than a time.
    ///
    /// - Returns: Whether all is written, or at least how much is missing.
    @discardableResult
    package func flush(within patience: DispatchTimeInterval = .seconds(5)) -> Bool {
        recordCounts()
        let sink = sink.withLock { $0 }
        let isDone = queue.flush(within: patience) { dropped in
            if dropped > 0 { self.miss(dropped, Self.tooFast) }
            _ = self.fillGap(Date(), sink)
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
            // The gap is told where it is: before the first record behind it.
            if self.fillGap(now, sink), Self.put(fields, isNotable: isNotable, now, to: sink) { return }
            self.miss(1, "a record could not be written")
        }
    }

    private static let tooFast = "records came faster than they could be written"

    private func miss(_ count: Int, _ reason: String) {
        let before = missing.withLock { missing in
            defer { missing += count }
            return missing
        }
        if before == 0 { report(.hasGap(reason)) }
    }

    /// Records how many are missing, if some are; whether none are any more.
    private func fillGap(_ time: Date, _ sink: AuditSink) -> Bool {
        let count = missing.withLock { $0 }
        guard count > 0 else { return true }
        let loss = [AuditField("event", "loss"), AuditField("outcome", "failed"), AuditField("count", count)]
        guard Self.put(loss, isNotable: true, time, to: sink) else { return false }
        missing.withLock { $0 -= count }
        report(.goesOn(missing: count))
        return true
    }

    private static func put(_ fields: [AuditField], isNotable: Bool, _ time: Date, to sink: AuditSink) -> Bool {
        switch sink {
        case .journal: Journal.send(journalFields(fields, isNotable: isNotable))
        case .descriptor(let file): file.append(line(fields, time))
        case .nowhere: true
        }
    }

    // MARK: Forms

    static func line(_ fields: [AuditField], _ time: Date) -> String {
        let stamp = time.formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true)) + "Z"
        let members = ([AuditField("time", stamp)] + fields).map { "\($0.name.jsonQuoted):\($0.json)" }
        return "{\(members.joined(separator: ","))}\n"
    }

    static func journalFields(_ fields: [AuditField], isNotable: Bool) -> [(name: String, value: String)] {
        let text = fields.map { "\($0.name)=\($0.json)" }.joined(separator: " ")
        let head = [
            ("MESSAGE", "audit \(text)"),
            ("MESSAGE_ID", messageID),
            // Notice for what was refused or failed, information for the rest, in syslog's numbers.
            ("PRIORITY", isNotable ? "5" : "6"),
            ("SYSLOG_IDENTIFIER", "tokencached"),
        ]
        return head + fields.map { ("TOKENCACHED_\($0.name.uppercased())", $0.plain) }
    }
}

extension AuditRecord {
    fileprivate var isFailure: Bool {
        switch act {
        case .forbidden, .mint(_, _, .failed), .reload(.some): true
        case .revocation(_, _, _, let end) where end != .revoked: true
        case .mint, .revocation, .evict, .flush, .reload: false
        }
    }
}
