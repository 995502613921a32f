import Crypto
import Foundation
import StandInTenant
import TestSupport
import Testing

@Suite("A client's key, by the real daemon", .serialized)
struct DaemonClientKeyTests {
    @Test(
        "A key is used in place of a secret, and a changed one is found when the tenant refuses the old one."
    )
    func rotation() async throws {
        let (old, new) = (P384.Signing.PrivateKey(), P384.Signing.PrivateKey())
        var standIn = StandInTenant.Configuration()
        standIn.clientKeys = [old.publicKey.pemRepresentation]
        let deployment = try await Deployment.start(
            standIn,
            secret: old.pemRepresentation,
            credentialKey: "client_key"
        )
        #expect(try deployment.token("ann")["source"] as? String == "tenant")
        try await deployment.tenant.setClientKeys([new.publicKey.pemRepresentation])
        try deployment.directory.write(new.pemRepresentation, to: "secret")
        #expect(try deployment.token("bob")["source"] as? String == "tenant")
        try await deployment.stop()
    }

    @Test("A file without a usable key, or one that others can read, is a fault with its line.")
    func faults() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("hunter2", to: "key")
        try directory.write(
            "tenants:\n  main:\n    host: https://x.example\n    client_id: c\n    client_key: { file: \(path) }\n",
            to: "c.yaml"
        )
        func check() throws -> String {
            let (status, output) = try Program.run(
                "tokencached",
                ["--check-config", "--config", directory.path("c.yaml")]
            )
            #expect(status == 78)
            return output
        }
        let wrong = try check()
        #expect(wrong.contains("c.yaml:5: tenants.main.client_key: \(path) holds no private key"))
        #expect(!wrong.contains("hunter2"))
        try Data([0xEF, 0xBB, 0xBF]).write(to: URL(filePath: path))
        #expect(try check().contains("\(path) begins with a byte-order mark"))
        try P384.Signing.PrivateKey().derRepresentation.write(to: URL(filePath: path))
        #expect(try check().contains("\(path) holds a key in DER form: convert it to PEM"))
        try Data("Müller\r\n\(P384.Signing.PrivateKey().pemRepresentation)".utf8).write(to: URL(filePath: path))
        #expect(try Program.run("tokencached", ["--check-config", "--config", directory.path("c.yaml")]).status == 0)
        try directory.write(P384.Signing.PrivateKey().pemRepresentation, to: "key", mode: 0o644)
        #expect(try check().contains("its mode is 644, its owner \(geteuid())"))
    }
}
