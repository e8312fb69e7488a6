"""Do the statistical tests keep their promises? Each prints what it measures beside the published numbers."""
