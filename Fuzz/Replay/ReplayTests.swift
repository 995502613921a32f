import Foundation
import Testing

/// Replays what libFuzzer has gathered, without it.
@Suite("Fuzz targets replay their corpora")
struct ReplayTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    /// The inputs of a target: those that reach what others don't, and those that once found a fault.
    private static func inputs(_ target: FuzzTarget) throws -> [URL] {
        try ["Corpora", "Found"].flatMap { kind in
            let place = folder.appending(path: kind).appending(path: target.rawValue)
            guard FileManager.default.fileExists(atPath: place.path) else { return [URL]() }
            return try FileManager.default.contentsOfDirectory(at: place, includingPropertiesForKeys: nil)
        }
    }

    @Test("No input breaks a promise, and there are some.", arguments: FuzzTarget.allCases)
    func replay(target: FuzzTarget) throws {
        let inputs = try Self.inputs(target)
        #expect(!inputs.isEmpty)
        for input in inputs {
            let bytes = Array(try Data(contentsOf: input))
            #expect(throws: Never.self, "\(input.lastPathComponent)") { try target.run(bytes) }
        }
    }

    @Test("Nor does half of one, or one with a byte less or more in its middle.", arguments: FuzzTarget.allCases)
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
