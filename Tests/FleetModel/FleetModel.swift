// FleetModel: a value that does what the engine's scripts do, as their specification and for simulations.
