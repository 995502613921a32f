/// A descriptor that a reactor waits for, with the function that it calls.
package protocol EventSource: AnyObject {
    /// The descriptor, which stays open while the source is registered.
    var descriptor: CInt { get }

    /// Handles the descriptor's events, on the reactor's thread.
    func ready(_ events: Events)
}
