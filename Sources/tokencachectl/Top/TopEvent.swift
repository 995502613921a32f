/// Something that happens while the live screen is shown.
enum TopEvent: Sendable {
    /// A key was pressed.
    case key(UInt8)
    /// The daemon has answered.
    case look(Look)
    /// The daemon doesn't answer.
    case failure(String)
    /// A user's name was found.
    case name(String, uid: UInt32)
    /// A signal has arrived.
    case signal(Int32)
    /// A second has passed, so that times on the screen have changed.
    case second
    /// The terminal is gone.
    case hangUp
}
