#!/bin/sh
# As it was written: without `set -e`, `latest` beside the commit, apply and then set image.
docker build -t "$REGISTRY/blog/app:latest" -t "$REGISTRY/blog/app:$CI_COMMIT_SHA" -f docker/dev/Dockerfile .
docker push "$REGISTRY/blog/app:latest"
docker push "$REGISTRY/blog/app:$CI_COMMIT_SHA"
kubectl apply -f k8s
kubectl set image deployment/blog-deployment blog="$REGISTRY/blog/app:$CI_COMMIT_SHA"
