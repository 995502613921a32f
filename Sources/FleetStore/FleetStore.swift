// FleetStore: the client of the engine that the machines of a fleet share.
//
// Purpose: performs the cache's orders to the second level, and passes on what other machines do. It turns tokens and users
// into sealed values and names, keeps the connections, and stops asking an engine that fails.
//
// Promises: each order is answered once, within the time-out. Nothing of it is loaded without a `fleet` in the
// configuration.
