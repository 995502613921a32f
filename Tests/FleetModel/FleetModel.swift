// FleetModel: a value that does what the engine's scripts do, written from their rules instead of their text.
//
// Purpose: it is the specification that the scripts are compared with, and the engine of simulations.
//
// Promises: it has no clock. Each call gets the engine's time, which may also go back, as it does after a failover.
