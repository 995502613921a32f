import Testing

@Suite("The operator's tool, with scripted replies", .serialized)
struct ScriptedDaemonTests {
    @Test(
        "A reply is printed for people and as JSON.",
        arguments: [
            (
                ["metrics"],
                ##"{"id":ID,"content_type":"text/plain; version=0.0.4","body":"# TYPE a counter\na 1\n"}"##,
                "# TYPE a counter\na 1\n"
            ),
            (["metrics", "--json"], #"{"id":ID,"body":"a 1\n"}"#, "{\"id\":1,\"body\":\"a 1\\n\"}\n"),
            (["log-level", "debug"], #"{"id":ID,"level":"debug"}"#, "the log's level is debug\n"),
            (
                ["log-level", "debug", "--for", "10m"], #"{"id":ID,"level":"debug","for":600}"#,
                "the log's level is debug for 10 min\n"
            ),
            (["log-level", "info", "--json"], #"{"id":ID,"level":"info"}"#, "{\"id\":1,\"level\":\"info\"}\n"),
            (["health"], #"{"id":ID,"status":"ok","checks":[]}"#, "ok\n"),
            (
                ["provision", "ann", "--group", "a"],
                #"{"id":ID,"user_id":"63","status":"active","created":true,"groups_changed":true}"#,
                "created user 63, active; groups changed\n"
            ),
            (
                ["revoke", "ann", "--everywhere"], #"{"id":ID,"revoked":true,"upstream_revoked":2}"#,
                "dropped here; 2 tokens revoked at the tenant\n"
            ),
            (
                ["prefetch", "--client", "a", "--client", "b"], #"{"id":ID,"queued":2,"cached":0}"#,
                "2 queued, 0 cached already\n"
            ),
        ]
    )
    func replies(arguments: [String], reply: String, output: String) throws {
        let daemon = try ScriptedDaemon(answering: reply + "\n")
        let (status, printed) = try daemon.control(arguments)
        #expect(status == 0 && printed == output)
    }

    @Test(
        "Each error of the daemon has its exit status and advice.",
        arguments: [
            "invalid_request": 65, "unsupported_op": 65, "forbidden": 77, "unknown_tenant": 78,
            "invalid_configuration": 78,
            "denied": 77, "rate_limited": 75, "unavailable": 75, "timeout": 75, "bad_upstream": 76, "overloaded": 75,
            "conflict": 73,
        ] as [String: Int32]
    )
    func errors(error: (key: String, value: Int32)) throws {
        let reply = #"{"id":ID,"error":"\#(error.key)","error_description":"it is so","retry_after":3}"#
        let (status, output) = try ScriptedDaemon(answering: reply + "\n").control(["stats"])
        #expect(status == error.value)
        #expect(output.hasPrefix("tokencachectl: it is so") && output.contains("\n  next: "), "\(output)")
    }

    @Test(
        "What is no reply ends with 76, and nothing of it reaches the terminal.",
        arguments: [
            "\u{1B}[31mno\n", "{}\n", "[]\n", #"{"id":ID,"status":7}"# + "\n", #"{"id":ID,"entries":"x"}"# + "\n",
        ]
    )
    func malformed(reply: String) throws {
        let (status, output) = try ScriptedDaemon(answering: reply).control(["health"])
        #expect(status == 76, "\(output)")
        #expect(!output.contains("\u{1B}"))
    }

    @Test("A logout everywhere that an older daemon has not carried out ends with 65.")
    func olderDaemon() throws {
        let daemon = try ScriptedDaemon(answering: #"{"id":ID,"revoked":true}"# + "\n")
        let (status, output) = try daemon.control(["revoke", "ann", "--everywhere"])
        #expect(status == 65 && output.contains("has revoked only the tokens that it had"), "\(output)")
    }

    @Test("A user who is disabled in the tenant is denied, and the tool says so.")
    func disabledUser() throws {
        let error = #""error":"denied","error_description":"no","upstream":{"code":"disabled"}"#
        let (status, output) = try ScriptedDaemon(answering: #"{"id":ID,\#(error)}"# + "\n").control([
            "provision", "ann",
        ])
        #expect(status == 77)
        #expect(
            output.contains("\n  the user's status in the tenant is disabled\n  next: the daemon never revives"),
            "\(output)"
        )
    }

    @Test("A page that leads to itself is not followed forever.")
    func circle() throws {
        let page = #"{"id":ID,"entries":[],"next":"5"}"#
        let (status, output) = try ScriptedDaemon(answering: page + "\n").control(["entries", "--all"])
        #expect(status == 76 && output.contains("the daemon's page leads to itself"), "\(output)")
    }

    @Test("No reply can control the terminal.")
    func escapes() throws {
        let words = #"{"status":401,"code":"\u001b[2J","title":"\u202e\u009b31m"}"#
        let reply = #"{"id":ID,"error":"denied","error_description":"a\u001b]0;b\u0007\nc","upstream":\#(words)}"#
        let (status, output) = try ScriptedDaemon(answering: reply + "\n").control(["token", "ann"])
        #expect(status == 77)
        #expect(output.hasPrefix("tokencachectl: a?]0;b??c\n  the tenant answered 401, ?[2J: ??31m\n"), "\(output)")
    }
}
