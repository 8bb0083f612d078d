import {
	type CounterSeries,
	exponentialBuckets,
	type HistogramSeries,
	type Metrics,
} from '../base/metrics.ts';

/** How an attempt to find a node for a Pod ended. */
export type AttemptResult = 'scheduled' | 'unschedulable' | 'error';

/** How many Pods wait for a node, by the part of the scheduling queue they are in. */
export interface PendingPods {
	/** They are yet to be tried. */
	readonly active: number;
	/** They are tried again after a delay. */
	readonly backoff: number;
	/** They fit nowhere as things are. */
	readonly unschedulable: number;
	/** They have scheduling gates. */
	readonly gated: number;
}

const LABELS = { labelNames: ['result', 'profile'] };

/** The metrics of the scheduler by upstream's names (`scheduler_*`). */
export class SchedulerMetrics {
	readonly #attempted: (result: AttemptResult, durationMs: number) => void;
	readonly #preemptions: CounterSeries;
	readonly #victims: HistogramSeries;

	constructor(
		metrics: Metrics,
		{ profile, pending }: { readonly profile: string; readonly pending: () => PendingPods },
	) {
		const attempts = metrics.counter(ATTEMPTS);
		const seconds = metrics.histogram(ATTEMPT_SECONDS);
		this.#attempted = (result, durationMs) => {
			attempts.with(result, profile).inc();
			seconds.with(result, profile).observe(durationMs / 1000);
		};
		this.#preemptions = metrics.counter(PREEMPTIONS).with();
		this.#victims = metrics.histogram(VICTIMS).with();
		metrics.readGauge(PENDING, (report) => {
			for (const [queue, count] of Object.entries(pending())) report(count, queue);
		});
	}

	/** An attempt ended. */
	attempted(result: AttemptResult, durationMs: number): void {
		this.#attempted(result, durationMs);
	}

	/** Preemption was tried for a Pod; so many others are to make room for it, 0 where that cannot help. */
	preempting(victims: number): void {
		this.#preemptions.inc();
		if (victims > 0) this.#victims.observe(victims);
	}
}

const ATTEMPTS = {
	name: 'scheduler_schedule_attempts_total',
	help: 'Number of attempts to schedule Pods, by the result.',
	...LABELS,
};

const ATTEMPT_SECONDS = {
	name: 'scheduler_scheduling_attempt_duration_seconds',
	help: 'Seconds an attempt to schedule a Pod took, with the binding.',
	buckets: exponentialBuckets(0.001, 2, 15),
	...LABELS,
};

const PENDING = {
	name: 'scheduler_pending_pods',
	help: 'Number of Pods that wait for a node, by the queue they are in.',
	labelNames: ['queue'],
};

const PREEMPTIONS = {
	name: 'scheduler_preemption_attempts_total',
	help: 'Number of times that preemption was tried for a Pod that fits on no node.',
};

const VICTIMS = {
	name: 'scheduler_preemption_victims',
	help: 'Number of Pods chosen as victims of one preemption.',
	buckets: exponentialBuckets(1, 2, 7),
};
