extension StandInTenant {
    /// Why the stand-in can't do what a test or a control request asks of it.
    package struct Fault: Error, Equatable, CustomStringConvertible {
        /// One sentence.
        package var description: String

        /// Names the reason.
        package init(_ description: String) {
            self.description = description
        }
    }
}
