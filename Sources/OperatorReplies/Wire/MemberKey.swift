/// A key that names a member of an object.
package protocol MemberKey: Hashable, LosslessStringConvertible, Sendable {
    /// Sorts the names of an object's members.
    ///
    /// Each type does that for itself: code that is generic takes ten times as long, and thousands of names are sorted on
    /// the daemon's event loop.
    static func sorted(_ keys: some Collection<Self>) -> [Self]
}

extension String: MemberKey {
    package static func sorted(_ keys: some Collection<String>) -> [String] { [String](keys).sorted() }
}

extension UInt32: MemberKey {
    package static func sorted(_ keys: some Collection<UInt32>) -> [UInt32] { [UInt32](keys).sorted() }
}
