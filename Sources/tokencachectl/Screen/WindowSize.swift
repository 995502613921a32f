/// The size of a terminal's window, in characters.
package struct WindowSize: Sendable, Equatable {
    package var columns: Int
    package var lines: Int

    package init(columns: Int, lines: Int) {
        self.columns = columns
        self.lines = lines
    }
}
