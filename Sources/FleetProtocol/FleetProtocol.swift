// FleetProtocol: what machines that serve the same tenants say to the engine that they share, a Valkey or Redis server.
//
// Purpose: the daemons of several machines share tokens, limits and logouts. This module has the scripts that the engine
// runs, the names of its keys, the sealing of what it stores, and the protocol (RESP). It makes no input or output.
//
// Promises: the engine never has a token, a user or a scope in the clear. A sealed value opens only under the name, the
// tenant and the fence that it was stored with. A script's answer that can't be understood is an error, never a trap.
