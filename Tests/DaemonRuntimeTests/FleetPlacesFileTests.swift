import DaemonRuntime
import FleetStore
import Glibc
import TestSupport
import Testing
import TokenCache
import TokenStorage

@Suite("The file of the places in a fleet's events")
struct FleetPlacesFileTests {
    private static let identity = TenantPolicy.Identity(host: "https://t.example", clientID: "c")

    private func place(_ count: Int64) -> FleetPlace { FleetPlace(id: "\(count)-0", count: count, epoch: "e") }

    @Test("The next daemon finds what was written last.")
    func handedOver() throws {
        let file = try #require(FleetPlacesFile())
        #expect(file.places.isEmpty)
        for count in 1...3 { file.write([Self.identity: place(Int64(count))]) }
        let next = try #require(FleetPlacesFile(takingOver: dup(file.stored.descriptor)))
        #expect(next.places == [Self.identity: place(3)])
        next.write([Self.identity: place(4)])
        #expect(FleetPlacesFile(takingOver: dup(file.stored.descriptor))?.places == [Self.identity: place(4)])
    }

    @Test("If the last copy was written halfway, the one before it counts.", arguments: [0, 8, 16, 30])
    func damaged(at offset: Int) throws {
        let file = try #require(FleetPlacesFile())
        for count in 1...2 { file.write([Self.identity: place(Int64(count))]) }
        // The second copy is the first in the file.
        var byte: UInt8 = 0xAA
        #expect(unsafe pwrite(file.stored.descriptor, &byte, 1, off_t(offset)) == 1)
        let next = try #require(FleetPlacesFile(takingOver: dup(file.stored.descriptor)))
        #expect(next.places == [Self.identity: place(1)])
    }

    @Test("A file that is none is empty.")
    func foreign() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(String(repeating: "x", count: 100), to: "f")
        #expect(unsafe FleetPlacesFile(takingOver: open(path, O_RDWR))?.places.isEmpty ?? true)
        #expect(unsafe FleetPlacesFile(takingOver: open("/dev/null", O_RDWR)) == nil)
    }
}
