"""Many models on one gateway: what a thousand of them cost, beside what one does."""
