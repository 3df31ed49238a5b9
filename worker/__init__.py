"""Everything that needs torch: claims jobs, renders them, stores the images."""
