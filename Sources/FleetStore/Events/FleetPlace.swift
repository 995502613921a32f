/// The last event of a tenant that this machine has taken note of.
///
/// It is kept with the tokens, so that the next daemon reads on from there.
package struct FleetPlace: Sendable, Hashable {
    /// The event's id in the stream, such as `1700000000000-0`, or `0-0`.
    package var id: String
    /// The event's number.
    package var count: Int64
    /// The engine's process that has numbered it.
    package var epoch: String

    /// Creates a place.
    package init(id: String, count: Int64, epoch: String) {
        self.id = id
        self.count = count
        self.epoch = epoch
    }
}
