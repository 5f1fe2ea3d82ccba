"""Long loops: what a pass in the middle does, or meets, is what it does and meets in plain Python."""
