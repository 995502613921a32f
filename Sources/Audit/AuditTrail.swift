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
// and what could not be written is counted and said.

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
    /// Records that may wait to be written: at the tenants' pace an hour's worth, at a flood of refusals a second's.
    private static let mostWaiting = 10_000
    /// Names audit records in the journal: `journalctl MESSAGE_ID=…` shows them all.
    package static let messageID = "8ef0e71883da49b1bc1a87e3e039ddb2"

    private let queue = WriteQueue("tokencached.audit", bound: mostWaiting)
    private let sink: Mutex<AuditSink>
    private let isLosing = Mutex(false)
    private let lost: @Sendable (String) -> Void

    /// A destination that has been opened and can be written.
    package struct Opened: Sendable {
        fileprivate let sink: AuditSink
    }

    /// Opens a destination; a file that is open already is opened anew, as after a rotation.
    package static func open(_ destination: AuditDestination) throws(AuditTrailError) -> Opened {
        Opened(sink: try AuditSink(destination))
    }

    /// A trail that goes to a destination.
    ///
    /// - Parameter lost: Is told, once for each time that it begins, that records can't be written, and why.
    package init(to opened: Opened, lost: @escaping @Sendable (String) -> Void) {
        sink = Mutex(opened.sink)
        self.lost = lost
    }

    /// Whether there is a journal that records could go to.
    package static var hasJournal: Bool { Journal.isThere }

    /// Goes on at another destination.
    package func move(to opened: Opened) { sink.withLock { $0 = opened.sink } }

    /// Keeps a record; it doesn't wait.
    package func keep(_ record: AuditRecord) {
        let sink = sink.withLock { $0 }
        if case .nowhere = sink { return }
        let now = Date()
        queue.write { dropped in
            if dropped > 0 {
                let loss = [AuditField("event", "loss"), AuditField("outcome", "failed"), AuditField("count", dropped)]
                self.write(loss, isRefusal: true, now, to: sink)
                self.lost("records came faster than they could be written")
            }
            self.write(record.fields, isRefusal: record.isRefusal, now, to: sink)
        }
    }

    /// Waits until all is written.
    package func flush() { queue.flush() }

    private func write(_ fields: [AuditField], isRefusal: Bool, _ time: Date, to sink: AuditSink) {
        let isWritten =
            switch sink {
            case .journal: Journal.send(Self.journalFields(fields, isRefusal: isRefusal))
            case .descriptor(let file): file.append(Self.line(fields, time))
            case .nowhere: true
            }
        let begins = isLosing.withLock { isLosing in
            defer { isLosing = !isWritten }
            return !isWritten && !isLosing
        }
        if begins { lost("a record could not be written") }
    }

    // MARK: Forms

    static func line(_ fields: [AuditField], _ time: Date) -> String {
        let stamp = time.formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true)) + "Z"
        let members = ([AuditField("time", stamp)] + fields).map { "\(AuditField.quoted($0.name)):\($0.json)" }
        return "{\(members.joined(separator: ","))}\n"
    }

    static func journalFields(_ fields: [AuditField], isRefusal: Bool) -> [(name: String, value: String)] {
        let text = fields.map { "\($0.name)=\($0.json)" }.joined(separator: " ")
        let head = [
            ("MESSAGE", "audit \(text)"),
            ("MESSAGE_ID", messageID),
            // Notice for what was refused, information for the rest, in syslog's numbers.
            ("PRIORITY", isRefusal ? "5" : "6"),
            ("SYSLOG_IDENTIFIER", "tokencached"),
        ]
        return head + fields.map { ("TOKENCACHED_\($0.name.uppercased())", $0.plain) }
    }
}

extension AuditRecord {
    fileprivate var isRefusal: Bool {
        switch act {
        case .refusal, .mint(_, _, .failed), .reload(.some): true
        case .revocation(_, _, _, let end) where end != .revoked: true
        case .mint, .revocation, .evict, .flush, .reload: false
        }
    }
}
