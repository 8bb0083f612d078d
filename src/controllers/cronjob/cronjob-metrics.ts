import { exponentialBuckets, type Metrics } from '../../base/metrics.ts';

/**
 * Registers upstream's metric of the delay of Jobs. The caller calls the returned function for each Job that a
 * CronJob created, with the seconds between its scheduled time and its creation.
 */
export function creationSkew(metrics: Metrics): (skewSeconds: number) => void {
	const series = metrics
		.histogram({
			name: 'cronjob_controller_job_creation_skew_duration_seconds',
			help: 'Time between the scheduled time of a Job and its creation, in seconds.',
			buckets: exponentialBuckets(1, 2, 10),
		})
		.with();
	return (skewSeconds) => series.observe(skewSeconds);
}
