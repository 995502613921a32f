/// Names one request among all that the stand-in has received.
package struct CallNumber: Sendable, Hashable {
    /// Its number, counting from one and never used again.
    package var value: Int

    /// A number.
    package init(_ value: Int) {
        self.value = value
    }
}
