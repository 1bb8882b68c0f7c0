"""What the chart lets the operator's image do besides operating: one job each, done and over."""
