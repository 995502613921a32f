import Dispatch
import Glibc

/// Finds the names of local users.
///
/// The name service can take long, so it is asked on a queue of its own, once for each uid.
actor UserNames {
    /// The size of a buffer for an account's texts, which is enough for nearly all.
    private static let bufferSize = 16_384

    private let queue = DispatchQueue(label: "tokencachectl.names")
    private let report: @Sendable (TopEvent) -> Void
    private var asked: Set<UInt32> = []

    init(report: @escaping @Sendable (TopEvent) -> Void) { self.report = report }

    /// Looks up the names that weren't asked for yet.
    func find(_ uids: [UInt32]) {
        for uid in uids where asked.insert(uid).inserted {
            queue.async { [report] in
                if let name = Self.name(of: uid) { report(.name(name, uid: uid)) }
            }
        }
    }

    private static func name(of uid: UInt32) -> String? {
        var account = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: bufferSize)
        let status = unsafe getpwuid_r(uid, &account, &buffer, buffer.count, &found)
        guard status == 0, unsafe found != nil, let name = unsafe account.pw_name else { return nil }
        return unsafe String(cString: name)
    }
}
