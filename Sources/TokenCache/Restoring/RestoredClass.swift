import TokenProtocol
import TokenStorage

/// The values that the records of one class have in common while a slice of them is restored.
///
/// It is read once for all records of the class, and used by reference, as a copy would count references to each text.
final class RestoredClass {
    /// The tenant that has the name today.
    let tenant: TenantID
    /// The host and the client that the tokens were minted under.
    ///
    /// They must not be served under another.
    let origin: TenantPolicy.Identity
    let scopes: ScopeSet
    /// True if users' tokens are minted under the same host and client today.
    let isOfUsers: Bool
    /// The number of tenant and scopes, which exists during the slice.
    let group: UInt32

    init(tenant: TenantID, origin: TenantPolicy.Identity, scopes: ScopeSet, isOfUsers: Bool, group: UInt32) {
        self.tenant = tenant
        self.origin = origin
        self.scopes = scopes
        self.isOfUsers = isOfUsers
        self.group = group
    }
}

/// The classes of the records of one slice.
struct RestoredClasses {
    private var known: [RecordID: RestoredClass?] = [:]
    /// The class of the last record, which most likely is that of the next.
    private var last: (id: RecordID, found: RestoredClass?) = (.none, nil)

    /// The numbers of tenants and scopes that are to be given back.
    var groups: [UInt32] { known.values.compactMap { $0?.group } }

    /// Returns a class, or nil if its tokens are dropped.
    ///
    /// - Parameter read: Reads a class that is not known yet.
    mutating func find(_ id: RecordID, read: (RecordID) -> RestoredClass?) -> RestoredClass? {
        guard id != last.id else { return last.found }
        let found = known[id] ?? read(id)
        known[id] = .some(found)
        last = (id, found)
        return found
    }
}

@available(*, unavailable)
extension RestoredClass: Sendable {}
