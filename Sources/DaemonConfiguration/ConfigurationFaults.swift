import SafeText

/// Everything that is wrong with a configuration, in the order of its files and their lines.
package struct ConfigurationFaults: Error, Equatable, CustomStringConvertible {
    /// One thing that is wrong.
    package struct Fault: Error, Equatable, CustomStringConvertible {
        /// The file.
        package let file: String
        /// The line, from 1, or nil for a fault of the file itself.
        package let line: Int?
        /// The key behind the keys that enclose it, joined by dots, or empty for a fault of no key.
        package let key: String
        /// The rule that the value breaks.
        package let message: String

        /// Creates a fault whose text is safe for a terminal.
        package init(file: String, line: Int?, key: String, message: String) {
            self.file = file
            self.line = line
            // Both may contain names from the file.
            self.key = key.printable
            self.message = message.printable
        }

        /// The fault as `file:line: key: message`.
        package var description: String {
            let location = line.map { "\(file):\($0)" } ?? file
            return key.isEmpty ? "\(location): \(message)" : "\(location): \(key): \(message)"
        }
    }

    /// The faults, of which there is at least one.
    package let faults: [Fault]

    /// The faults, one a line.
    package var description: String { faults.map(\.description).joined(separator: "\n") }

    /// Sorts faults by their files and lines.
    ///
    /// - Parameter mainFile: The file whose faults come first, or nil if all are of one file.
    package init(_ faults: [Fault], mainFile: String? = nil) {
        let isFurther = { (fault: Fault) in mainFile.map { $0 == fault.file ? 0 : 1 } ?? 0 }
        // A stable order: two faults of one line stay as they were found.
        self.faults = faults.enumerated()
            .sorted { left, right in
                let (one, other) = (left.element, right.element)
                return (isFurther(one), one.file, one.line ?? 0, left.offset)
                    < (isFurther(other), other.file, other.line ?? 0, right.offset)
            }
            .map(\.element)
    }
}
