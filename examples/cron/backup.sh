#!/bin/bash
# A cron job that tells Prometheus when it last succeeded and how long it took. An alert on
#   time() - backup_last_success_timestamp_seconds > 26 * 3600
# then notices a backup that fails and one that does not run at all.
#
#   17 3 * * *  PUSHGATE=127.0.0.1:9091 SOURCE=/etc TARGET=/var/backups/etc.tar.gz /usr/local/bin/backup.sh
set -euo pipefail

: "${PUSHGATE:=127.0.0.1:9091}" "${SOURCE:=/etc}" "${TARGET:=/var/backups/etc.tar.gz}"

started=$(date +%s.%N)
tar --create --gzip --file "$TARGET" --directory "$SOURCE" .
ended=$(date +%s.%N)

# PUT replaces everything that the last run pushed. `--fail-with-body` makes a refused push a failure of the
# job, and shows the reason, which cron sends by mail.
curl --silent --show-error --fail-with-body --max-time 10 --request PUT --data-binary @- \
    "http://$PUSHGATE/metrics/job/backup/instance/$(hostname)" <<METRICS
# HELP backup_last_success_timestamp_seconds When the backup last succeeded.
# TYPE backup_last_success_timestamp_seconds gauge
backup_last_success_timestamp_seconds $ended
# HELP backup_duration_seconds How long the last successful backup took.
# TYPE backup_duration_seconds gauge
backup_duration_seconds $(awk "BEGIN { print $ended - $started }")
# HELP backup_size_bytes Size of the archive.
# TYPE backup_size_bytes gauge
backup_size_bytes $(stat --format %s "$TARGET")
METRICS
