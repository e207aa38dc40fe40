# The service and its operator in one image: two static binaries, no shell.
#
#   docker build --build-arg VERSION="$(git describe --tags --always)" -t trainbooking:local .
#   docker run -p 8080:8080 -v trainbooking:/data trainbooking:local
#
# Without settings it runs in embedded mode, with its data in /data. compose.yaml runs three
# processes; charts/trainbooking runs the service and /operator on Kubernetes.

FROM golang:1.26 AS build
WORKDIR /src
# The modules have a layer of their own, so that a change of the code does not fetch them again.
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=devel
# -buildvcs=false: .git is not in the context, and VERSION has the version. The Makefile explains grpcnotrace.
RUN CGO_ENABLED=0 go build -trimpath -tags grpcnotrace -buildvcs=false -ldflags "-s -w -X main.version=${VERSION}" \
        -o /out/ ./cmd/trainbooking ./cmd/operator && \
    mkdir /out/data

FROM gcr.io/distroless/static:nonroot
COPY --from=build /out/trainbooking /out/operator /
# A new volume gets the owner of the folder that it is mounted on: 65532 is nonroot.
COPY --from=build --chown=65532:65532 /out/data /data
ENV TRAINBOOKING_DATA_DIR=/data
VOLUME /data
# As numbers, so that Kubernetes can see that the user is not root.
USER 65532:65532
# Clients, metrics, peers.
EXPOSE 8080 9090 8090
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s CMD ["/trainbooking", "healthcheck"]
ENTRYPOINT ["/trainbooking"]
CMD ["serve"]
