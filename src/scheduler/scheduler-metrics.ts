import { exponentialBuckets, type Metrics } from '../base/metrics.ts';

/** How an attempt to find a node for a Pod ended. */
export type AttemptResult = 'scheduled' | 'unschedulable' | 'error';

/** How many Pods wait for a node. */
export interface PendingPods {
	/** They are yet to be tried, or tried again. */
	readonly active: number;
	/** They fit nowhere as things are. */
	readonly unschedulable: number;
}

const LABELS = { labelNames: ['result', 'profile'] };

/**
 * The metrics of the scheduler by upstream's names (`scheduler_*`). Returns what is to be told of each
 * attempt.
 */
export function schedulerMetrics(
	metrics: Metrics,
	{ profile, pending }: { readonly profile: string; readonly pending: () => PendingPods },
): (result: AttemptResult, durationMs: number) => void {
	const attempts = metrics.counter({
		name: 'scheduler_schedule_attempts_total',
		help: 'Attempts to find nodes for Pods.',
		...LABELS,
	});
	const seconds = metrics.histogram({
		name: 'scheduler_scheduling_attempt_duration_seconds',
		help: 'How long an attempt took, with the binding.',
		buckets: exponentialBuckets(0.001, 2, 15),
		...LABELS,
	});
	const waiting = {
		name: 'scheduler_pending_pods',
		help: 'Pods that wait for a node.',
		labelNames: ['queue'],
	};
	metrics.readGauge(waiting, (report) => {
		for (const [queue, count] of Object.entries(pending())) report(count, queue);
	});
	return (result, durationMs) => {
		attempts.with(result, profile).inc();
		seconds.with(result, profile).observe(durationMs / 1000);
	};
}
