import ArgumentParser
import StandInTenant

/// A further client, as the option gives it: its id, its secret and its scopes, with colons between them.
struct FurtherClient: ExpressibleByArgument {
    var client: StandInTenant.Client

    init?(argument: String) {
        let parts = argument.split(separator: ":", maxSplits: 2).map(String.init)
        guard parts.count == 3 else { return nil }
        let scopes = parts[2].split(separator: ",").map(String.init)
        client = StandInTenant.Client(id: parts[0], secrets: [parts[1]], scopes: scopes)
    }
}

extension StandInTenant.Users: ExpressibleByArgument {}
