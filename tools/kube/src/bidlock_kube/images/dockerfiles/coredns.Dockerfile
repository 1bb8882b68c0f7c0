# DNS of the cluster; listens above 1024, so that it needs no capability.
FROM scratch
COPY coredns /coredns
USER 65532:65532
ENTRYPOINT ["/coredns"]
