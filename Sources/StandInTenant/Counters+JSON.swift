extension StandInTenant.Counters {
    /// The counters as control requests get them.
    var json: JSONValue {
        .members([
            "calls": .integer(calls), "revocations": .integer(revocations), "mints": .integer(mints),
            "violations": .integer(violations), "refused_clients": .integer(refusedClients),
            "throttled": .integer(throttled), "redirects_followed": .integer(redirectsFollowed),
            "connections": .integer(connections), "open_connections": .integer(openConnections),
            "in_progress": .integer(inProgress), "peak_concurrency": .integer(peakConcurrency), "held": .integer(held),
            "by_key": .array(byKey),
        ])
    }

    private var byKey: [JSONValue] {
        let order = { (key: StandInTenant.MintKey) in (key.value, key.field.rawValue, key.scope ?? "") }
        return callsByKey.keys.sorted { one, other in order(one) < order(other) }.map { key in
            .object(
                key.members + [
                    JSONValue.Member(name: "calls", value: .integer(callsByKey[key] ?? 0)),
                    JSONValue.Member(name: "mints", value: .integer(mintsByKey[key] ?? 0)),
                ]
            )
        }
    }
}

extension StandInTenant.MintKey {
    /// The key as members of an object.
    var members: [JSONValue.Member] {
        [
            JSONValue.Member(name: "field", value: .string(field.rawValue)),
            JSONValue.Member(name: "value", value: .string(value)),
            JSONValue.Member(name: "scope", value: scope.map(JSONValue.string) ?? .null),
        ]
    }
}

extension StandInTenant.SeenRequest {
    /// The request as control requests get it; times are milliseconds since an instant.
    func json(since start: ContinuousClock.Instant) -> JSONValue {
        let milliseconds = { (instant: ContinuousClock.Instant) in
            JSONValue.number(String(((instant - start) / .milliseconds(1)).rounded()))
        }
        return .members([
            "number": .integer(number), "method": .string(method), "path": .string(path),
            "origin": .string(origin.rawValue), "key": key.map { key in .object(key.members) } ?? .null,
            "carried_secret": .boolean(carriedSecret), "behaviour": .string(behaviour),
            "violations": .array(violations.map(JSONValue.string)),
            "status": status.map(JSONValue.integer) ?? .null,
            "arrival_ms": milliseconds(arrival), "ended_ms": ended.map(milliseconds) ?? .null,
        ])
    }
}
