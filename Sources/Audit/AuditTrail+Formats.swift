import SafeText
import Systemd

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The formats of records: a line of JSON, and an entry of the journal.
extension AuditTrail {
    /// Writes a record and returns true if it was written.
    static func put(_ fields: [AuditField], isNotable: Bool, _ time: Date, to sink: AuditSink) -> Bool {
        switch sink {
        case .journal: Journal.send(journalFields(fields, isNotable: isNotable))
        case .file(let file): file.append(line(fields, time))
        case .nowhere: true
        }
    }

    /// Returns a record as a line of JSON.
    static func line(_ fields: [AuditField], _ time: Date) -> String {
        let stamp = time.formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true)) + "Z"
        let members = ([AuditField("time", stamp)] + fields).map { "\($0.name.jsonQuoted):\($0.json)" }
        return "{\(members.joined(separator: ","))}\n"
    }

    /// Returns a record as the fields of an entry of the journal.
    static func journalFields(_ fields: [AuditField], isNotable: Bool) -> [(name: String, value: String)] {
        let text = fields.map { "\($0.name)=\($0.json)" }.joined(separator: " ")
        let head = [
            ("MESSAGE", "audit \(text)"),
            ("MESSAGE_ID", messageID),
            // In syslog's numbers: notice for a forbidden request or a failure, information for anything else.
            ("PRIORITY", isNotable ? "5" : "6"),
            ("SYSLOG_IDENTIFIER", "tokencached"),
        ]
        return head + fields.map { ("TOKENCACHED_\($0.name.uppercased())", $0.plain) }
    }
}
