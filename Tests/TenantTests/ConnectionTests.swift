import StandInTenant
import Tenant
import Testing

@Suite("Connections to the tenant that are kept")
struct ConnectionTests {
    @Test(
        "One that the other side has dropped brings its fault to nobody: the call goes once more on a new one.",
        arguments: [PlayedServer.Step.reset, .close]
    )
    func dropped(ending: PlayedServer.Step) async throws {
        try await PlayedServer.run { place in
            place.request == 0 ? [PlayedServer.token] : [ending]
        } _: { server in
            try await withClient(of: server.origin) { client in
                for number in 1...4 {
                    #expect(await client.mint().isMinted)
                    #expect(server.connections == number)
                }
            }
        }
    }

    @Test(
        "One that something between has forgotten swallows a call for a third of its time-out; then it goes on a new one."
    )
    func forgotten() async throws {
        try await PlayedServer.run { place in
            place.connection == 0 ? [.forget, PlayedServer.token] : [PlayedServer.token]
        } _: { server in
            try await withClient(of: server.origin) {
                $0.timeout = .seconds(15)
            } _: { client in
                try await client.warm()
                #expect(await client.mint().isMinted)
                #expect(server.connections == 2)
            }
        }
    }

    @Test("So do many at once, none of them on another that was kept.")
    func crowd() async throws {
        try await withStandInTenant { tenant in
            try await withClient(of: tenant.baseURL) {
                $0.clientID = tenant.clientID
            } _: { client in
                for round in 0..<2 {
                    await tenant.setUsedConnections(round == 0 ? .kept : .reset)
                    await tenant.holdReplies()
                    async let outcomes = withTaskGroup { group in
                        for number in 0..<8 {
                            group.addTask { await client.mint("u\(round).\(number)", secret: tenant.clientSecret) }
                        }
                        return await group.reduce(into: []) { $0.append($1.isMinted) }
                    }
                    try await tenant.waitForHeldReplies(count: 8, within: .seconds(60))
                    await tenant.releaseReplies()
                    #expect(await outcomes == Array(repeating: true, count: 8))
                }
                #expect(await tenant.counters.calls == 16)
            }
        }
    }

    @Test("The new one's fault is the caller's, and a new one is not tried again.")
    func onceOnly() async throws {
        try await PlayedServer.run { place in
            place.connection == 0 && place.request == 0 ? [PlayedServer.token] : [.reset]
        } _: { server in
            try await withClient(of: server.origin) { client in
                #expect(await client.mint().isMinted)
                #expect(await client.mint().code == "connection_lost")
                #expect(server.connections == 2)
                #expect(await client.mint().code == "connection_lost")
                #expect(server.connections == 3)
            }
        }
    }

    @Test("A call of whose answer a byte has come is never sent again.", arguments: ["H", "HTTP/1.1 200 OK\r\nx: "])
    func begun(start: String) async throws {
        try await PlayedServer.run { place in
            place.request == 0 ? [PlayedServer.token] : [.send(Array(start.utf8)), .close]
        } _: { server in
            try await withClient(of: server.origin) { client in
                #expect(await client.mint().isMinted)
                #expect(await client.mint().code != nil)
                #expect(server.requests.count == 2)
            }
        }
    }

    @Test("None is used that is older than a minute, or idle for half a minute.")
    func age() async throws {
        try await PlayedServer.run { _ in
            [PlayedServer.token]
        } _: { server in
            let clock = SetClock()
            try await withClient(of: server.origin, clock: clock) { client in
                for (pause, connections) in [(0, 1), (29, 1), (29, 1), (2, 2), (29, 2), (30, 3)] {
                    clock.advance(.seconds(pause))
                    #expect(await client.mint().isMinted)
                    #expect(server.connections == connections, "after \(pause) s")
                }
            }
        }
    }

    @Test("A fault of one makes all be let go of, so that the tenant's name is looked up again.")
    func distrust() async throws {
        try await withStandInTenant { tenant in
            try await withClient(of: tenant.baseURL) {
                $0.clientID = tenant.clientID
            } _: { client in
                await tenant.holdReplies()
                async let first = client.mint("a", secret: tenant.clientSecret)
                async let second = client.mint("b", secret: tenant.clientSecret)
                try await tenant.waitForHeldReplies(count: 2, within: .seconds(60))
                await tenant.releaseReplies()
                #expect(await first.isMinted)
                #expect(await second.isMinted)
                #expect(await client.mint("reset-after-head:c", secret: tenant.clientSecret).code == "connection_lost")
                try await tenant.wait(within: .seconds(60)) { $0.openConnections == 0 }
                #expect(await client.mint("d", secret: tenant.clientSecret).isMinted)
                #expect(await tenant.counters.connections == 3)
            }
        }
    }

    @Test("A connection that the tenant wants to end is not kept.")
    func unkept() async throws {
        let answer = PlayedServer.answer(Array(#"{"access_token":"abc"}"#.utf8), fields: ["connection: close"])
        try await PlayedServer.run { _ in
            [answer]
        } _: { server in
            try await withClient(of: server.origin) { client in
                for number in 1...3 {
                    #expect(await client.mint().isMinted)
                    #expect(server.connections == number)
                }
            }
        }
    }

    @Test("After a shutdown no call is made.")
    func shutdown() async throws {
        try await PlayedServer.run { _ in
            [PlayedServer.token]
        } _: { server in
            try await withClient(of: server.origin) { client in
                #expect(await client.mint().isMinted)
                client.shutdown()
                #expect(await client.mint().code == "shutting_down")
            }
        }
    }
}
