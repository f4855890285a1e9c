"""jsonnet source as a person wrote it: read with the place of everything, edited without touching the rest."""
