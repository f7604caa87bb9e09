"""A verdict on a picture: calibration, combination, conformal p-values, guard, sets of pictures."""
