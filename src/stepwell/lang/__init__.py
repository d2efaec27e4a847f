"""The small languages of a definition: text in, value out. No input or output, no clocks, no calls."""
