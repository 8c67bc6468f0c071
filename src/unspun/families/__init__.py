"""Groups of articles that were spun from one another, found with no reference given."""
