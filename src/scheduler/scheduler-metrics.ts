import {
	type CounterSeries,
	exponentialBuckets,
	type HistogramSeries,
	type Metrics,
} from '../base/metrics.ts';

/** The result of a scheduling attempt: the values of upstream's metrics label `result`. */
export type AttemptResult = 'scheduled' | 'unschedulable' | 'error';

/** The number of Pods that need a node, by the part of the scheduling queue they are in. */
export interface PendingPods {
	/** Ready for an attempt. */
	readonly active: number;
	/** In backoff after an attempt. */
	readonly backoff: number;
	/** Unschedulable until the cluster changes. */
	readonly unschedulable: number;
	/** With scheduling gates. */
	readonly gated: number;
}

/** `profile` is the name of the scheduler, as upstream has one profile for each schedulerName. */
const LABELS = { labelNames: ['result', 'profile'] };

/** The metrics of the scheduler with upstream's names (`scheduler_*`). */
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

	/** Records a completed attempt. */
	attempted(result: AttemptResult, durationMs: number): void {
		this.#attempted(result, durationMs);
	}

	/** Records a preemption attempt with its number of victims; 0 if preemption does not help. */
	preempting(victims: number): void {
		this.#preemptions.inc();
		if (victims > 0) this.#victims.observe(victims);
	}
}

const ATTEMPTS = {
	name: 'scheduler_schedule_attempts_total',
	help: 'Number of attempts to schedule Pods, by result.',
	...LABELS,
};

const ATTEMPT_SECONDS = {
	name: 'scheduler_scheduling_attempt_duration_seconds',
	help: 'Duration of attempts to schedule a Pod, including the binding, in seconds.',
	buckets: exponentialBuckets(0.001, 2, 15),
	...LABELS,
};

const PENDING = {
	name: 'scheduler_pending_pods',
	help: 'Number of Pods that need a node, by the part of the scheduling queue: active, backoff, unschedulable or gated.',
	labelNames: ['queue'],
};

const PREEMPTIONS = {
	name: 'scheduler_preemption_attempts_total',
	help: 'Number of preemption attempts for Pods that fit on no node.',
};

const VICTIMS = {
	name: 'scheduler_preemption_victims',
	help: 'Number of victims of each preemption: Pods deleted to make room for another one.',
	buckets: exponentialBuckets(1, 2, 7),
};
