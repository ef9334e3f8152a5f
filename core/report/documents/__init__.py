"""What leaves the building: reports of a model and of one film, as text, HTML, PDF, CSV and JSON."""
