/** Annotation of a Job: its scheduled time in RFC 3339, in the time zone of its CronJob. */
export const SCHEDULED_TIMESTAMP = 'batch.kubernetes.io/cronjob-scheduled-timestamp';
