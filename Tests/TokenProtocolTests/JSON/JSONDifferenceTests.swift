import Foundation
import Testing
import TokenProtocol

@Suite("The scanner compared with Foundation")
struct JSONDifferenceTests {
    private static let pieces = [
        "", "a", "\"", "\\", "/", "\n", "\u{1}", "\u{7f}", "é", "日本", "😀", "\u{2028}", "\u{10ffff}", "\0", " ",
        "{[,:]}",
    ]

    private func text(_ random: inout SeededGenerator) -> String {
        (0..<Int.random(in: 0...4, using: &random)).map { _ in Self.pieces.randomElement(using: &random) ?? "" }
            .joined()
    }

    private func value(_ random: inout SeededGenerator, _ depth: Int) -> Any {
        switch Int.random(in: 0..<(depth < 6 ? 8 : 6), using: &random) {
        case 0: NSNull()
        case 1: Bool.random(using: &random)
        case 2: Int.random(in: -1_000_000...1_000_000, using: &random)
        case 3: Double.random(in: -1e9...1e9, using: &random)
        case 4, 5: text(&random)
        case 6: (0..<Int.random(in: 0...3, using: &random)).map { _ in value(&random, depth + 1) }
        default: object(&random, depth + 1)
        }
    }

    private func object(_ random: inout SeededGenerator, _ depth: Int) -> [String: Any] {
        var members: [String: Any] = [:]
        for _ in 0..<Int.random(in: 0...4, using: &random) { members[text(&random)] = value(&random, depth) }
        return members
    }

    private static func read(_ bytes: [UInt8]) -> JSONObject? { JSONObject(bytes.span, depthLimit: 32) }

    @Test(
        "A text that Foundation writes is read with the same strings and numbers, and no prefix of it is read.",
        arguments: 0..<300
    )
    func written(seed: Int) throws {
        var random = SeededGenerator(state: UInt64(seed))
        let members = object(&random, 0)
        let options: JSONSerialization.WritingOptions = seed % 2 == 0 ? [.prettyPrinted, .sortedKeys] : .sortedKeys
        let bytes = Array(try JSONSerialization.data(withJSONObject: members, options: options))
        let read = try #require(Self.read(bytes))
        for (name, value) in members {
            let found = try #require(read[name])
            if let text = value as? String {
                let read = JSONText.bytes(of: found, bytes.span)
                #expect(read == Array(text.utf8))
            } else if found.kind == .number {
                let read = JSONText.number(of: found, bytes.span)
                #expect(read == (value as? NSNumber)?.doubleValue)
            }
        }
        for end in bytes.indices { #expect(Self.read(Array(bytes[..<end])) == nil) }
    }

    @Test("A text with one byte changed is read only if Foundation reads it, too.", arguments: 0..<100)
    func stricter(seed: Int) throws {
        var random = SeededGenerator(state: UInt64(seed) + 1_000)
        let bytes = Array(try JSONSerialization.data(withJSONObject: object(&random, 0), options: .sortedKeys))
        for _ in 0..<200 {
            var changed = bytes
            let index = Int.random(in: changed.indices, using: &random)
            changed[index] = UInt8.random(in: 0...255, using: &random)
            // With an exponent, a number can be valid JSON but too large for Foundation.
            guard changed[index] | 0x20 != UInt8(ascii: "e") else { continue }
            guard Self.read(changed) != nil else { continue }
            let isTaken = (try? JSONSerialization.jsonObject(with: Data(changed))) is [String: Any]
            #expect(isTaken, "\(String(decoding: changed, as: UTF8.self))")
        }
    }
}
