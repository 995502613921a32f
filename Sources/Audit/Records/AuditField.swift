import SafeText
import TokenCache
import TokenProtocol

/// One field of a record, named as in JSON.
///
/// In the journal its name is in capitals and has a prefix.
struct AuditField: Equatable {
    /// A field's value.
    enum Value: Equatable {
        case text(String)
        case number(Int)
        case list([String])
    }

    let name: String
    let value: Value

    init(_ name: String, _ value: String) { (self.name, self.value) = (name, .text(value)) }

    init(_ name: String, _ value: Int) { (self.name, self.value) = (name, .number(value)) }

    init(_ name: String, _ value: [String]) { (self.name, self.value) = (name, .list(value)) }

    /// The approximate size of the value's text in bytes.
    var size: Int {
        switch value {
        case .text(let text): text.utf8.count
        case .number: 8
        case .list(let texts): texts.reduce(0) { $0 + $1.utf8.count }
        }
    }

    /// Returns the fields of a record for a number of forbidden requests that were only counted.
    ///
    /// - Parameter kind: Their kind, or nil for requests of the kinds beyond the bound.
    static func forbiddenRequests(_ count: Int, _ kind: ForbiddenRequestCounts.Kind?) -> [AuditField] {
        var fields = [AuditField("event", "refusal"), AuditField("outcome", ErrorReply.Code.forbidden.rawValue)]
        if let kind {
            fields += [AuditField("operation", kind.operation.rawValue), AuditField("reason", kind.reason)]
        }
        fields.append(AuditField("count", count))
        if let uid = kind?.uid { fields.append(AuditField("peer_uid", Int(uid))) }
        return fields
    }

    /// The value in the journal: a text is unchanged, as a field's length is sent with it.
    var plain: String {
        switch value {
        case .text(let text): text
        case .number, .list: json
        }
    }

    /// The value in JSON.
    var json: String {
        switch value {
        case .text(let text): text.jsonQuoted
        case .number(let number): String(number)
        case .list(let texts): "[\(texts.map(\.jsonQuoted).joined(separator: ","))]"
        }
    }
}
