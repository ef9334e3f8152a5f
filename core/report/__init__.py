"""Pictures, figures and documents for readers."""
