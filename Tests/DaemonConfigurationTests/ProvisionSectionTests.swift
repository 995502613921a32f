import DaemonConfiguration
import Foundation
import Testing
import TokenCache
import TokenProtocol

@Suite("The provisioning of users in the configuration")
struct ProvisionSectionTests {
    private static let clients = """
        clients:
              users: { client_id: u, client_secret: { file: /u } }
              "K2": { client_id: k, client_secret: { file: /k } }
        """

    private func text(_ options: String, access: String = "") -> String {
        """
        tenants:
          main:
            host: https://one.example
            client_id: id
            client_secret: { file: /run/secret }
            \(Self.clients)
            \(options)
        \(access)
        """
    }

    private func policy(_ options: String) throws -> TenantPolicy {
        let configuration = try DaemonConfiguration.parse(Data(text(options).utf8), file: "t.yaml")
        return try #require(configuration.tenants["main"]).policy
    }

    /// The faults of a text, a line each.
    private func faults(_ text: String) -> [String] {
        do throws(ConfigurationFaults) {
            _ = try DaemonConfiguration.parse(Data(text.utf8), file: "t.yaml")
            return []
        } catch {
            return error.description.split(separator: "\n").map(String.init)
        }
    }

    @Test("Without the section nobody is provisioned, and the API has a pace of its own.")
    func missing() throws {
        let policy = try policy("")
        #expect(policy.provisioning == nil)
        #expect((policy.apiRatePerMinute, policy.apiBurst) == (800, 200))
    }

    @Test("Groups and the client that revokes may be missing, and then nobody may assign or revoke anything.")
    func least() throws {
        #expect(try policy("provision: { client: users }").provisioning == ProvisioningPolicy(client: "users"))
        #expect(
            try policy("provision: { client: K2, groups: [] }").provisioning == ProvisioningPolicy(client: "K2")
        )
    }

    @Test("The whole section is read, and so is the pace of the API, which changes nothing of the other one.")
    func whole() throws {
        let policy = try policy(
            """
            provision: { client: users, groups: ["portal-*", Ops], revoke_client: K2 }
                api_rate: { per_minute: 3, burst: 4 }
            """
        )
        #expect(
            policy.provisioning
                == ProvisioningPolicy(
                    client: "users",
                    groups: [Glob("portal-*"), Glob("Ops")],
                    revokeClient: "K2"
                )
        )
        #expect((policy.apiRatePerMinute, policy.apiBurst) == (3, 4))
        #expect((policy.ratePerMinute, policy.burst) == (80, 80))
    }

    @Test(
        "A wrong value is a fault with its line and its key, and a misspelt client is named.",
        arguments: [
            ("provision: 5", "t.yaml:9: tenants.main.provision: should be a mapping of client, groups, revoke_client"),
            ("provision: { groups: [a] }", "t.yaml:9: tenants.main.provision.client: is missing"),
            (
                "provision: { client: user }",
                "t.yaml:9: tenants.main.provision.client: should be one of the tenant's clients: K2, users "
                    + "(did you mean 'users'?)"
            ),
            (
                "provision: { client: [users] }",
                "t.yaml:9: tenants.main.provision.client: should be one of the tenant's clients: K2, users"
            ),
            (
                "provision: { client: \"\u{212A}2\" }",
                "t.yaml:9: tenants.main.provision.client: should be one of the tenant's clients: K2, users"
            ),
            (
                "provision: { client: users, revoke_client: nobody }",
                "t.yaml:9: tenants.main.provision.revoke_client: should be one of the tenant's clients: K2, users"
            ),
            (
                "provision: { client: users, groups: x }",
                "t.yaml:9: tenants.main.provision.groups: should be a list of patterns for names of groups"
            ),
            (
                "provision: { client: users, groups: [\"\"] }",
                "t.yaml:9: tenants.main.provision.groups[0]: should be patterns for names of groups"
            ),
            (
                "provision: { client: users, group: [a] }",
                "t.yaml:9: tenants.main.provision.group: is not a known key (did you mean 'groups'?)"
            ),
            (
                "api_rate: { per_minute: 0 }",
                "t.yaml:9: tenants.main.api_rate.per_minute: should be a whole number from 1 to 10000000"
            ),
        ]
    )
    func faultsOfValues(options: String, fault: String) {
        let faults = faults(text(options))
        #expect(faults.count == 1 && faults.first?.hasPrefix(fault) == true, "\(faults)")
    }

    @Test("A client that only another tenant has is a fault, and a tenant without clients says so.")
    func otherTenant() {
        let other = """
            default_tenant: main
            tenants:
              other:
                host: https://two.example
                client_id: id
                client_secret: { file: /s }
                provision: { client: users }
              main:
                host: https://one.example
                client_id: id
                client_secret: { file: /s }
                clients: { users: { client_id: u, client_secret: { file: /u } } }
            """
        #expect(
            faults(other)
                == [
                    "t.yaml:7: tenants.other.provision.client: should be one of the tenant's clients, which has none"
                ]
        )
    }

    @Test("A rule may name the operation provision, and no other new one.")
    func operations() throws {
        let rule = "access: [{ users: [1], operations: [token, provision] }]"
        let configuration = try DaemonConfiguration.parse(Data(text("", access: rule).utf8), file: "t.yaml")
        #expect(configuration.access?.first?.operations == ["token", "provision"])
        let wrong = faults(text("", access: "access: [{ users: [1], operations: [provisions] }]"))
        #expect(
            wrong.first?.hasSuffix(
                "access[0].operations[0]: should be operations: token, prefetch, invalidate, revoke, provision "
                    + "(did you mean 'provision'?)"
            ) == true
        )
    }
}
