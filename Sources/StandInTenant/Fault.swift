extension StandInTenant {
    /// The reason why the stand-in can't do what a test, a control request or a subject asks.
    package struct Fault: Error, Equatable, CustomStringConvertible {
        /// One sentence, without a full stop.
        package var description: String

        package init(_ description: String) { self.description = description }
    }
}
