import Foundation
import OperatorReplies
import Testing

@testable import tokencachectl

@Suite("The live screen")
struct TopScreenTests {
    @Test("It looks so in a window of 80 x 24.")
    func usual() throws {
        let text = TopFixture.text(try TopFixture.state(), columns: 80, lines: 24)
        #expect(
            text == """
                 tokencached 1.2.3   up 3 h 10 min   degraded             every 2 s   14:03:59
                 circuit of sandbox: the circuit is open after 5 failures
                 requests       185/s    ▂▂▂▃▃▄▄▄▅▅▅▆▆▇▇▇███   hits 99.7 %, 97.4 % since start
                 mints          0.5/s    ███████████████████   failed 0/s, 5 since start
                 hits took   p50 12 µs     p90 30 µs     p99 80 µs     max 3.0 ms    since start
                 mints took  p50 300.0 ms  p90 500.0 ms  p99 900.0 ms  max 2.0 s     since start
                 tokens 1204   refused users 3   connections 14   in flight 2   queued 1

                 TENANT    CIRCUIT      HOLD  CLIENT          RATE   CALLS  LAST ERROR
                 sandbox   open 12 s    44 s  suspected       0/20     0+1  unavailable 7 s ag…
                 main      closed          -  trusted        72/80    2+12  denied 66 min ago:…

                 PEER                                 REQ/S   CONN  WAITING    TOKENS  REJECTED
                 33 www-data                            185      8        1      1190         0
                 1000                                     0      1        0        14         7

                 REFRESH IN  TENANT   USER                                         SCOPE
                       12 s  main     ann@example.com                              user_default
                      8 min  sandbox  id:62a8                                      user_defaul…




                 q quit   space pause   t tenants by name   ? help
                """,
            "\n\(text)"
        )
    }

    @Test("A wide window has two tables side by side.")
    func wide() throws {
        let text = TopFixture.text(try TopFixture.state(), columns: 120, lines: 40)
        #expect(
            text == """
                 tokencached 1.2.3   up 3 h 10 min   degraded                                                     every 2 s   14:03:59
                 circuit of sandbox: the circuit is open after 5 failures
                 requests       185/s                                            ▂▂▂▃▃▄▄▄▅▅▅▆▆▇▇▇███   hits 99.7 %, 97.4 % since start
                 mints          0.5/s                                            ███████████████████   failed 0/s, 5 since start
                 hits took   p50 12 µs     p90 30 µs     p99 80 µs     max 3.0 ms    since start
                 mints took  p50 300.0 ms  p90 500.0 ms  p99 900.0 ms  max 2.0 s     since start
                 tokens 1204   refused users 3   connections 14   in flight 2   queued 1

                 TENANT    CIRCUIT      HOLD  CLIENT          RATE   CALLS  LAST ERROR
                 sandbox   open 12 s    44 s  suspected       0/20     0+1  unavailable 7 s ago: the tenant answers with status 503
                 main      closed          -  trusted        72/80    2+12  denied 66 min ago: the tenant refused the request with sta…

                 PEER            REQ/S   CONN  WAITING    TOKENS  REJECTED   REFRESH IN  TENANT   USER                    SCOPE
                 33 www-data       185      8        1      1190         0         12 s  main     ann@example.com         user_default
                 1000                0      1        0        14         7        8 min  sandbox  id:62a8                 user_defaul…
























                 q quit   space pause   t tenants by name   ? help
                """,
            "\n\(text)"
        )
    }

    @Test(
        "A tenant's API for users has a line below the tenant while it is used or in trouble, and provisions have one."
    )
    func users() throws {
        func state(_ fault: HealthReply.Check? = nil) throws -> TopState {
            var state = TopState()
            for number in 0..<3 {
                var look = try TopFixture.look(at: Double(2 * number), uptime: Double(100 + 2 * number))
                look.stats.requests.byOperation["provision"] = 5 * number
                look.stats.users = try TopFixture.decode(#"{"created":12,"refused":3,"under_way":4}"#)
                let api = fault == nil ? #""rate_tokens":197.5,"in_flight":2,"queued":1"# : #""rate_tokens":200"#
                look.stats.tenants["main"]?.api = try TopFixture.decode("{\"state\":\"closed\",\"burst\":200,\(api)}")
                look.stats.tenants["sandbox"]?.api = try TopFixture.decode(
                    #"{"state":"closed","burst":200,"rate_tokens":200}"#
                )
                look.stats.tenants["another"] = StatsReply.Tenant()
                if let fault { look.health?.checks.append(fault) }
                state.add(look)
            }
            return state
        }
        func lines(_ state: TopState) -> [String] {
            TopFixture.text(state, columns: 80, lines: 24).split(separator: "\n").map(String.init)
        }
        let busy = lines(try state())
        #expect(
            busy.contains { $0.hasPrefix(" provisions     2.5/s") && $0.hasSuffix("created 12 refused 3 under way 4") }
        )
        let heading = try #require(busy.firstIndex { $0.hasPrefix(" TENANT") })
        #expect(busy[heading + 1].hasPrefix(" sandbox "))
        #expect(busy[heading + 2].hasPrefix(" another "))
        #expect(busy[heading + 3].hasPrefix(" main "))
        #expect(busy[heading + 4] == "  users    closed          -  -            197/200     2+1  -")
        let refused = lines(
            try state(.init(name: "api_clients", tenant: "main", status: .failing, description: "look at their roles"))
        )
        #expect(refused[heading + 2].hasPrefix(" main "), "a tenant whose API refuses a client is in trouble")
        #expect(
            refused[heading + 3] == "  users    closed          -  refused      200/200     0+0  look at their roles"
        )
        #expect(refused[heading + 4].hasPrefix(" another "))
    }

    @Test("Lines of the tenants' APIs are not counted as tenants, and the smallest window has none for provisions.")
    func manyUsersAPIs() throws {
        var look = try TopFixture.look(at: 0)
        look.stats.users = .init()
        for number in 10..<40 {
            look.stats.tenants["t\(number)"] = StatsReply.Tenant()
            look.stats.tenants["t\(number)"]?.api = try TopFixture.decode(
                #"{"state":"closed","burst":200,"rate_tokens":1}"#
            )
        }
        var state = TopState()
        state.add(look)
        for lines in [17, 18, 24, 50, 200] {
            let text = TopFixture.text(state, columns: 80, lines: lines).split(separator: "\n").map(String.init)
            let names = text.filter { $0.hasPrefix(" t") && $0.dropFirst(2).first?.isNumber == true }.count
            let table = text.drop { !$0.hasPrefix(" TENANT") }.prefix { !$0.hasPrefix(" PEER") }
            let more = table.last.flatMap { $0.hasPrefix(" and ") ? Int($0.split(separator: " ")[1]) : nil } ?? 0
            // Two of the tenants are not among the thirty.
            let others = table.count { $0.hasPrefix(" sandbox ") || $0.hasPrefix(" main ") }
            #expect(names + others + more == 32, "\(text)")
            #expect(text.contains { $0.hasPrefix(" provisions") } == (lines > 17))
        }
    }

    @Test("A window that is too small says so.")
    func small() throws {
        #expect(
            TopFixture.text(try TopFixture.state(), columns: 40, lines: 10)
                == """
                The window is too small.
                It has 40 x 10 characters,
                top needs 64 x 17.

                q quits
                """
        )
    }

    @Test("No line is wider than the window, and there are as many as it has, whatever is shown.")
    func sizes() throws {
        var state = try TopFixture.state()
        for showsHelp in [false, true] {
            if showsHelp { _ = state.press(UInt8(ascii: "?")) }
            for columns in [1, 20, 63, 64, 79, 80, 100, 115, 116, 117, 150, 300] {
                for lines in [1, 5, 16, 17, 18, 24, 60, 200] {
                    let screen = TopFixture.screen(state, columns: columns, lines: lines)
                    #expect(screen.allSatisfy { $0.columns <= columns }, "\(columns) x \(lines)")
                    #expect(columns < 64 || lines < 17 || screen.count == lines)
                    #expect(screen.count <= lines)
                }
            }
        }
    }

    @Test("A thousand tenants are cut, those in trouble first, and the cut ones are counted.")
    func manyTenants() throws {
        var look = try TopFixture.look(at: 0)
        for number in 0..<997 { look.stats.tenants["a\(number)"] = StatsReply.Tenant() }
        look.stats.tenants["z"] = StatsReply.Tenant()
        look.stats.tenants["z"]?.state = .halfOpen
        look.stats.tenants["zz"] = StatsReply.Tenant()
        look.stats.tenants["zz"]?.client = .denied
        look.stats.tenants["main"] = nil
        var state = TopState()
        state.add(look)
        let lines = TopFixture.text(state, columns: 80, lines: 24).split(separator: "\n").map(String.init)
        let heading = try #require(lines.firstIndex { $0.hasPrefix(" TENANT") })
        #expect(lines[heading + 1].hasPrefix(" zz "))
        #expect(lines[heading + 2].hasPrefix(" sandbox "))
        #expect(lines[heading + 3].hasPrefix(" z "))
        #expect(lines[heading + 6] == " and 995 more")
        #expect(lines.contains { $0.hasPrefix(" PEER") } && lines.contains { $0.contains("ann@example.com") })
    }

    @Test("Texts of others neither steer the terminal nor leave their column, wide characters included.")
    func hostile() throws {
        var state = TopState()
        var look = try TopFixture.look(at: 0)
        let name = "\u{1B}[31m\u{202E}\n日本語日本語日本語日本語日本語日本語"
        look.stats.tenants[name] = look.stats.tenants["sandbox"]
        look.stats.version = "\u{9B}31m"
        look.health = HealthReply(checks: [.init(name: name, tenant: name, status: .failing, description: name)])
        look.refreshes?[0].tenant = name
        look.refreshes?[0].subject = name + String(repeating: "e\u{301}", count: 200)
        look.refreshes?[0].scope = name
        state.add(look)
        state.add(name: name, of: 33)
        state.fail(name, at: .seconds(3))
        for columns in [64, 80, 120] {
            for line in TopFixture.screen(state, columns: columns, lines: 24) {
                #expect(line.columns <= columns)
                #expect(
                    !line.text.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x9B || $0.value == 0x202E }
                )
            }
        }
        var encoder = FrameEncoder(style: .plain)
        let size = WindowSize(columns: 80, lines: 24)
        let frame = String(
            decoding: encoder.frame(TopFixture.screen(state, columns: 80, lines: 24), size),
            as: UTF8.self
        )
        #expect(!frame.contains("\u{1B}[31m") && !frame.contains("\u{202E}"))
    }

    @Test(
        "No number in a reply crashes it.",
        arguments: ["1e300", "-1e300", "9223372036854775807", "-9223372036854775808"]
    )
    func anyNumber(number: String) throws {
        let stats: StatsReply = try TopFixture.decode(
            """
            {"uptime":\(number),"entries":\(number),"requests":{"token":\(number),"hit":\(number),"miss":\(number)},
             "mints":{"started":\(number),"failed":{"a":5},"in_flight":\(number)},
             "latency":{"hits":{"p50":\(number),"max":\(number)}},"uids":{"1":{"requests":\(number),"waiting":\(number)}},
             "tenants":{"main":{"hold":\(number),"rate_tokens":\(number),"burst":\(number),"in_flight":\(number),
             "open_for":\(number),"queued":{"callers":\(number),"refreshes":\(number)},"state":"open",
             "last_error":{"error":"a","error_description":"b","ago":\(number)}}}}
            """
        )
        var state = TopState()
        for second in 0..<3 { state.add(Look(at: .seconds(second), stats: stats)) }
        _ = state.press(UInt8(ascii: "t"))
        _ = state.press(UInt8(ascii: "t"))
        for columns in [80, 120] { #expect(TopFixture.screen(state, columns: columns, lines: 24).count == 24) }
    }

    @Test("An older daemon, which says less, is shown as far as it goes.")
    func older() throws {
        var state = TopState()
        for second in 0..<2 {
            let stats: StatsReply = try TopFixture.decode(
                #"{"uptime":\#(9 + second),"tenants":{"main":{"rate_tokens":3}},"uids":{"7":{"connections":1}}}"#
            )
            let page: EntriesPage = try TopFixture.decode(
                #"{"entries":[{"tenant":"main","subject":"a","scope":"s","state":"fresh","age":1,"expires_in":2,"fingerprint":"f"}]}"#
            )
            state.add(Look(at: .seconds(second), stats: stats, refreshes: page))
        }
        let text = TopFixture.text(state, columns: 80, lines: 24)
        #expect(text.contains("health unknown") && text.contains("this daemon doesn't say"))
        #expect(text.contains("none yet") && !text.contains("3/"))
    }

    @Test("A daemon that doesn't answer leaves its last screen, with the time and the reason.")
    func failure() throws {
        var state = TopState()
        #expect(TopFixture.text(state, columns: 80, lines: 24).contains("connecting"))
        state.fail("no such file", at: .seconds(1))
        #expect(
            TopFixture.text(state, columns: 80, lines: 24, now: 5).contains("no answer for 4 s, trying again: no such")
        )
        state = try TopFixture.state()
        state.fail("connection refused", at: .seconds(40))
        state.fail("connection refused", at: .seconds(42))
        let text = TopFixture.text(state, columns: 80, lines: 24, now: 43)
        #expect(text.contains("no answer for 5 s, trying again: connection refused"))
        #expect(text.contains("ann@example.com") && text.contains("requests           -"))
        state.add(try TopFixture.look(at: 44, uptime: 1))
        #expect(!TopFixture.text(state, columns: 80, lines: 24, now: 44).contains("no answer"))
    }

    @Test("While it is paused, the screen stays, and afterwards nothing is missing.")
    func pause() throws {
        var state = try TopFixture.state(looks: 3)
        let before = TopFixture.text(state, columns: 80, lines: 24)
        #expect(state.press(UInt8(ascii: " ")) == .redraw)
        state.add(try TopFixture.look(at: 6, uptime: 11_406, requests: 5_000, mints: 2))
        let paused = TopFixture.text(state, columns: 80, lines: 24)
        let unchanged = { (text: String) in text.split(separator: "\n").dropFirst().dropLast().joined(separator: "\n") }
        #expect(paused.contains("paused") && unchanged(paused) == unchanged(before))
        #expect(state.press(UInt8(ascii: " ")) == .redraw)
        #expect(TopFixture.text(state, columns: 80, lines: 24).contains("/s ▁▁▁") == false)
        #expect(state.content.history.points.count == 3)
        #expect(state.press(UInt8(ascii: "x")) == .nothing)
        #expect(state.press(UInt8(ascii: "q")) == .quit)
    }
}
