"""Real bad canaries on a real Headrace, and how soon they are out."""
