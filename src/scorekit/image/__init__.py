"""Container images of components, as plain text.

May import ``errors``, and does no I/O: no image is built here, only what a builder is told.
Begin with :func:`~scorekit.image.dockerfile.dockerfile`.
"""

from .dockerfile import BUILDER, PACKAGE_FILES, DockerfileRecipe, dockerfile, named_files

__all__ = ["BUILDER", "PACKAGE_FILES", "DockerfileRecipe", "dockerfile", "named_files"]
