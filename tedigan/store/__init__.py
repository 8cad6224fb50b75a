"""Where bytes are read and written: files, buckets, pictures, shards, model folders, checkpoints."""
