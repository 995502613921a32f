// Tenant: one call to a tenant, for a token or of its API for users.
//
// A tenant answers in many forms, some of them malformed. This module makes exactly one request, reads the reply
// strictly and returns its outcome in the core's terms (`MintOutcome`, `RevocationOutcome`, `APIOutcome`). It promises
// that no redirect is followed, that nothing is retried or cached, that a secret goes to the configured origin and
// nowhere else, and that every call ends in time.
//
// - `TenantClient` makes the calls to one tenant.
// - `Credentials` has the client's secret or key, and signs assertions.
// - `API` writes the requests of the API for users, and reads its replies.
// - `Requests` writes the bodies of requests, and `Replies` reads replies.
// - `Connections` opens connections, keeps them between calls, and gives each of their faults a code and a sentence.
// - `Probing` finds out how far a tenant can be reached, for `tokencachectl doctor`.
// - `Proxies` has the settings of an HTTP proxy, and finds them in the environment.
