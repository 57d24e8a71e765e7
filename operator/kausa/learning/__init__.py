"""What a failure teaches once it is over: how it was mended, and what a person says of it. Pure."""
