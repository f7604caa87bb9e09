"""Tables of answers: what each question answers about each candidate, asked once and kept."""
