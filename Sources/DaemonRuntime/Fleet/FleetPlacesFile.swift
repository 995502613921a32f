package import FleetStore
import Glibc
import Synchronization
package import TokenCache
package import TokenStorage

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The file in memory in which a daemon leaves the next one how far it has read each tenant's events.
///
/// It has two copies, which are written in turn. So a daemon that is killed while it writes leaves the other one. Its content is
/// no secret: hosts, ids of clients, and numbers.
///
///     0 number · 8 length · 16 check of these and the content · 24 content
package final class FleetPlacesFile: Sendable {
    /// The name under which the service manager stores it.
    package static let name = "fleet-places"
    /// The size of a copy, enough for several thousand tenants.
    ///
    /// The kernel gives memory only for what is written.
    private static let copySize = 1 << 20
    private static let headSize = 24

    /// A tenant and the place in its events.
    private struct Entry: Codable {
        var host: String
        var client: String
        var id: String
        var count: Int64
        var epoch: String
    }

    private struct Copy {
        var number: UInt64
        var content: [UInt8]
    }

    /// The file, for the service manager.
    package let stored: StoredFile
    private let last: Mutex<Copy>

    private init(_ stored: StoredFile) {
        self.stored = stored
        let copies = (0...1).compactMap { Self.read($0, of: stored) }
        last = Mutex(copies.max { $0.number < $1.number } ?? Copy(number: 0, content: []))
    }

    /// Creates an empty file, or returns nil if there is no memory.
    package convenience init?() {
        guard let stored = StoredFile.make(named: Self.name, size: 2 * Self.copySize) else { return nil }
        self.init(stored)
    }

    /// Takes over the file of an earlier daemon, or closes it and returns nil if it is no such file.
    package convenience init?(takingOver descriptor: CInt) {
        guard let stored = StoredFile(takingOver: descriptor, named: Self.name) else { return nil }
        self.init(stored)
    }

    /// The places that were written last.
    package var places: [TenantPolicy.Identity: FleetPlace] {
        let content = last.withLock(\.content)
        let entries = (try? JSONDecoder().decode([Entry].self, from: Data(content))) ?? []
        let places = entries.map { entry in
            let identity = TenantPolicy.Identity(host: entry.host, clientID: entry.client)
            return (identity, FleetPlace(id: entry.id, count: entry.count, epoch: entry.epoch))
        }
        return Dictionary(places) { $1 }
    }

    /// Writes other places, unless they are the same.
    ///
    /// Places for which there is no room are left out, so that the next daemon reads all events of those tenants.
    package func write(_ places: [TenantPolicy.Identity: FleetPlace]) {
        let entries = places.map { identity, place in
            let (id, count, epoch) = (place.id, place.count, place.epoch)
            return Entry(host: identity.host, client: identity.clientID, id: id, count: count, epoch: epoch)
        }
        let sorted = entries.sorted { ($0.host, $0.client) < ($1.host, $1.client) }
        guard let content = Self.content(of: sorted) else { return }
        last.withLock { last in
            guard content != last.content else { return }
            let copy = Copy(number: last.number + 1, content: content)
            if write(copy) { last = copy }
        }
    }

    private static func content(of entries: [Entry]) -> [UInt8]? {
        guard let data = try? JSONEncoder().encode(entries) else { return nil }
        guard data.count > copySize - headSize else { return [UInt8](data) }
        return content(of: Array(entries.prefix(entries.count / 2)))
    }

    private func write(_ copy: Copy) -> Bool {
        let length = UInt64(copy.content.count)
        let check = Self.check(copy.number, copy.content)
        let head = [copy.number, length, check].flatMap { number in
            unsafe withUnsafeBytes(of: number.littleEndian) { unsafe [UInt8]($0) }
        }
        let bytes = head + copy.content
        let offset = off_t(Int(copy.number % 2) * Self.copySize)
        return unsafe pwrite(stored.descriptor, bytes, bytes.count, offset) == bytes.count
    }

    private static func read(_ copy: Int, of stored: StoredFile) -> Copy? {
        let start = copy * copySize
        guard let head = read(headSize, at: start, of: stored) else { return nil }
        let numbers = stride(from: 0, to: headSize, by: 8).map { offset in
            head[offset..<offset + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        guard numbers[1] <= copySize - headSize,
            let content = read(Int(numbers[1]), at: start + headSize, of: stored),
            check(numbers[0], content) == numbers[2]
        else { return nil }
        return Copy(number: numbers[0], content: content)
    }

    private static func read(_ count: Int, at offset: Int, of stored: StoredFile) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        guard unsafe pread(stored.descriptor, &bytes, count, off_t(offset)) == count else { return nil }
        return bytes
    }

    /// FNV-1a, which tells a copy that was written halfway from a whole one.
    private static func check(_ number: UInt64, _ content: [UInt8]) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ number
        for byte in content { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return hash
    }
}

extension FleetPlace {
    /// The place of a machine that has tokens, but has taken note of no event: it reads all that there are.
    static let beginning = FleetPlace(id: "0-0", count: 0, epoch: "")
}
