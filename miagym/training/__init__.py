"""Training: targets fine-tuned on any data, and the embedded ones anew. `miagym train`."""
