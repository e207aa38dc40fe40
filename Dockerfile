# Two images, each one static binary without a shell: the service, and with --target operator its
# operator. make release makes the same images without Docker.
#
#   docker build --build-arg VERSION="$(git describe --tags --always)" -t trainbooking:local .
#   docker run -p 8080:8080 -v trainbooking:/data trainbooking:local
#   docker build --target operator -t trainbooking-operator:local .
#
# Without settings the service runs in embedded mode, with its data in /data. compose.yaml runs three
# processes; charts/trainbooking runs both images on Kubernetes.

FROM golang:1.26 AS source
WORKDIR /src
# The modules have a layer of their own, so that a change of the code does not fetch them again.
COPY go.mod go.sum ./
RUN go mod download
COPY tools/release tools/release
RUN go -C tools/release run ./writeroot /image && mkdir /data
COPY . .
# -buildvcs=false: .git is not in the context, and VERSION has the version.
# The Makefile explains grpcnotrace.
ENV CGO_ENABLED=0 GOFLAGS="-trimpath -tags=grpcnotrace -buildvcs=false"

FROM source AS build-operator
ARG VERSION=devel COMMIT
RUN go build -ldflags "-s -w -X main.version=${VERSION} -X main.commit=${COMMIT}" -o /operator ./cmd/operator

FROM scratch AS operator
COPY --from=source /image /
COPY --from=build-operator /operator /
# As numbers, so that Kubernetes can see that the user is not root.
USER 65532:65532
# Metrics, health.
EXPOSE 8443 8081
ENTRYPOINT ["/operator"]

FROM source AS build-service
ARG VERSION=devel COMMIT
RUN go build -ldflags "-s -w -X main.version=${VERSION} -X main.commit=${COMMIT}" -o /trainbooking ./cmd/trainbooking

FROM scratch AS service
COPY --from=source /image /
COPY --from=build-service /trainbooking /
# A new volume gets the owner of the folder that it is mounted on.
COPY --from=source --chown=65532:65532 /data /data
ENV TRAINBOOKING_DATA_DIR=/data
VOLUME /data
USER 65532:65532
# Clients, metrics, peers.
EXPOSE 8080 9090 8090
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s CMD ["/trainbooking", "healthcheck"]
ENTRYPOINT ["/trainbooking"]
CMD ["serve"]
