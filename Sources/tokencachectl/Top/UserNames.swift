import Dispatch
import SocketServer

/// Finds the names of local users.
///
/// The name service can take long, so it is asked on a queue of its own, once for each uid.
actor UserNames {
    private let queue = DispatchQueue(label: "tokencachectl.names")
    private let report: @Sendable (TopEvent) -> Void
    private var asked: Set<UInt32> = []

    init(report: @escaping @Sendable (TopEvent) -> Void) { self.report = report }

    /// Looks up the names that weren't asked for yet.
    func find(_ uids: [UInt32]) {
        for uid in uids where asked.insert(uid).inserted {
            queue.async { [report] in
                if let name = Accounts.name(ofUser: uid) { report(.name(name, uid: uid)) }
            }
        }
    }
}
