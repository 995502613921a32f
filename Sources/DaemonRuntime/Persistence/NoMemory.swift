/// There are no addresses or no pages for the tokens.
package struct NoMemory: Error, CustomStringConvertible {
    /// The sentence for the operator.
    package var description: String { "the system has no memory for tokens" }
}
