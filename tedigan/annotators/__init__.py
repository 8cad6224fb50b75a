"""Networks that look at a face and say what it shows: referee, tagger, parser, landmarks, matting."""
