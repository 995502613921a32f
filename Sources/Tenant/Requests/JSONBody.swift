import NIOCore
import SafeText
import Secrets

/// Writes a JSON object or array into a buffer that can be overwritten afterwards.
struct JSONBody {
    /// The outermost value.
    enum Kind {
        case object
        case array

        var opening: UInt8 { self == .object ? UInt8(ascii: "{") : UInt8(ascii: "[") }
        var closing: UInt8 { self == .object ? UInt8(ascii: "}") : UInt8(ascii: "]") }
    }

    private let kind: Kind
    private var buffer = ByteBuffer()
    private var needsComma = false

    /// The capacity in bytes, enough for any ordinary request: a buffer that grows leaves a copy of the secret behind.
    private static let capacity = 8_192

    init(_ kind: Kind = .object) {
        self.kind = kind
        buffer.reserveCapacity(Self.capacity)
        buffer.writeInteger(kind.opening)
    }

    mutating func member(_ name: String, _ value: some Sequence<UInt8>) {
        self.name(name)
        string(value)
    }

    mutating func member(_ name: String, _ secret: ClientSecret) {
        unsafe secret.bytes.withUnsafeBytes { unsafe member(name, $0) }
    }

    /// Writes a member that is an object.
    mutating func object(_ name: String, _ members: (inout JSONBody) -> Void) {
        self.name(name)
        enclose(.object, members)
    }

    /// Writes a member that is an array.
    mutating func array(_ name: String, _ elements: (inout JSONBody) -> Void) {
        self.name(name)
        enclose(.array, elements)
    }

    /// Writes an object as the next element of an array.
    mutating func element(_ members: (inout JSONBody) -> Void) {
        comma()
        enclose(.object, members)
    }

    mutating func finish() -> ByteBuffer {
        buffer.writeInteger(kind.closing)
        return buffer
    }

    private mutating func enclose(_ kind: Kind, _ content: (inout JSONBody) -> Void) {
        buffer.writeInteger(kind.opening)
        needsComma = false
        content(&self)
        buffer.writeInteger(kind.closing)
        needsComma = true
    }

    private mutating func comma() {
        if needsComma { buffer.writeInteger(UInt8(ascii: ",")) }
        needsComma = true
    }

    private mutating func name(_ name: String) {
        comma()
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
