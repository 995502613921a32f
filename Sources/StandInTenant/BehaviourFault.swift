/// Why a text names no behaviour.
package struct BehaviourFault: Error, Equatable, CustomStringConvertible {
    /// One sentence that names the text and what is wrong with it.
    package var description: String

    /// Names the reason.
    package init(_ description: String) {
        self.description = description
    }
}
