#!/bin/bash
# Gives each user of the broker its password and its rights; run again, it changes nothing. A user is a secret kafka_USER.
set -euo pipefail
programs=${KAFKA_PROGRAMS:-/opt/kafka/bin} at=${KAFKA_AT:-localhost:9094} secrets=${SECRETS:-/run/secrets}
here=$(dirname "$0")

allow() { # user resource pattern name operations
  local operation words=()
  for operation in $5; do words+=(--operation "$operation"); done
  "$programs/kafka-acls.sh" --bootstrap-server "$at" --add --allow-principal "User:$1" "--$2" "$4" --resource-pattern-type "$3" "${words[@]}"
}

for file in "$secrets"/kafka_*; do
  user=${file##*/kafka_}
  "$programs/kafka-configs.sh" --bootstrap-server "$at" --alter --entity-type users --entity-name "$user" \
    --add-config "SCRAM-SHA-512=[password=$(cat "$file")]"
  case "$user" in relay | worker | intake) ;; *) allow "$user" topic literal "neraca.intake.$user" "Describe Write" ;; esac
done
tail -n +2 "$here/kafka-acls.csv" | while IFS=, read -r user resource pattern name operations; do
  allow "$user" "$resource" "$pattern" "$name" "$operations"
done
