/// A store that holds descriptors while no daemon runs.
///
/// Its calls may block, so they don't belong on an event loop.
package protocol DescriptorStoring: Sendable {
    /// True if there is a store that is large enough.
    var isAvailable: Bool { get }

    /// Adds a descriptor.
    ///
    /// An earlier descriptor with the same name stays in the store, too.
    ///
    /// - Returns: False if the store could not be reached.
    func put(_ descriptor: CInt, named name: String) -> Bool

    /// Removes all descriptors of a name.
    func remove(_ name: String)

    /// Waits, with a timeout, until the store has handled all earlier calls.
    func wait(seconds: UInt64)
}
