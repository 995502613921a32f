import FleetStore
import Foundation
import TestSupport
import Testing
import TokenCache

@Suite("Engines with TLS")
struct EncryptedEngineTests {
    /// Makes an authority and a certificate for an address, and returns their files.
    private func certificates(in directory: TemporaryDirectory, names: String) throws {
        try openssl([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-keyout", directory.path("ca.key"), "-out", directory.path("ca.pem"), "-subj", "/CN=authority",
            "-addext", "basicConstraints=critical,CA:TRUE",
        ])
        try openssl([
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", directory.path("key.pem"), "-out", directory.path("request.pem"), "-subj", "/CN=engine",
        ])
        let extensions = try directory.write("subjectAltName=\(names)\n", to: "extensions")
        try openssl([
            "x509", "-req", "-in", directory.path("request.pem"), "-CA", directory.path("ca.pem"),
            "-CAkey", directory.path("ca.key"), "-CAcreateserial", "-days", "1", "-extfile", extensions,
            "-out", directory.path("certificate.pem"),
        ])
    }

    private func openssl(_ arguments: [String]) throws {
        let (status, output) = try Program.run("/usr/bin/openssl", arguments)
        guard status == 0 else { throw TestFailure(output) }
    }

    private func engine(_ directory: TemporaryDirectory, _ port: PortReservation) throws -> EngineServer {
        try EngineServer([
            "--tls-port", "\(port.port)", "--bind", "127.0.0.1", "--tls-auth-clients", "no",
            "--tls-cert-file", directory.path("certificate.pem"), "--tls-key-file", directory.path("key.pem"),
            "--tls-ca-cert-file", directory.path("ca.pem"),
        ])
    }

    private func settings(_ host: String, _ port: PortReservation, _ caFile: String?) throws -> FleetSettings {
        FleetSettings(
            url: EngineURL(address: .host(host, port: port.port), isSecure: true),
            caFile: caFile,
            timeout: TestTimeout.duration,
            keys: try TestFleet.keys()
        )
    }

    @Test(
        "An engine whose certificate a trusted authority has signed for its name is used.",
        arguments: ["127.0.0.1", "localhost"]
    )
    func trusted(host: String) async throws {
        let (directory, port) = (try TemporaryDirectory(), try PortReservation())
        try certificates(in: directory, names: "DNS:localhost,IP:127.0.0.1")
        let engine = try engine(directory, port)
        try await withMachines(1) { machines in
            try await machines[0].connect(settings(host, port, directory.path("ca.pem")))
            try await machines[0].mint(TestFleet.key(), "secret")
            #expect(machines[0].store.status.failed.isEmpty)
        }
        withExtendedLifetime(engine) {}
    }

    @Test("An engine with another's name, or of an unknown authority, is not.", arguments: [true, false])
    func untrusted(isKnown: Bool) async throws {
        let (directory, port) = (try TemporaryDirectory(), try PortReservation())
        try certificates(in: directory, names: "DNS:other.example")
        let engine = try engine(directory, port)
        try await withMachines(1) { machines in
            let machine = machines[0]
            let caFile = isKnown ? directory.path("ca.pem") : nil
            try machine.store.apply(
                settings("localhost", port, caFile),
                tenants: [TestFleet.tenant: TestFleet.settings()]
            )
            try await until("it has failed") { machine.store.status.lastFault != nil }
            #expect(machine.store.status.lastFault?.kind == .tls)
            #expect(try await machine.look(TestFleet.peek(TestFleet.key())).outcome == .unavailable)
        }
        withExtendedLifetime(engine) {}
    }

    @Test("A file of authorities that can't be read is a fault of the settings.")
    func missing() async throws {
        let (directory, port) = (try TemporaryDirectory(), try PortReservation())
        try await withMachines(1) { machines in
            #expect(throws: (any Error).self) {
                try machines[0].store.apply(settings("localhost", port, directory.path("none")), tenants: [:])
            }
        }
    }
}
