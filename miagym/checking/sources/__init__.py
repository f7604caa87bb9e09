"""What a checker calibrates by: pictures of known membership, or a calibration that was kept."""
