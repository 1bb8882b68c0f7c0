# Stands in for valkey/valkey: the server of a wheel (built without TLS) under both of its names, and a client.
ARG BASE
FROM ${BASE}
COPY valkey-server redis-cli /usr/local/bin/
RUN ln -s valkey-server /usr/local/bin/redis-server && ln -s redis-cli /usr/local/bin/valkey-cli && mkdir /data && chown 10001:10001 /data
WORKDIR /data
USER 10001:10001
EXPOSE 6379
CMD ["valkey-server", "--protected-mode", "no"]
