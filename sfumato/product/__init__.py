"""Product: what a model must hold before it goes live, what spoke for it when it did, and the way back."""
