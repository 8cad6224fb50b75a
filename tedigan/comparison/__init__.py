"""Any method's pictures of one list of prompts, judged by one protocol."""
