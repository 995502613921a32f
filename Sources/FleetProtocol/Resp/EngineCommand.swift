/// A command to the engine, with its arguments.
package struct EngineCommand: Sendable, Equatable {
    /// The name and the arguments.
    package private(set) var words: [[UInt8]]

    /// Creates a command from texts.
    package init(_ words: String...) { self.words = words.map { Array($0.utf8) } }

    /// Creates a command from bytes.
    package init(words: [[UInt8]]) { self.words = words }

    /// Appends an argument.
    package mutating func append(_ text: String) { words.append(Array(text.utf8)) }

    /// Appends an argument.
    package mutating func append(_ number: some BinaryInteger) { append(String(number)) }

    /// Appends an argument.
    package mutating func append(_ bytes: [UInt8]) { words.append(bytes) }

    /// Appends texts.
    package mutating func append(contentsOf texts: [String]) { for text in texts { append(text) } }

    /// Appends the command as it is sent: an array of strings.
    package func encode(into output: inout [UInt8]) {
        output.append(contentsOf: "*\(words.count)\r\n".utf8)
        for word in words {
            output.append(contentsOf: "$\(word.count)\r\n".utf8)
            output.append(contentsOf: word)
            output.append(contentsOf: "\r\n".utf8)
        }
    }

    /// The command as it is sent.
    package var encoded: [UInt8] {
        var output: [UInt8] = []
        encode(into: &output)
        return output
    }
}
