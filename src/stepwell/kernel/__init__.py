"""What every layer shares: errors, time, ids, ARNs, JSON text, limits, settings and the protocols between layers."""
