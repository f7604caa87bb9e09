"""Statistics on numpy and scipy alone: AUC, detection, comparisons, conformal p-values, power."""
