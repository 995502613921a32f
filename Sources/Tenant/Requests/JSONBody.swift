import NIOCore
import SafeText
import Secrets

/// Writes a JSON object into a buffer that can be overwritten afterwards.
struct JSONBody {
    private var buffer = ByteBuffer()
    private var needsComma = false

    /// The capacity in bytes, enough for any ordinary request: a buffer that grows leaves a copy of the secret behind.
    private static let capacity = 8_192

    init() {
        buffer.reserveCapacity(Self.capacity)
        buffer.writeInteger(UInt8(ascii: "{"))
    }

    mutating func member(_ name: String, _ value: some Sequence<UInt8>) {
        self.name(name)
        string(value)
    }

    mutating func member(_ name: String, _ secret: ClientSecret) {
        unsafe secret.bytes.withUnsafeBytes { unsafe member(name, $0) }
    }

    mutating func object(_ name: String, _ members: (inout JSONBody) -> Void) {
        self.name(name)
        buffer.writeInteger(UInt8(ascii: "{"))
        needsComma = false
        members(&self)
        buffer.writeInteger(UInt8(ascii: "}"))
        needsComma = true
    }

    mutating func finish() -> ByteBuffer {
        buffer.writeInteger(UInt8(ascii: "}"))
        return buffer
    }

    private mutating func name(_ name: String) {
        if needsComma { buffer.writeInteger(UInt8(ascii: ",")) }
        needsComma = true
        string(name.utf8)
        buffer.writeInteger(UInt8(ascii: ":"))
    }

    private mutating func string(_ bytes: some Sequence<UInt8>) {
        buffer.writeInteger(UInt8(ascii: "\""))
        for byte in bytes {
            if let escape = byte.jsonEscape { buffer.writeString(escape) } else { buffer.writeInteger(byte) }
        }
        buffer.writeInteger(UInt8(ascii: "\""))
    }
}
