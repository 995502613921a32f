import StandInTenant
import Tenant
import Testing

@Suite("Kept connections to the tenant")
struct ConnectionTests {
    @Test(
        "If the other side has dropped a kept connection, the call is sent again on a new one.",
        arguments: [PlayedServer.Step.reset, .close]
    )
    func dropped(ending: PlayedServer.Step) async throws {
        try await PlayedServer.run { position in
            position.request == 0 ? [PlayedServer.token] : [ending]
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
        "If packets on a kept connection are lost, the call is sent on a new one after a third of its time-out."
    )
    func lostPackets() async throws {
        try await PlayedServer.run { position in
            position.connection == 0 ? [.dropPackets, PlayedServer.token] : [PlayedServer.token]
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

    @Test("Many calls at once are sent again, none of them on another kept connection.")
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

    @Test("The fault of a new connection is reported, and its call is not sent again.")
    func onceOnly() async throws {
        try await PlayedServer.run { position in
            position.connection == 0 && position.request == 0 ? [PlayedServer.token] : [.reset]
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

    @Test(
        "A call is never sent again once a byte of its answer has arrived.",
        arguments: ["H", "HTTP/1.1 200 OK\r\nx: "]
    )
    func begun(start: String) async throws {
        try await PlayedServer.run { position in
            position.request == 0 ? [PlayedServer.token] : [.send(Array(start.utf8)), .close]
        } _: { server in
            try await withClient(of: server.origin) { client in
                #expect(await client.mint().isMinted)
                #expect(await client.mint().code != nil)
                #expect(server.requests.count == 2)
            }
        }
    }

    @Test("A connection that is older than a minute, or idle for half a minute, is not used.")
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

    @Test("After a fault of one connection all are dropped, so that the tenant's name is looked up again.")
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
