"""The moderation service: rules in files, verdicts, blocks, reports, and the review queue."""
