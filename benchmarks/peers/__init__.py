"""Other ways to serve the same model, each written as well as its documentation allows."""
