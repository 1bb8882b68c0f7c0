"""The main job, shown: one feed, many bidders, no double bid."""
