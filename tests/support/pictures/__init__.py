"""Pictures of the page's main screens: four for the documents, and small ones that a test compares with."""
