package import TokenProtocol

/// The number of a tenant's calls since the start, by their ends.
package struct CallCounts: Sendable, Equatable {
    private static let codes = ErrorReply.Code.allCases
    private static let causes = AuditRecord.MintCause.allCases
    private static let ends = AuditRecord.RevocationEnd.allCases
    /// The number of outcomes of a mint: a success and each error.
    private static let outcomes = codes.count + 1

    private var mints = [Int](repeating: 0, count: causes.count * outcomes)
    private var revocations = [Int](repeating: 0, count: ends.count)
    private var api = [Int](repeating: 0, count: outcomes)

    /// Creates the counts of a tenant that has not been called.
    package init() {}

    /// Returns the number of mints by cause and error, or of those that succeeded if it is nil.
    package subscript(cause: AuditRecord.MintCause, error: ErrorReply.Code?) -> Int {
        mints[Self.index(cause, error)]
    }

    /// Returns the number of revocations with an end.
    package subscript(end: AuditRecord.RevocationEnd) -> Int { revocations[Self.index(end)] }

    /// Returns the number of calls of the API by error, or of those that succeeded if it is nil.
    package subscript(api error: ErrorReply.Code?) -> Int { api[Self.outcome(error)] }

    mutating func countAPI(_ error: ErrorReply.Code?) { api[Self.outcome(error)] += 1 }

    mutating func count(_ cause: AuditRecord.MintCause, _ error: ErrorReply.Code?) {
        mints[Self.index(cause, error)] += 1
    }

    mutating func count(_ end: AuditRecord.RevocationEnd) { revocations[Self.index(end)] += 1 }

    /// The number of mints that ended, by error, and at the last position of those that succeeded.
    func addMints(to sums: inout [Int]) {
        for (index, count) in mints.enumerated() where count > 0 { sums[index % Self.outcomes] += count }
    }

    private static func index(_ cause: AuditRecord.MintCause, _ error: ErrorReply.Code?) -> Int {
        (causes.firstIndex(of: cause) ?? 0) * outcomes + outcome(error)
    }

    private static func outcome(_ error: ErrorReply.Code?) -> Int {
        error.flatMap { codes.firstIndex(of: $0) } ?? codes.count
    }

    private static func index(_ end: AuditRecord.RevocationEnd) -> Int { ends.firstIndex(of: end) ?? 0 }
}

/// The ends of all tenants' calls since the start, by the tenants' names.
package struct CallCountsByTenant: Sendable {
    /// The maximum number of tenants that are told apart.
    ///
    /// Reloads can bring ever new names.
    private static let maxTenants = 4_096
    /// The name of the tenants past it.
    package static let other = "other"

    /// The counts by name.
    package private(set) var byName: [String: CallCounts] = [:]

    mutating func change(_ tenant: TenantID, _ body: (inout CallCounts) -> Void) {
        let isKnown = byName[tenant.name] != nil || byName.count < Self.maxTenants
        body(&byName[isKnown ? tenant.name : Self.other, default: CallCounts()])
    }

    /// The number of mints that succeeded, and of those that failed by error, over all tenants.
    var mints: (succeeded: Int, failed: [ErrorReply.Code: Int]) {
        let codes = ErrorReply.Code.allCases
        var sums = [Int](repeating: 0, count: codes.count + 1)
        for counts in byName.values { counts.addMints(to: &sums) }
        var failed: [ErrorReply.Code: Int] = [:]
        for (code, count) in zip(codes, sums) where count > 0 { failed[code] = count }
        return (sums[codes.count], failed)
    }
}
