"""What several commands share: how they print, and the options that name a target."""
