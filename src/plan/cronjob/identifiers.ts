/** Annotation of a Job: when it was due, as the clocks of its CronJob's zone showed it. */
export const SCHEDULED_TIMESTAMP = 'batch.kubernetes.io/cronjob-scheduled-timestamp';
