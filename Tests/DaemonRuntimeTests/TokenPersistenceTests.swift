import DaemonRuntime
import StandInTenant
import Testing
import TokenProtocol

@Suite("Tokens that outlive a restart", .timeLimit(.minutes(3)))
struct TokenPersistenceTests {
    @Test("The next daemon serves what the last one minted, and the store holds one file.")
    func restart() async throws {
        let store = StandInStore()
        try await withStandInTenant { tenant in
            try await TestDaemon.run(tenant: tenant, store: store) { daemon in
                let ann = try await daemon.token("ann")
                #expect(ann.source == "tenant")
                await store.waitForFile()
            }
            #expect(store.names == ["tokens-a"])
            try await TestDaemon.run(tenant: tenant, store: store) { daemon in
                #expect(daemon.log.count("those of the last daemon are served entries=1") == 1)
                let ann = try await daemon.token("ann")
                #expect(ann.source == "cache")
            }
        }
    }

    @Test("A daemon whose configuration doesn't want persistence removes the last daemon's tokens.")
    func unwanted() async throws {
        let store = StandInStore()
        try await withStandInTenant { tenant in
            try await TestDaemon.run(tenant: tenant, store: store) { daemon in
                let ann = try await daemon.token("ann")
                #expect(ann.source == "tenant")
            }
            #expect(!store.names.isEmpty)
            let settings = "cache: { keep_across_restarts: false }"
            try await TestDaemon.run(settings: settings, tenant: tenant, store: store) { daemon in
                let ann = try await daemon.token("ann")
                #expect(ann.source == "tenant")
                #expect(daemon.log.count("tokens don't survive a restart") == 0, "nobody wants them to")
            }
            #expect(store.names.isEmpty)
        }
    }

    @Test("Without a store the daemon serves, and the log says once that tokens don't survive a restart.")
    func noStore() async throws {
        let store = StandInStore(isAvailable: false)
        try await TestDaemon.run(store: store) { daemon in
            let ann = try await daemon.token("ann")
            #expect(ann.source == "tenant")
            #expect(await daemon.reload.perform() == .reloaded)
            let notice = "tokens don't survive a restart: no service manager keeps descriptors"
            #expect(daemon.log.count(notice) == 1)
        }
        #expect(store.orders.isEmpty)
    }

    @Test("A reload ends the persistence, and another one begins it again with all tokens that are cached.")
    func reloads() async throws {
        let store = StandInStore()
        try await withStandInTenant { tenant in
            try await TestDaemon.run(tenant: tenant, store: store) { daemon in
                let ann = try await daemon.token("ann")
                #expect(ann.source == "tenant")
                await store.waitForFile()
                try daemon.configure("cache: { keep_across_restarts: false }")
                #expect(await daemon.reload.perform() == .reloaded)
                #expect(store.names.isEmpty)
                let bob = try await daemon.token("bob")
                #expect(bob.source == "tenant")
                try daemon.configure()
                #expect(await daemon.reload.perform() == .reloaded)
                await store.waitForFile()
            }
            try await TestDaemon.run(tenant: tenant, store: store) { daemon in
                for subject in ["ann", "bob"] {
                    let token = try await daemon.token(subject)
                    #expect(token.source == "cache")
                }
            }
        }
    }

    @Test("A reload that changes nothing leaves the store alone.")
    func unchanged() async throws {
        let store = StandInStore()
        try await TestDaemon.run(store: store) { daemon in
            await store.waitForFile()
            let orders = store.orders
            #expect(await daemon.reload.perform() == .reloaded)
            #expect(store.orders == orders || store.orders == orders + ["wait"])
        }
    }

    @Test("A store that doesn't take a file is offered it again, and the log says so once.")
    func refusals() async throws {
        let store = StandInStore(refusals: 3)
        try await TestDaemon.run(store: store, retryPauses: (0.001, 0.002)) { daemon in
            await store.waitForFile()
            #expect(daemon.log.count("the service manager can't be given a file of kept tokens") == 1)
        }
        #expect(store.orders.count { $0 == "put tokens-a" } == 4)
        #expect(store.names == ["tokens-a"])
    }

    @Test("Older files of the same name are removed before a file is put, and the store is waited for after that.")
    func order() async throws {
        let store = StandInStore()
        try await TestDaemon.run(store: store) { _ in await store.waitForFile() }
        #expect(Array(store.orders.prefix(3)) == ["remove tokens-a", "put tokens-a", "wait"])
    }

    @Test("A file that the store has not taken is offered once more at the end.")
    func end() async throws {
        let store = StandInStore(refusals: 1)
        try await TestDaemon.run(store: store, retryPauses: (3_600, 3_600)) { daemon in
            await daemon.log.wait(for: "it is offered again")
            #expect(store.names.isEmpty)
        }
        #expect(store.names == ["tokens-a"])
    }
}
