"""Forms in which DNS programs and providers take CAA records, one module each."""
