"""The same training step in several frameworks, each in a process of its own, taking turns."""
