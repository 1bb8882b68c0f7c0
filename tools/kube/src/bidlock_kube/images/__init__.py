"""The images that pods of a test cluster run: built from Dockerfiles by buildah, without a registry and without network in the build."""
