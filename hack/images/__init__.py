"""The images: built from the Dockerfile with docker, or with buildah where there is no daemon."""
