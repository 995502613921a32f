import Secrets
import Testing

@testable import FleetProtocol

@Suite("Keys of a fleet")
struct FleetKeysTests {
    static let one = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    static let two = "//////////////////////////////////////////8="

    private func read(_ text: String) throws(FleetKeysFault) -> FleetKeys {
        try FleetKeys(AccessToken(text).bytes)
    }

    @Test("A file has one key a line, with or without a line end behind the last one.")
    func reads() throws {
        let keys = try read("\(Self.one)\n\(Self.two)\n")
        #expect(keys.keys.count == 2)
        let first = unsafe keys.keys[0].withUnsafeBytes { unsafe Array($0) }
        #expect(first == Array(0..<32))
        #expect(try keys == read("\(Self.one)\n\(Self.two)"))
    }

    @Test("The order of the keys counts, as the first one seals.")
    func order() throws {
        #expect(try read("\(Self.one)\n\(Self.two)") != read("\(Self.two)\n\(Self.one)"))
        #expect(try read("\(Self.one)\n\(Self.two)") != read(Self.one))
    }

    @Test(
        "A line that isn't 32 bytes in base64 is named.",
        arguments: [
            "", " ", "# a comment", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\r", " AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8==",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd", "__________________________________________8=",
        ]
    )
    func malformed(line: String) {
        #expect(throws: FleetKeysFault.malformed(line: 2)) { try read("\(Self.one)\n\(line)\n\(Self.two)") }
    }

    @Test("A file without keys is a fault.", arguments: ["", "\n"])
    func empty(text: String) {
        #expect(throws: FleetKeysFault.empty) { try read(text) }
    }

    @Test("A key that is there twice is a fault.")
    func repeated() {
        #expect(throws: FleetKeysFault.repeated(line: 3, earlier: 1)) {
            try read("\(Self.one)\n\(Self.two)\n\(Self.one)")
        }
    }

    @Test("More than eight keys are a fault.")
    func tooMany() throws {
        let lines = "ABCDEFGHI".map { "\($0)AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }
        #expect(try read(lines.prefix(8).joined(separator: "\n")).keys.count == 8)
        #expect(throws: FleetKeysFault.tooMany) { try read(lines.joined(separator: "\n")) }
    }

    @Test("Each key has a short name that tells nothing of it.")
    func ids() throws {
        let ids = try read("\(Self.one)\n\(Self.two)").ids
        #expect(ids.count == 2 && ids[0] == "244eec18" && ids[1] != ids[0])
    }

    @Test("No key is printed.")
    func redacted() throws {
        let keys = try read(Self.one)
        #expect("\(keys)" == "<fleet keys>")
        #expect(String(reflecting: keys) == "<fleet keys>")
        #expect(FleetKeysFault.malformed(line: 4).description == "line 4 is not 32 bytes in base64")
    }

    @Test(
        "Base64 for names has no padding.",
        arguments: [([], ""), ([0xFB], "-w"), ([1, 2, 3], "AQID"), ([255, 255], "__8")]
    )
    func base64(bytes: [UInt8], text: String) { #expect(Base64.urlText(bytes) == text) }
}
