// Audit: the record of tokens that were minted, denied or revoked, of forbidden requests, and of operators' actions.
//
// A peer that can connect to the daemon can act as any user, so its actions have to be traceable. Each record is one entry
// of the journal with fields of its own, or one line of JSON. Nothing that a peer sends can end an entry, begin another
// or control the terminal on which it is read. Records are written in order on a thread of their own, records that
// could not be written are counted and reported, and no peer can crowd out the records of others.
//
// - `AuditTrail` takes records (`TokenCache.AuditRecord`) and writes them to an `AuditDestination`.
// - `Records` turns records into fields, and counts forbidden requests that are alike.
// - `Writing` has the destinations' files and the queue on whose thread they are written, which the log uses, too.
