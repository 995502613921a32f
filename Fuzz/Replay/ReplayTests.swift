import Foundation
import Testing

/// Replays the inputs that libFuzzer has found, without libFuzzer.
@Suite("Fuzz targets replay their corpora")
struct ReplayTests {
    private static let directory = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    /// The inputs of a target: those that reach code which others don't, and those that have found a fault.
    private static func inputs(_ target: FuzzTarget) throws -> [URL] {
        try ["Corpora", "Found"].flatMap { kind in
            let inputs = directory.appending(path: kind).appending(path: target.rawValue)
            guard FileManager.default.fileExists(atPath: inputs.path) else { return [URL]() }
            return try FileManager.default.contentsOfDirectory(at: inputs, includingPropertiesForKeys: nil)
        }
    }

    @Test("There are inputs, and none breaks a promise.", arguments: FuzzTarget.allCases)
    func replay(target: FuzzTarget) throws {
        let inputs = try Self.inputs(target)
        #expect(!inputs.isEmpty)
        for input in inputs {
            let bytes = Array(try Data(contentsOf: input))
            #expect(throws: Never.self, "\(input.lastPathComponent)") { try target.run(bytes) }
        }
    }

    @Test(
        "Half an input, or one with a byte removed or added in its middle, breaks no promise.",
        arguments: FuzzTarget.allCases
    )
    func changed(target: FuzzTarget) throws {
        for input in try Self.inputs(target) {
            let bytes = Array(try Data(contentsOf: input))
            guard !bytes.isEmpty else { continue }
            let (first, second) = (bytes[..<(bytes.count / 2)], bytes[(bytes.count / 2)...])
            try target.run(Array(first))
            try target.run(Array(first + second.dropFirst()))
            try target.run(Array(first + [bytes[bytes.count / 2] &+ 1] + second))
        }
    }
}
