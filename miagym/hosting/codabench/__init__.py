"""A hosted task as a competition on Codabench: bundle, scoring program, starting kit."""
