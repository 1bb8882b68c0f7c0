# The sandbox of every pod: sleeps and reaps.
FROM scratch
COPY catatonit /pause
USER 65535:65535
ENTRYPOINT ["/pause", "-P"]
