"""Networks into W+: from photographs and from text."""
