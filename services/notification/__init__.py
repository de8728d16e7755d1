"""What users decide about notifications, and where they get them, over REST."""
