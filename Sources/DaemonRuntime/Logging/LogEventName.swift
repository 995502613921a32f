/// The names of events that a tool may look for in the log, in the value `event`.
///
/// In the journal each has an id, by which `journalctl MESSAGE_ID=…` finds it.
package enum LogEventName: String, Sendable, CaseIterable {
    /// The daemon serves.
    case ready
    /// The daemon has begun to end.
    case draining
    /// A configuration is in force.
    case reloaded
    /// A configuration has a fault, and the old one stays in force.
    case reloadFailed = "reload_failed"
    /// An operator has changed the level of the log, or that has ended.
    case levelChanged = "log_level_changed"
    /// Calls to a tenant fail.
    case outageBegan = "outage_began"
    /// Calls to a tenant still fail.
    case outageLasts = "outage_lasts"
    /// Calls to a tenant no longer fail.
    case outageEnded = "outage_ended"
    /// A tenant asks for no calls.
    case holdBegan = "hold_began"
    /// A tenant still asks for no calls.
    case holdLasts = "hold_lasts"
    /// A tenant no longer asks for no calls.
    case holdEnded = "hold_ended"
    /// Calls of a tenant's API fail.
    case apiOutageBegan = "api_outage_began"
    /// Calls of a tenant's API still fail.
    case apiOutageLasts = "api_outage_lasts"
    /// Calls of a tenant's API no longer fail.
    case apiOutageEnded = "api_outage_ended"
    /// A tenant's API asks for no calls.
    case apiHoldBegan = "api_hold_began"
    /// A tenant's API still asks for no calls.
    case apiHoldLasts = "api_hold_lasts"
    /// A tenant's API no longer asks for no calls.
    case apiHoldEnded = "api_hold_ended"
    /// A tenant denies several users in a row.
    case clientSuspected = "client_suspected"
    /// A tenant denies the client.
    case clientDenied = "client_denied"
    /// A tenant still denies users or the client.
    case clientTroubleLasts = "client_trouble_lasts"
    /// A tenant accepts the client again.
    case clientAccepted = "client_accepted"
    /// A tenant denies a further client.
    case furtherClientRefused = "further_client_refused"
    /// A tenant still denies a further client.
    case furtherClientStillRefused = "further_client_still_refused"
    /// A tenant accepts a further client again.
    case furtherClientAccepted = "further_client_accepted"
    /// Audit records are lost.
    case auditGapBegan = "audit_gap_began"
    /// Audit records are still lost.
    case auditGapLasts = "audit_gap_lasts"
    /// Audit records are written again.
    case auditGapEnded = "audit_gap_ended"
    /// Connections are rejected or closed, as all are taken.
    case connectionsFull = "connections_full"
    /// Nobody can connect.
    case unreachable

    /// The id of the event's journal entries.
    package var messageID: String {
        switch self {
        case .ready: "b6bac94bdb7d4695b118b9561a862855"
        case .draining: "f04ecede71c04a10abc2fd6ac4266890"
        case .reloaded: "ec948d717b4a41c4b0a9f1c1cda235ad"
        case .reloadFailed: "a17fe37e9ffe44a091526fd8966a2fc4"
        case .levelChanged: "cbc985ce9b27451f87a21f7df9557693"
        case .outageBegan: "687ca787e09d4fea9a68a6deaba000fe"
        case .outageLasts: "ec011b9383af4fe78efa669f1d05378a"
        case .outageEnded: "8c31aabbc1ac4acf9402077e1097b05c"
        case .holdBegan: "60075684abe2497894d8328a2a81a7f5"
        case .holdLasts: "3dfd5af99c994f33a0d20e27211019b1"
        case .holdEnded: "447d3531b75a48d4993fe9c74afcee0b"
        case .apiOutageBegan: "0d4a81493b5649fa9ae1c323500f2671"
        case .apiOutageLasts: "f388655603c449c7b7dbeaa239f5c4ac"
        case .apiOutageEnded: "70569589220c4e4ca5f25defc55fafcf"
        case .apiHoldBegan: "359ab09dfd1b436cba83a49dd20b76ce"
        case .apiHoldLasts: "0f5de59fce6e4795b9798cfb5020e9e1"
        case .apiHoldEnded: "45738515c4d146a79a9b2385f398c115"
        case .clientSuspected: "3b4b6152f2fc4ef188a1b2b94fe7f36f"
        case .clientDenied: "3482cbc55981476289080d18611bf3f6"
        case .clientTroubleLasts: "907ccd6d83bd4f469bfe280508bb6691"
        case .clientAccepted: "ae78403787c148eda6ff8c563592d6c3"
        case .furtherClientRefused: "81084a7df3244d968183287fb97d135d"
        case .furtherClientStillRefused: "4f2ef30ac27e436fabaada1b9869f1e9"
        case .furtherClientAccepted: "20269470982d43d38e18e5c644fc14ce"
        case .auditGapBegan: "29b9d079927e4435bfbed3e37b0aaac9"
        case .auditGapLasts: "fc430dc1554e4dbeb50915ccd0f676fc"
        case .auditGapEnded: "405e92b8e05c4a129155566f95825f00"
        case .connectionsFull: "b8aa80290e094d538836eee703c8369e"
        case .unreachable: "425f6a0a75704c9084e551a190b94136"
        }
    }
}
