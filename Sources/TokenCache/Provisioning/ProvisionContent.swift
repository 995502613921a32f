import TokenProtocol

/// The content of a provision, by which two requests for a subject are told apart.
///
/// Groups are compared by their bytes, as Swift's strings are equal even if they are composed differently.
struct ProvisionContent: Equatable {
    let name: String?
    let email: String?
    /// The names of the groups in their order, or nil if no group is to be touched.
    let groups: [[UInt8]]?

    /// Reads the content of a request.
    init(_ request: ProvisionRequest) {
        name = request.name
        email = request.email
        groups = request.groups.map { groups in
            groups.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
        }
    }
}
