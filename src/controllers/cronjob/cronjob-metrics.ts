import { exponentialBuckets, type Metrics } from '../../base/metrics.ts';

/**
 * Returns what is to be told of each Job that a CronJob made: how many seconds after its time it was
 * created. Shown by upstream's name.
 */
export function creationSkew(metrics: Metrics): (skewSeconds: number) => void {
	const series = metrics
		.histogram({
			name: 'cronjob_controller_job_creation_skew_duration_seconds',
			help: 'How long after the time that it was due at a Job was created.',
			buckets: exponentialBuckets(1, 2, 10),
		})
		.with();
	return (skewSeconds) => series.observe(skewSeconds);
}
