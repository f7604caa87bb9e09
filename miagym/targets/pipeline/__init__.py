"""What a pipeline of diffusers is as a target, whatever its family."""
